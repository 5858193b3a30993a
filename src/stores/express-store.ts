// A store for express-session as a store of ours: it keeps sessions in its own shape, with our row
// inside. Such stores read and write whole sessions, so they aren't atomic between processes; within
// one, saves take turns.
import { warnOfRaces } from "../store/races.ts";
import { decodeRecord, encodeRecord } from "../store/record.ts";
import type { SessionStore, StoredSession } from "../store/contract.ts";
import { clock, flag, readOptions } from "../base/options.ts";
import { WholeValueStore } from "../store/whole-value-store.ts";
import { called, type ExpressSessionStore, expressStore, ignoreMissing } from "./express/calls.ts";

export type { ExpressSessionStore };

/** One of our sessions as such a store keeps it. */
export interface ExpressStoredSession {
  /** The session's end for such stores: some read `expires`, some `maxAge`. */
  readonly cookie: {
    readonly originalMaxAge: number;
    readonly maxAge: number;
    readonly expires: Date;
    readonly httpOnly: true;
    readonly path: "/";
  };
  /** Our row as one text, so that a user's keys never become properties of their session. */
  readonly kocha: string;
}

/** Options of a wrapped store. */
export interface ExpressStoreOptions {
  /** True: concurrent requests may overwrite each other, and no process warning says so. Default false. */
  readonly acceptRaces?: boolean | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** How long the store keeps a row past its end, in milliseconds; the end inside decides. */
const KEPT_LONGER = 60_000;
/** The lifetime of a session without an end, about ten years: without one, such stores assume a day. */
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
  const checked = expressStore(store, "store");
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
