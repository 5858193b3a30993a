// The bag of an application's values, `req.session`, with express-session's methods. Only data is enumerable.
// Its methods are carried out by the request's visit; on a request without one, such as that of
// `store.load`, by the store.
import { UsageError } from "../../errors.ts";
import { called } from "../../stores/express/calls.ts";
import type { Cookie } from "./cookie.ts";

/** A callback as express-session's methods take it. */
export type Done = (error?: unknown) => void;

/** Carries out the methods of a request's sessions. */
export interface Visitable {
  /** Begins an empty session in the place of the request's own. */
  generate(): void;
  save(session: Session): Promise<void>;
  reload(session: Session): Promise<void>;
  regenerate(): Promise<void>;
  destroy(session: Session): Promise<void>;
}

/** The store of a request without a visit. */
interface PlainStore {
  set(sid: string, session: Session, done: Done): unknown;
  get(sid: string, done: (error?: unknown, session?: unknown) => void): unknown;
  destroy(sid: string, done: Done): unknown;
  regenerate(request: object, done: Done): unknown;
  createSession(request: object, session: unknown): unknown;
  generate?(request: object): void;
}

/** The part of a request that a session needs. */
export interface SessionHolder {
  session?: unknown;
  sessionID?: unknown;
  sessionStore?: unknown;
}

/** The property of a request that holds its visit. */
export const visit: unique symbol = Symbol("kocha-session.express-session");

/** A client's values, each of them JSON. */
export class Session {
  /** The session's id, as the cookie holds it. */
  declare readonly id: string;
  /** The request. */
  declare readonly req: object;
  declare cookie: Cookie;
  [property: string]: unknown;

  /** @param data - values to begin with; those under the names of methods are left out. */
  constructor(request: object, data?: object | null) {
    const { sessionID } = request as SessionHolder;
    Object.defineProperty(this, "req", { value: request, configurable: true });
    Object.defineProperty(this, "id", { value: sessionID, configurable: true });
    for (const [name, value] of Object.entries(data ?? {})) {
      if (!(name in this)) this[name] = value;
    }
  }

  /** Begins the cookie's lifetime anew. */
  touch(): this {
    return this.resetMaxAge();
  }

  /** Sets the cookie's `maxAge` to its `originalMaxAge`. */
  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge;
    return this;
  }

  /** Saves what has changed. */
  save(done: Done): this;
  save(): Promise<void>;
  save(done?: Done): this | Promise<void> {
    return answer(this, visitOf(this.req).save(this), done);
  }

  /** Puts the session, as it is stored now, in the place of this one. */
  reload(done: Done): this;
  reload(): Promise<void>;
  reload(done?: Done): this | Promise<void> {
    return answer(this, visitOf(this.req).reload(this), done);
  }

  /** Ends the session, and begins an empty one under a new id. */
  regenerate(done: Done): this;
  regenerate(): Promise<void>;
  regenerate(done?: Done): this | Promise<void> {
    return answer(this, visitOf(this.req).regenerate(), done);
  }

  /** Ends the session. The request has none from the call on. */
  destroy(done: Done): this;
  destroy(): Promise<void>;
  destroy(done?: Done): this | Promise<void> {
    return answer(this, visitOf(this.req).destroy(this), done);
  }
}

/** The visit of a request; undefined: it has none. */
export function visitIn(request: object): Visitable | undefined {
  return (request as { [visit]?: Visitable })[visit];
}

function visitOf(request: object): Visitable {
  return visitIn(request) ?? new StoreVisit(request);
}

/**
 * The session itself for a caller with a callback, otherwise the promise. A rejection that nobody waits
 * for is none: observers are told of it.
 */
function answer(session: Session, work: Promise<void>, done: Done | undefined): never {
  // `destroy(res.redirect("/"))` is a slip that is seen: what is no function is no callback.
  const callback = typeof done === "function" ? done : undefined;
  const tell = (error?: unknown): void => queueMicrotask(() => callback?.(error));
  work.then(() => tell(), tell);
  return (callback === undefined ? work : session) as never;
}

/** Whole sessions in a store, for requests that aren't ours. */
class StoreVisit implements Visitable {
  readonly #request: SessionHolder;

  constructor(request: SessionHolder) {
    this.#request = request;
  }

  get #store(): PlainStore {
    const { sessionStore } = this.#request;
    if (typeof sessionStore === "object" && sessionStore !== null)
      return sessionStore as PlainStore;
    const message = "the session's request has no sessionStore, so there is nowhere to keep it";
    throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
  }

  generate(): void {
    this.#store.generate?.(this.#request);
  }

  async save(session: Session): Promise<void> {
    await called((done) => this.#store.set(session.id, session, done));
  }

  async reload(session: Session): Promise<void> {
    const stored = await called((done) => this.#store.get(session.id, done));
    if (!stored) throw missing();
    this.#store.createSession(this.#request, stored);
  }

  async regenerate(): Promise<void> {
    await called((done) => this.#store.regenerate(this.#request, done));
  }

  async destroy(session: Session): Promise<void> {
    delete this.#request.session;
    await called((done) => this.#store.destroy(session.id, done));
  }
}

/** The error of a reload without a stored session. */
export function missing(): UsageError {
  const message = "failed to load session";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}
