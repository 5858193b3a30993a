// The stores that were written for express-session, as a store of ours: what they keep has their
// own shape, with our row inside. They read and write whole sessions, so none of them is atomic
// between processes; within one this wrapper races nobody.
import { warnOfRaces } from "../store/races.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { SessionStore, StoredSession } from "../store/contract.ts";
import { clock, flag, hasMethods, readOptions, required } from "../base/options.ts";
import { WholeValueStore } from "../store/whole-value-store.ts";

/** A callback of express-session's stores. */
type StoreCallback<T> = (error?: unknown, value?: T) => void;

/** What express-session asks of a store, as far as it is needed here. */
export interface ExpressSessionStore {
  get(sid: string, callback: StoreCallback<unknown>): unknown;
  set(sid: string, session: never, callback: StoreCallback<unknown>): unknown;
  destroy(sid: string, callback: StoreCallback<unknown>): unknown;
}

/** What such a store keeps for one of our sessions. */
export interface ExpressStoredSession {
  /** What they take a session's end from: some read `expires`, some `maxAge`. */
  readonly cookie: {
    readonly originalMaxAge: number;
    readonly maxAge: number;
    readonly expires: Date;
    readonly httpOnly: true;
    readonly path: "/";
  };
  /** Our row as one text, so that no store of theirs meets a user's keys. */
  readonly kocha: string;
}

/** How a wrapped store is used. */
export interface ExpressStoreOptions {
  /** Whether the application knows that concurrent requests can overwrite each other. Default false: a process warning says it. */
  readonly acceptRaces?: boolean | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** How much longer the store keeps a row than it lives, in milliseconds: the row's own end decides. */
const KEPT_LONGER = 60_000;
/** What a session without an end gets, about ten years: without any they fall back to a day. */
const VERY_LONG = 315_360_000_000;

/**
 * A store that was written for express-session: connect-redis, connect-pg-simple, memorystore and
 * some sixty others. Not atomic, and it says so once.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function fromExpressStore(
  store: ExpressSessionStore,
  options: ExpressStoreOptions = {},
): SessionStore {
  const isRight = (value: unknown): boolean => hasMethods(value, "get", "set", "destroy");
  const what = "a store for express-session, with get, set and destroy";
  const checked = required<ExpressSessionStore>(what, isRight)(store, "store");
  const { acceptRaces, now } = readOptions("fromExpressStore", options, {
    acceptRaces: flag(false),
    now: clock(),
  });
  warnOfRaces("fromExpressStore", acceptRaces);
  return new WrappedStore(checked, now);
}

class WrappedStore extends WholeValueStore {
  readonly #store: ExpressSessionStore;

  constructor(store: ExpressSessionStore, now: () => number) {
    super(now);
    this.#store = store;
  }

  protected async read(selector: string): Promise<StoredSession | undefined> {
    const session = await called((done) => this.#store.get(selector, done)).catch(ignoreMissing);
    return decodeRecord((session as Partial<ExpressStoredSession> | null | undefined)?.kocha);
  }

  protected write(selector: string, stored: StoredSession): Promise<unknown> {
    return called((done) => this.#store.set(selector, this.#shape(stored) as never, done));
  }

  protected remove(selector: string): Promise<unknown> {
    return called((done) => this.#store.destroy(selector, done)).catch(ignoreMissing);
  }

  #shape(stored: StoredSession): ExpressStoredSession {
    const left = stored.expires === Infinity ? VERY_LONG : stored.expires - this.now();
    const maxAge = Math.max(0, left) + KEPT_LONGER;
    const expires = new Date(this.now() + maxAge);
    const cookie = { originalMaxAge: maxAge, maxAge, expires, httpOnly: true, path: "/" } as const;
    return { cookie, kocha: encodeRecord(stored) };
  }
}

/** What the store calls back with; some of them throw or reject instead. */
function called<T>(call: (done: StoreCallback<T>) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const done: StoreCallback<T> = (error, value) => {
      if (error === undefined || error === null || error === false) resolve(value);
      else if (error instanceof Error) reject(error);
      else reject(new Error("the wrapped store failed", { cause: error }));
    };
    const answer: unknown = call(done);
    if (answer instanceof Promise) answer.catch(done);
  });
}

/** A missing file is how file stores say that there is no session. */
function ignoreMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === "ENOENT") return undefined;
  throw error;
}
