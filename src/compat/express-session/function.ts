// The function that applications call, with express-session's classes as its properties.
import { Cookie } from "./cookie.ts";
import { DropIn } from "./drop-in.ts";
import { MemoryStore } from "./memory-store.ts";
import { middlewareOf, type SessionHandler } from "./middleware.ts";
import { checkSessionOptions, type SessionOptions } from "./options.ts";
import { Session } from "./session.ts";
import { Store } from "./store.ts";

/** express-session's function, with its classes. */
export interface ExpressSession {
  /**
   * Sessions for Express and Connect: `app.use(session({ secret, … }))`, with express-session's options,
   * cookies and stores.
   * @throws {ConfigError} with the option's name and the way out.
   */
  (options?: SessionOptions): SessionHandler;
  readonly Store: typeof Store;
  readonly Cookie: typeof Cookie;
  readonly Session: typeof Session;
  readonly MemoryStore: typeof MemoryStore;
}

/** The middleware of a configuration. */
export const session: ExpressSession = Object.assign(
  (options: SessionOptions = {}) => middlewareOf(new DropIn(checkSessionOptions(options))),
  { Store, Cookie, Session, MemoryStore },
);
