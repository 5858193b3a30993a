// The application under the laws' cases: the URL lists its operations on the session, and gates let a
// case decide when a request continues.
import { sessionMap } from "../session/collection.ts";
import type { Session } from "../session/session.ts";
import type { SessionStore } from "../store/contract.ts";
import type { Awaitable } from "../base/awaitable.ts";

/** The answer of a handler of the kit. */
export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The handler that a server of the kit runs for each request. */
export type ProbeHandler = (session: Session, url: URL) => Awaitable<ProbeAnswer>;

/** A point where requests wait until the case lets them through. */
export class Gate {
  /** Resolves when the announced number of requests has arrived. */
  readonly arrived: Promise<void>;
  readonly #opened: Promise<void>;
  #arrive: () => void = () => undefined;
  #open: () => void = () => undefined;
  #awaited: number;

  constructor(count = 1) {
    this.#awaited = count;
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Called by the request. */
  async pass(): Promise<void> {
    if (--this.#awaited === 0) this.#arrive();
    await this.#opened;
  }

  /** Called by the case. */
  open(): void {
    this.#open();
  }
}

/** A collection whose entries are any JSON. */
const collection = sessionMap<unknown, unknown>("probe", {
  "~standard": { version: 1, vendor: "kocha-session", validate: (value) => ({ value }) },
});

/** The state that the probe and a case share. */
export interface ProbeState {
  readonly gates: Map<string, Gate>;
  /** The session of the last request, for use after its response. */
  last: Session | undefined;
  /** The code of the error that the last request caught from its session. */
  caught: string | undefined;
}

/**
 * The probe: runs the path's words one after the other, "/set/a/1/get/a".
 * `gate/x` waits, `throw` throws, `status/n`, `header/name/value` and `redirect` shape the answer.
 */
export function probe(state: ProbeState): ProbeHandler {
  return async (session, url) => {
    state.last = session;
    const words = url.pathname.split("/").slice(1).map(decodeURIComponent);
    const next = (): string => words.shift() ?? "";
    let status = 200;
    let body = "";
    const headers: Record<string, string> = {};
    while (words.length > 0) {
      const word = next();
      if (word === "get") body = session.get(next());
      else if (word === "dump")
        body = JSON.stringify([...session].toSorted(([one], [other]) => (one < other ? -1 : 1)));
      else if (word === "size") body = String(session.size);
      else if (word === "id") body = session.id;
      else if (word === "set") session.set(next(), next());
      else if (word === "fill") session.set(next(), "x".repeat(Number(next())));
      else if (word === "del") session.del(next());
      else if (word === "idle") session.sessionExpires = Number(next());
      else if (word === "clear") session.clear();
      else if (word === "flash") session.flash.set("notice", next());
      else if (word === "unflash") body = session.flash.get("notice");
      else if (word === "bind") session.bind(next());
      else if (word === "lifetime") session.cookieExpires = Number(next());
      else if (word === "regenerate") await session.regenerate();
      else if (word === "destroy") await session.destroy();
      else if (word === "commit") await session.commit();
      else if (word === "increment") body = String(await session.increment(next()));
      else if (word === "append") {
        const key = next();
        const text = next();
        body = (await session.update(key, (held = "") => held + text)) ?? "";
      } else if (word === "take") body = (await session.take(next())) ?? "";
      else if (word === "put") collection.of(session).set(next(), Number(next()));
      else if (word === "entries") {
        const entries = [...collection.of(session)];
        body = JSON.stringify(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
      } else if (word === "gate") await state.gates.get(next())?.pass();
      else if (word === "status") status = Number(next());
      else if (word === "header") headers[next()] = next();
      else if (word === "redirect") {
        status = 303;
        headers["Location"] = "/dump";
      } else if (word === "throw") throw new Error("the handler threw, as it was told to");
    }
    return { status, body, headers };
  };
}

/** Counts a store's calls, and makes it fail on request. */
export interface StoreSpy {
  readonly store: SessionStore;
  loads: number;
  saves: number;
  /** Makes `load` and `save` fail, or wait at a gate first. */
  fault: "load" | "save" | "both" | undefined;
  saveGate: Gate | undefined;
}

/** A store behind a spy; a sealed store has nothing that could be spied on. */
export function spyOn(store: SessionStore): StoreSpy {
  const spy: StoreSpy = {
    loads: 0,
    saves: 0,
    fault: undefined,
    saveGate: undefined,
    store: {
      ...(store.capabilities !== undefined && { capabilities: store.capabilities }),
      load: async (selector) => {
        spy.loads++;
        if (spy.fault === "load" || spy.fault === "both") throw new Error("the store is down");
        return store.load(selector);
      },
      save: async (selector, change) => {
        spy.saves++;
        await spy.saveGate?.pass();
        if (spy.fault === "save" || spy.fault === "both") throw new Error("the store is down");
        return store.save(selector, change);
      },
    },
  };
  return spy;
}
