// In the process of a snippet: a store in the place of the snippet's own, which fails for some of its
// sessions. Each way to fail has a session of its own, so that a client chooses by its cookie.
import { randomBytes } from "node:crypto";
import {
  type SessionConfig,
  SessionMemoryStore,
  SessionMiddleware,
  type SessionStore,
} from "kocha-session";

/** What a store does to a session; "none" is one that works. */
export const faults = ["none", "load rejects", "load hangs", "save rejects", "save hangs"] as const;
/** One of them. */
export type Fault = (typeof faults)[number];
/** A Cookie header for each. */
export type FaultCookies = Readonly<Record<Fault, string>>;

const settings = { name: "session", signingKey: randomBytes(32).toString("base64") } as const;
/** Long enough for a machine that is busy, and waited for in full by what hangs. */
const STORE_TIMEOUT = 0.5;
/** Between a call and its answer, in milliseconds, as across a network. */
const LATENCY = 5;
/** How long ago each session was renewed, in milliseconds: a look at it renews it, which is a save. */
const RENEWED_AGO = 120_000;

/** The store, and which of its sessions it fails for. */
class FailingStore implements SessionStore {
  readonly #memory: SessionMemoryStore;
  readonly #faults: ReadonlyMap<string, Fault>;

  constructor(memory: SessionMemoryStore, faultOf: ReadonlyMap<string, Fault>) {
    this.#memory = memory;
    this.#faults = faultOf;
  }

  async load(selector: string) {
    await this.#meet(selector, "load");
    const row = this.#memory.load(selector);
    return row && { ...row, expires: row.expires - RENEWED_AGO };
  }

  async save(...[selector, change]: Parameters<SessionStore["save"]>) {
    await this.#meet(selector, "save");
    return this.#memory.save(selector, change);
  }

  async #meet(selector: string, operation: "load" | "save"): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LATENCY));
    const fault = this.#faults.get(selector);
    if (fault === `${operation} rejects`) throw new Error("the store is down");
    if (fault === `${operation} hangs`) await new Promise(() => undefined);
  }
}

/** From now on every engine of this process is on the failing store. */
export async function failStores(): Promise<FaultCookies> {
  const memory = new SessionMemoryStore();
  const faultOf = new Map<string, Fault>();
  const cookies: Partial<Record<Fault, string>> = {};
  const engine = new SessionMiddleware({ ...settings, store: memory });
  for (const fault of faults) {
    const session = await engine.open(undefined);
    session.set("name", "alice");
    const { setCookie } = await engine.commit(session);
    faultOf.set(session.id, fault);
    cookies[fault] = setCookie[0]?.split(";", 1)[0] ?? "";
  }
  const store = new FailingStore(memory, faultOf);
  const engines = new WeakMap<object, SessionMiddleware>();
  SessionMiddleware.from = (given: SessionConfig | SessionMiddleware) => {
    const { on, onStoreError } = given as SessionConfig;
    const known = engines.get(given);
    if (known !== undefined) return known;
    const own = { on, onStoreError, storeTimeout: STORE_TIMEOUT, renewAfter: 0, secure: false };
    const failing = new SessionMiddleware({ ...settings, ...own, store });
    engines.set(given, failing);
    engines.set(failing, failing);
    return failing;
  };
  return cookies as FaultCookies;
}
