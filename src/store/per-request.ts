// Server-side stores that live as long as one request. On Workers a connection belongs to the request
// that opened it, so a client over TCP can't be made once for all.
import { hasMethods, mustBe } from "../base/options.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "./contract.ts";
import type { Awaitable } from "../base/awaitable.ts";

// A method's parameter may be narrower than `unknown`: the function says what it expects.
/**
 * Makes the store of one request, at once and not as a promise.
 * @param env - what the host calls the request's environment (`env` on Workers); undefined where the
 * host has none.
 */
export type SessionStoreFunction = { make(env: unknown): SessionStore }["make"];

/**
 * A server-side store that is made anew for each request, when the request first needs it:
 * `perRequest((env: Env) => new SessionPostgresStore({ client: postgres(env.POSTGRES_URL) }))`.
 *
 * What the function throws goes the host's error path as it is. Outside of a request, each call makes
 * a store of its own, without an environment.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is given no function; at a request, when the
 * function gives no server-side store.
 */
export function perRequest(make: SessionStoreFunction): SessionStore {
  if (typeof make !== "function") {
    mustBe("perRequest", "a function that gives a store", make, "ERR_SESSION_CONFIG_STORE");
  }
  return new PerRequestStore(make);
}

class PerRequestStore implements SessionStore {
  readonly #make: SessionStoreFunction;
  /** Milliseconds; undefined: no engine has said. */
  #patience: number | undefined;

  constructor(make: SessionStoreFunction) {
    this.#make = make;
  }

  forRequest(env: unknown): SessionStore {
    const make = this.#make;
    const store = checkMade(make(env));
    if (this.#patience !== undefined) store.answerWithin?.(this.#patience);
    return store;
  }

  answerWithin(ms: number): void {
    this.#patience = Math.max(ms, this.#patience ?? 0);
  }

  load(selector: string): Awaitable<StoredSession | undefined> {
    return this.forRequest(undefined).load(selector);
  }

  save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    return this.forRequest(undefined).save(selector, change);
  }
}

function checkMade(made: unknown): SessionStore {
  if (hasMethods(made, "load", "save")) return made as SessionStore;
  const what = "a server-side store, given at once by the function of perRequest";
  return mustBe("store", what, made, "ERR_SESSION_CONFIG_STORE");
}
