// The base of stores that are written for express-session: what such a store has besides `get`, `set` and
// `destroy`.
import { EventEmitter } from "node:events";
import type { CookieData } from "./cookie-options.ts";
import { Cookie } from "./cookie.ts";
import { type Done, Session, type SessionHolder } from "./session.ts";

/** A session as a store gives it: JSON values, among them its cookie. */
export interface SessionData {
  cookie: Partial<CookieData>;
  [property: string]: unknown;
}

/** A callback that gets a session; null or undefined: there is none. */
export type GotSession = (error?: unknown, session?: SessionData | null) => void;

/** A store for express-session. It emits `disconnect` when it can't be reached, and `connect` when it can again. */
abstract class BaseStore extends EventEmitter {
  abstract get(sid: string, done: GotSession): void;
  abstract set(sid: string, session: SessionData, done?: Done): void;
  abstract destroy(sid: string, done?: Done): void;

  /** Begins a new session of the request; the middleware gives it to its store. */
  generate?: (request: object) => void;

  /** Ends the request's session, and begins a new one. */
  regenerate(request: SessionHolder, done: Done): void {
    this.destroy(request.sessionID as string, (error) => {
      this.generate?.(request);
      done(error);
    });
  }

  /** Gives the session of a sid with its methods. */
  load(sid: string, done: (error?: unknown, session?: Session) => void): void {
    this.get(sid, (error, data) => {
      if (error || !data) done(error);
      else done(undefined, this.createSession({ sessionID: sid, sessionStore: this }, data));
    });
  }

  /** Makes a session of what `get` gave, and puts it on the request. */
  createSession(request: SessionHolder, data: SessionData): Session {
    const session = new Session(request, { ...data, cookie: cookieOf(data.cookie) });
    request.session = session;
    return session;
  }
}

/**
 * A cookie object of what a row keeps of one.
 * @param end - its end, if that is known better than from the row.
 */
export function cookieOf(data: Partial<CookieData> | null | undefined, end?: Date): Cookie {
  const cookie = new Cookie(data);
  const { expires } = cookie;
  if (end !== undefined) cookie.expires = end;
  else if (typeof expires === "string") cookie.expires = new Date(expires);
  // To set the end has set the time that is left.
  const { originalMaxAge = null } = data ?? {};
  cookie.originalMaxAge = originalMaxAge;
  return cookie;
}

/**
 * A class that older stores may call as a function on themselves, too: `Store.call(this)`.
 * @param begin - what the constructor does.
 */
export function callable<Class extends abstract new (...args: never[]) => object>(
  constructor: Class,
  begin: (self: InstanceType<Class>) => void,
): Class {
  return new Proxy(constructor, { apply: (_, self: InstanceType<Class>) => begin(self) });
}

/** A store for express-session, to extend. */
export const Store: typeof BaseStore = callable(BaseStore, (self) => EventEmitter.call(self));
export type Store = BaseStore;
