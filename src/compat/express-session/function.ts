// The function that applications call, with express-session's classes as its properties.
import type * as cookies from "./cookie-options.ts";
import { Cookie } from "./cookie.ts";
import { DropIn } from "./drop-in.ts";
import { MemoryStore } from "./memory-store.ts";
import { middlewareOf, type SessionHandler } from "./middleware.ts";
import type * as options from "./options.ts";
import { checkSessionOptions } from "./options.ts";
import { Session } from "./session.ts";
import type * as stores from "./store.ts";
import { Store } from "./store.ts";

/** express-session's function, with its classes. */
export interface ExpressSession {
  /**
   * Sessions for Express and Connect: `app.use(session({ secret, … }))`, with express-session's options,
   * cookies and stores.
   * @throws {ConfigError} with the option's name and the way out.
   */
  (options?: session.SessionOptions): SessionHandler;
  readonly Store: typeof Store;
  readonly Cookie: typeof Cookie;
  readonly Session: typeof Session;
  readonly MemoryStore: typeof MemoryStore;
}

/** The middleware of a configuration. */
export const session: ExpressSession = Object.assign(
  (given: session.SessionOptions = {}) => middlewareOf(new DropIn(checkSessionOptions(given))),
  { Store, Cookie, Session, MemoryStore },
);

/** The types by express-session's names of them, such as `session.SessionOptions`. */
export declare namespace session {
  export type Cookie = InstanceType<ExpressSession["Cookie"]>;
  export type CookieData = cookies.CookieData;
  export type CookieOptions = cookies.CookieOptions;
  export type MemoryStore = InstanceType<ExpressSession["MemoryStore"]>;
  export type Session = InstanceType<ExpressSession["Session"]>;
  export type SessionData = stores.SessionData;
  export type SessionOptions = options.SessionOptions;
  export type Store = InstanceType<ExpressSession["Store"]>;
}
