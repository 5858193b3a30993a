// Stores and hosts that break one law each: what the conformance kit must catch.
import {
  applyChange,
  type SavedSession,
  type SessionChange,
  SessionMiddleware,
  type SessionStore,
  type StoredSession,
  toSaved,
} from "kocha-session";
import type { MakeServer, TestClock } from "kocha-session/testing";
import { createServer } from "node:http";
import { listen } from "../support/listen.ts";

/** A store on a Map, with the parts that a mutant breaks. */
export class PlainStore implements SessionStore {
  readonly capabilities = { atomic: true, lists: true } as const;
  protected readonly rows = new Map<string, StoredSession>();
  protected readonly subjects = new Map<string, string | null>();
  protected readonly now: () => number;
  #held: Promise<void> | undefined;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Lets the next save go no further before the function that is given back is called. */
  hang(): () => void {
    let release = (): void => undefined;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** What the next save waits for. */
  protected takeHeld(): Promise<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  async load(key: string): Promise<StoredSession | undefined> {
    const row = this.rows.get(key);
    return row !== undefined && row.expires > this.now() ? copy(row) : undefined;
  }

  async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const held = this.takeHeld();
    if (held !== undefined) await held;
    const { refused, stored } = applyChange(this.rows.get(key), change, this.now());
    if (refused) return undefined;
    if (stored === undefined) this.rows.delete(key);
    else this.rows.set(key, copy(stored));
    if (change.subject !== undefined) this.subjects.set(key, change.subject);
    return toSaved(key, stored);
  }

  async *list(subject: string): AsyncGenerator<{ id: string; stored: StoredSession }> {
    for (const [id, bound] of this.subjects) {
      const stored = bound === subject ? await this.load(id) : undefined;
      if (stored !== undefined) yield { id, stored };
    }
  }

  async destroyAll(subject: string, { except }: { except?: string } = {}): Promise<number> {
    let count = 0;
    for await (const { id } of this.list(subject)) {
      if (id === except) continue;
      this.rows.delete(id);
      count++;
    }
    return count;
  }

  async sweep(limit: number): Promise<number> {
    let count = 0;
    for (const [id, { expires }] of this.rows) {
      if (count === limit) break;
      if (expires > this.now()) continue;
      this.rows.delete(id);
      count++;
    }
    return count;
  }
}

function copy(row: StoredSession): StoredSession {
  return { ...row, data: new Map(row.data) };
}

/** One fault: the case that must catch it, and the store that has it. */
export interface StoreMutant {
  readonly fault: string;
  readonly caughtBy: string;
  readonly make: (clock: TestClock) => PlainStore;
}

type Change = SessionChange;
type Row = StoredSession | undefined;

/** A store that sees a change otherwise than it is. */
function misreading(
  fault: string,
  caughtBy: string,
  twist: (change: Change, row: Row) => Change,
): StoreMutant {
  class Mutant extends PlainStore {
    override async save(key: string, change: Change): Promise<SavedSession | undefined> {
      return super.save(key, twist(change, this.rows.get(key)));
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

/** A store that keeps something else than it should. */
function miskeeping(
  fault: string,
  caughtBy: string,
  twist: (row: StoredSession, before: Row, change: Change) => StoredSession,
): StoreMutant {
  class Mutant extends PlainStore {
    override async save(key: string, change: Change): Promise<SavedSession | undefined> {
      const before = this.rows.get(key);
      const saved = await super.save(key, change);
      const row = this.rows.get(key);
      if (saved === undefined || row === undefined) return saved;
      const kept = twist(row, before, change);
      this.rows.set(key, kept);
      return toSaved(key, kept);
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

/** A store that gives something else than it keeps. */
function misgiving(
  fault: string,
  caughtBy: string,
  twist: (row: Row, key: string) => Row,
): StoreMutant {
  class Mutant extends PlainStore {
    override async load(key: string): Promise<Row> {
      return twist(await super.load(key), key);
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

const invented: StoredSession = {
  data: new Map(),
  rev: 1,
  generation: 1,
  expires: Infinity,
  meta: "",
};
const withData = (row: StoredSession, data: ReadonlyMap<string, string>): StoredSession => ({
  ...row,
  data,
});

/** The whole session written over what another request wrote: last write wins. */
class LastWriteWins extends PlainStore {
  override async save(key: string, change: Change): Promise<SavedSession | undefined> {
    const before = this.rows.get(key);
    await Promise.resolve();
    const { refused, stored } = applyChange(before, change, this.now());
    if (refused || stored === undefined) return super.save(key, change);
    this.rows.set(key, stored);
    return toSaved(key, stored);
  }
}

/** One key after the other: two writers' keys end up mixed. */
class TornWrites extends PlainStore {
  override async save(key: string, change: Change): Promise<SavedSession | undefined> {
    let saved: SavedSession | undefined;
    if (change.op !== "update" || change.set.size < 2) return super.save(key, change);
    for (const entry of change.set) {
      saved = await super.save(key, { ...change, set: new Map([entry]) });
      // Each entry waits another while: the order of writers turns around.
      for (let turns = Number(entry[1].split(" ", 1)[0]) % 7; turns > 0; turns--)
        await Promise.resolve();
    }
    return saved;
  }
}

/** A late write that puts back what was destroyed meanwhile. */
class Upserting extends PlainStore {
  override async save(key: string, change: Change): Promise<SavedSession | undefined> {
    const before = this.rows.get(key);
    await Promise.resolve();
    if (change.op === "update" && before !== undefined && !this.rows.has(key))
      this.rows.set(key, before);
    return super.save(key, change);
  }
}

/** A clear that is checked first and applied later: writes slip in between. */
class SlowBarriers extends PlainStore {
  override async save(key: string, change: Change): Promise<SavedSession | undefined> {
    if (change.clear !== true) return super.save(key, change);
    const { refused, stored } = applyChange(this.rows.get(key), change, this.now());
    await Promise.resolve();
    if (refused || stored === undefined) return undefined;
    this.rows.set(key, stored);
    return toSaved(key, stored);
  }
}

/** One call after the other, however long the one before takes. */
class EndlessLock extends PlainStore {
  #last: Promise<unknown> = Promise.resolve();

  override save(key: string, change: Change): Promise<SavedSession | undefined> {
    const call = this.#last.then(() => super.save(key, change));
    this.#last = call;
    return call;
  }
}

/** A save that writes what it made of the row before it hung. */
class LateWrites extends PlainStore {
  override async save(key: string, change: Change): Promise<SavedSession | undefined> {
    const held = this.takeHeld();
    if (held === undefined) return super.save(key, change);
    const { refused, stored } = applyChange(this.rows.get(key), change, this.now());
    await held;
    if (refused || stored === undefined) return undefined;
    this.rows.set(key, stored);
    return toSaved(key, stored);
  }
}

class Unlisting extends PlainStore {
  override async destroyAll(subject: string): Promise<number> {
    return super.destroyAll(subject, {});
  }
}

class Oversweeping extends PlainStore {
  override async sweep(): Promise<number> {
    return super.sweep(Infinity);
  }
}

/** A mutant for each case of the contract. */
export const storeMutants: readonly StoreMutant[] = [
  misgiving(
    "a row for every key",
    "L12 total: a key that stands for nothing loads nothing",
    (row) => row ?? invented,
  ),
  miskeeping(
    "set before del",
    "L8 order: clear, then del, then set, as one step",
    (row, _, { del }) => {
      const data = new Map(row.data);
      for (const key of del) data.delete(key);
      return withData(row, data);
    },
  ),
  misreading(
    "a create that overwrites",
    "L4 create: a live session is never overwritten",
    (change, row) =>
      change.op === "create" && row !== undefined
        ? { ...change, op: "update", clear: true, rev: row.rev }
        : change,
  ),
  misreading("an update that inserts", "L2 update: it never inserts", (change, row) =>
    change.op === "update" && row === undefined ? { ...change, op: "create" } : change,
  ),
  misreading(
    "a destroy that leaves a row",
    "L2 destroy: it is never refused, and final",
    (change, row) =>
      change.op === "destroy" && row !== undefined
        ? { ...change, op: "update", clear: true, rev: row.rev, ttl: Infinity }
        : change,
  ),
  misreading(
    "no fence",
    "L3 fence: a change applies only at the revision that it loaded",
    (change, row) =>
      change.op === "update" && row !== undefined ? { ...change, rev: row.rev } : change,
  ),
  miskeeping(
    "a clear that raises the generation",
    "L3 counters: barriers raise the revision, bump alone the generation",
    (row, _, { clear, bump }) =>
      clear === true && bump !== true ? { ...row, generation: row.generation + 1 } : row,
  ),
  miskeeping(
    "a renewal that shortens",
    "L5 renewal: the end never shrinks but at a barrier",
    (row, before, { op, ttl, deadline }) =>
      op === "update" && before !== undefined
        ? {
            ...row,
            expires: Math.min(
              row.expires,
              Math.max(before.expires - 1000, 0),
              deadline,
              before.expires + ttl,
            ),
          }
        : row,
  ),
  misreading(
    "an end that never comes earlier",
    "L10 lifetime: a change that sets one may end the session earlier, and keeps its data",
    (change) => ({ ...change, shrinks: false }),
  ),
  misreading("no deadline", "L10 deadline: nothing goes past it", (change) => ({
    ...change,
    deadline: Infinity,
  })),
  misreading("no idle timeout", "L10 idle: an expired session is absent", (change) => ({
    ...change,
    ttl: Infinity,
  })),
  miskeeping(
    "bytes through an object and without NUL",
    "L8 bytes: hostile keys and values come back as they were",
    (row) => {
      const object: Record<string, string> = {};
      for (const [key, value] of row.data) object[key] = value.replaceAll("\0", "");
      return withData(row, new Map(Object.entries(object)));
    },
  ),
  miskeeping(
    "values cut at 8,192 units",
    "L8 sizes: a key and a value at their limits, and a thousand keys",
    (row) =>
      withData(row, new Map([...row.data].map(([key, value]) => [key, value.slice(0, 8192)]))),
  ),
  {
    fault: "the live map handed out",
    caughtBy: "L8 copies: what was handed out or in is nobody's way into the store",
    make: ({ now }) =>
      new (class extends PlainStore {
        override async load(key: string): Promise<Row> {
          return (await super.load(key)) === undefined ? undefined : this.rows.get(key);
        }
      })(now),
  },
  miskeeping(
    "a bump that loses an empty value",
    "L8 histories: random ones agree with applyChange",
    (row, _, { bump }) =>
      bump === true
        ? withData(row, new Map([...row.data].filter(([, value]) => value !== "")))
        : row,
  ),
  {
    fault: "last write wins",
    caughtBy: "L1 writers: different keys at once all survive",
    make: ({ now }) => new LastWriteWins(now),
  },
  {
    fault: "torn writes",
    caughtBy: "L1 writers: of one key one value survives, whole",
    make: ({ now }) => new TornWrites(now),
  },
  {
    fault: "a late write that upserts",
    caughtBy: "L2 race: writers can't bring a destroyed session back",
    make: ({ now }) => new Upserting(now),
  },
  {
    fault: "a barrier in two steps",
    caughtBy: "L3 race: nothing of before a clear comes after it",
    make: ({ now }) => new SlowBarriers(now),
  },
  {
    fault: "a lock that is never given back",
    caughtBy: "L9 hang: a call that never ends holds up no other",
    make: ({ now }) => new EndlessLock(now),
  },
  {
    fault: "a late write of what was read long before",
    caughtBy: "L2 hang: what comes late of a call makes nothing newer undone",
    make: ({ now }) => new LateWrites(now),
  },
  {
    fault: "destroyAll that ends the excepted one",
    caughtBy: "L2 lists: a subject's sessions are listed and ended",
    make: ({ now }) => new Unlisting(now),
  },
  {
    fault: "a sweep without a limit",
    caughtBy: "L10 sweep: it removes what is expired, nothing else, and no more than its limit",
    make: ({ now }) => new Oversweeping(now),
  },
];

/** One fault of a host. */
export interface HostMutant {
  readonly fault: string;
  readonly caughtBy: readonly string[];
  readonly makeServer: MakeServer;
}

/** A host that calls the engine by hand, with one mistake. */
function faultyHost(mistake: {
  readonly commitsLate?: boolean;
  readonly swallowsErrors?: boolean;
  readonly dropsCookies?: boolean;
  readonly sharesSessions?: boolean;
  readonly forgetsVary?: boolean;
  readonly discardsThrown?: boolean;
}): MakeServer {
  return (config, handler) => {
    const engine = new SessionMiddleware(config);
    let shared: Awaited<ReturnType<typeof engine.open>> | undefined;
    const serve = async (cookie: string | undefined, url: URL) => {
      const session =
        mistake.sharesSessions === true && shared !== undefined
          ? shared
          : await engine.open(cookie);
      shared = session;
      let answer: { status: number; body: string; headers?: Readonly<Record<string, string>> };
      try {
        answer = await handler(session, url);
      } catch {
        if (mistake.discardsThrown === true) session.discard();
        answer = { status: 500, body: "error" };
      }
      if (mistake.commitsLate === true) {
        setImmediate(() => void Promise.resolve(engine.commit(session)).catch(() => undefined));
        return { answer, effects: undefined };
      }
      try {
        return { answer, effects: await engine.commit(session) };
      } catch (error) {
        const effects = await engine.commit(session);
        const status =
          mistake.swallowsErrors === true ? 200 : ((error as { status?: number }).status ?? 500);
        return { answer: { status, body: "" }, effects };
      }
    };
    return listen(
      createServer((request, response) => {
        void serve(request.headers.cookie, new URL(request.url ?? "/", "http://localhost")).then(
          ({ answer, effects }) => {
            for (const [name, value] of Object.entries(answer.headers ?? {}))
              response.setHeader(name, value);
            const own = response.getHeader("set-cookie");
            const kept = mistake.dropsCookies === true || own === undefined ? [] : [String(own)];
            const cookies = [...kept, ...(effects?.setCookie ?? [])];
            response.removeHeader("set-cookie");
            if (cookies.length > 0) response.setHeader("set-cookie", cookies);
            if (effects?.noStore === true) response.setHeader("cache-control", "no-store");
            if (effects?.vary === true && mistake.forgetsVary !== true)
              response.setHeader("vary", `${String(response.getHeader("vary") ?? "")}, Cookie`);
            response.statusCode = answer.status;
            response.end(answer.body);
          },
          (error: unknown) => {
            response.statusCode =
              mistake.swallowsErrors === true
                ? 200
                : ((error as { status?: number }).status ?? 500);
            response.end();
          },
        );
      }),
    );
  };
}

/** Hosts that break one law each. */
export const hostMutants: readonly HostMutant[] = [
  {
    fault: "commits after the response",
    caughtBy: [
      "L7 held: the client sees nothing of the response before the save is done (memory store)",
    ],
    makeServer: faultyHost({ commitsLate: true }),
  },
  {
    fault: "swallows what the commit throws",
    caughtBy: [
      "L9 save: a change that can't be saved is an error, and nothing is set (memory store)",
      "L8 large: what doesn't fit is the host's error response, and what was there stays (cookie store)",
    ],
    makeServer: faultyHost({ swallowsErrors: true }),
  },
  {
    fault: "drops the application's own Set-Cookie",
    caughtBy: ["L8 cookies: the application's own Set-Cookie stays beside ours"],
    makeServer: faultyHost({ dropsCookies: true }),
  },
  {
    fault: "hands one session to every client",
    caughtBy: ["L4 apart: clients on one connection never share a session"],
    makeServer: faultyHost({ sharesSessions: true }),
  },
  {
    fault: "forgets Vary",
    caughtBy: ["L11 caches: Vary with every look, no-store with every cookie, neither without"],
    makeServer: faultyHost({ forgetsVary: true }),
  },
  {
    fault: "drops the changes of a handler that threw",
    caughtBy: [
      "L7 thrown: what a handler changed before it threw is saved with the error (memory store)",
    ],
    makeServer: faultyHost({ discardsThrown: true }),
  },
];

/** The same host without a mistake: it must pass, or the mutants prove nothing. */
export const handmadeHost: MakeServer = faultyHost({});
