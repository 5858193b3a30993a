// A drop-in for express-session 1.19: `import session from "kocha-session/compat/express-session"`, and
// `require` gives the function itself.
export type { CookieData, CookieOptions } from "./cookie-options.ts";
export { Cookie } from "./cookie.ts";
export {
  type ExpressSession,
  session as default,
  session as "module.exports",
} from "./function.ts";
export { MemoryStore } from "./memory-store.ts";
export type { SessionHandler } from "./middleware.ts";
export type { SessionOptions } from "./options.ts";
export { Session } from "./session.ts";
export { type SessionData, Store } from "./store.ts";
