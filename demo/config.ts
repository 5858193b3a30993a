// The demo's session settings: what `kocha-session init` writes, with short timeouts to look at.
import { randomBytes } from "node:crypto";
import {
  type AnySessionStore,
  DAY,
  memoryRevocations,
  SessionCookieStore,
  type SessionConfig,
  type SessionObservers,
} from "kocha-session";

const freshKey = (): string => randomBytes(32).toString("base64");

/** Seconds until an idle login ends that isn't remembered; short, so that the page can show it. */
export const IDLE_TIMEOUT = 30 * 60;
/** Seconds that a remembered visitor may be away; the longest that any session may. */
export const REMEMBERED = 30 * DAY;
/** Seconds until any session ends. */
export const ABSOLUTE_TIMEOUT = 90 * DAY;

/** The demo's secrets; without them in the environment each start makes its own. */
export function demoKeys(): { readonly secretKey: string; readonly signingKey: string } {
  return {
    secretKey: process.env["SESSION_SECRET_KEY"] ?? freshKey(),
    signingKey: process.env["SESSION_SIGNING_KEY"] ?? freshKey(),
  };
}

/** The settings, by default on the cookie store. */
export function sessionConfig(
  on: SessionObservers = {},
  keys: ReturnType<typeof demoKeys> = demoKeys(),
  store: AnySessionStore = new SessionCookieStore(keys),
): SessionConfig {
  return {
    name: "shop_session",
    store,
    // One process; several of them would follow a log in Redis, PostgreSQL or SQLite.
    ...(store instanceof SessionCookieStore
      ? { revocations: memoryRevocations() }
      : { signingKey: keys.signingKey }),
    cookieExpires: 0,
    sessionExpires: REMEMBERED,
    absoluteExpires: ABSOLUTE_TIMEOUT,
    httpOnly: true,
    // Plain http on this machine, https everywhere else.
    secure: "auto",
    on,
  };
}
