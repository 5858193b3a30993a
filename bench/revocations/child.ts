// A process that begins to follow a full log: how long until it may answer, what the list takes of
// its memory, what following costs, and what a read costs with the list and without.
import { collect, startClock } from "../lib/clock.ts";
import { tell } from "../lib/child.ts";
import { ourKeys, sessions } from "../lib/data.ts";
import { ours } from "../lib/load.ts";
import { follow, type LogEngine } from "./logs.ts";

/** What the parent asks for. */
export interface RevocationOrder {
  readonly rounds: number;
  /** How long the list is followed for its cost, in milliseconds. */
  readonly followMs: number;
}

/** What the child answers. */
export interface RevocationAnswer {
  readonly entries: number;
  /** Until `ready()` has resolved. */
  readonly catchUp: { readonly wallMs: number; readonly cpuMs: number };
  /** Heap bytes an entry, and what the process itself grew by at most. */
  readonly bytes: number;
  /** CPU microseconds for a second of following a log in which nothing happens. */
  readonly followUs: number;
  /** CPU nanoseconds of one read, an entry a round, by what the engine has of revocations. */
  readonly reads: Readonly<Record<"none" | "empty" | "full", readonly number[]>>;
}

/** Cookies that are read in turns: all are known to the store, so that little else is measured. */
const COOKIES = 200;
const READS = 50_000;
const EXPIRES = 86_400;

function heapBytes(): number {
  for (let round = 0; round < 4; round++) collect();
  const { external, heapUsed } = process.memoryUsage();
  return heapUsed + external;
}

async function measure(engine: LogEngine, at: string, order: RevocationOrder) {
  const { memoryRevocations, SessionCookieStore, SessionMiddleware } = await ours("index");
  const revocations = await follow(engine, at);
  const store = new SessionCookieStore(ourKeys);
  const config = { store, sessionExpires: EXPIRES, absoluteExpires: EXPIRES * 30 };
  const engines = {
    none: new SessionMiddleware(config),
    empty: new SessionMiddleware({ ...config, revocations: memoryRevocations() }),
    full: new SessionMiddleware({ ...config, revocations, storeTimeout: 30 }),
  };
  const before = heapBytes();
  const stop = startClock();
  await revocations.ready();
  const { cpu, wall } = stop();
  const bytes = heapBytes() - before;
  const entries = (revocations as unknown as { readonly size: number }).size;

  const idle = startClock();
  await new Promise((resolve) => setTimeout(resolve, order.followMs));
  const followUs = (idle().cpu * 1000) / order.followMs;

  const cookies: string[] = [];
  for (let index = 0; index < COOKIES; index++) {
    const session = await engines.none.open(undefined);
    session.bind(`user ${index}`);
    for (const [key, value] of Object.entries(sessions.small)) session.set(key, value);
    const { setCookie } = await engines.none.commit(session);
    cookies.push(setCookie[0]?.split(";", 1)[0] ?? "");
  }
  const read = async (which: keyof typeof engines): Promise<number> => {
    const middleware = engines[which];
    collect();
    const clock = startClock();
    for (let index = 0; index < READS; index++) {
      const opened = middleware.open(cookies[index % COOKIES]);
      const session = opened instanceof Promise ? await opened : opened;
      if (session.get("name") !== "alice") throw new Error("a session was not found");
      void middleware.commit(session);
      // A process that never came to its timers would be right to trust its list no longer.
      if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return (clock().cpu * 1000) / READS;
  };
  const reads = { none: [] as number[], empty: [] as number[], full: [] as number[] };
  const names = ["none", "empty", "full"] as const;
  for (let round = -1; round < order.rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + names.length) % names.length] ?? "none";
      const cost = await read(name);
      // The first round is for the compiler.
      if (round >= 0) reads[name].push(cost);
    }
  }
  const catchUp = { wallMs: wall / 1000, cpuMs: cpu / 1000 };
  const answer: RevocationAnswer = {
    entries,
    catchUp,
    bytes: bytes / entries,
    followUs,
    reads,
  };
  tell(answer);
}

const [engine = "redis", at = ""] = process.argv.slice(2);
process.on("message", (order: RevocationOrder) => {
  void measure(engine as LogEngine, at, order);
});
tell({ ready: true });
