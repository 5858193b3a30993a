// A drop-in for express-session 1.19: `import session from "kocha-session/compat/express-session"`, and
// `require` gives the function itself.
import { Cookie } from "./cookie.ts";
import { DropIn } from "./drop-in.ts";
import { MemoryStore } from "./memory-store.ts";
import { middlewareOf, type SessionHandler } from "./middleware.ts";
import { checkSessionOptions, type SessionOptions } from "./options.ts";
import { Session } from "./session.ts";
import { Store } from "./store.ts";

export type { CookieData, CookieOptions } from "./cookie-options.ts";
export type { SessionHandler, SessionOptions };
export type { SessionData } from "./store.ts";

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

const session: ExpressSession = Object.assign(
  (options: SessionOptions = {}) => middlewareOf(new DropIn(checkSessionOptions(options))),
  { Store, Cookie, Session, MemoryStore },
);

export { Cookie, MemoryStore, session as default, session as "module.exports", Session, Store };
