// The meaning of -1, 0 and n in the two expiries, and the decision to renew: pure functions of now. It
// knows no cookie syntax and no store.
import { DAY, MAX_COOKIE_AGE, SECOND } from "../base/time.ts";

/** The value of `cookieExpires` and `sessionExpires` for persistent sessions. */
const PERSISTENT = -1;
/** The idle timeout if neither expiry gives one, in seconds. */
const DEFAULT_IDLE = DAY;
/** The least time between renewals, in milliseconds; half the window if that is less. */
const MIN_RENEWAL = 60 * SECOND;

/** The idle timeout in milliseconds; Infinity: none. */
export function idleTimeoutMs(sessionExpires: number, cookieExpires: number): number {
  const seconds =
    sessionExpires === 0 ? (cookieExpires === 0 ? DEFAULT_IDLE : cookieExpires) : sessionExpires;
  return seconds === PERSISTENT ? Infinity : seconds * SECOND;
}

/** The cookie's Max-Age in seconds; undefined: a browser-session cookie, neither attribute. */
export function cookieMaxAge(cookieExpires: number): number | undefined {
  if (cookieExpires === 0) return undefined;
  return cookieExpires === PERSISTENT ? MAX_COOKIE_AGE : cookieExpires;
}

/** The input of the decision to renew; instants in Unix milliseconds. */
export interface RenewalState {
  /** The last sending of the cookie; 0: not known. */
  readonly issued: number;
  /** When the data dies; -Infinity: it is another library's session, which becomes ours. */
  readonly expires: number;
  /** The absolute end. */
  readonly deadline: number;
  /** The idle timeout in milliseconds. */
  readonly ttl: number;
  /** The cookie's lifetime in seconds; undefined: a browser-session cookie. */
  readonly maxAge: number | undefined;
}

/** `data`: the idle end moves and the cookie is sent; `cookie`: only the cookie is sent again. */
export type Renewal = "none" | "cookie" | "data";

/**
 * Whether a session that was looked at is renewed now (law L5: throttled, and it never shortens).
 * @param renewAfter - the part of the window that must be used up, 0 to 1.
 */
export function renewalDue(session: RenewalState, renewAfter: number, now: number): Renewal {
  if (session.expires === -Infinity) return "data";
  // Browsers drop a cookie at their own cap, however long it was meant to live.
  const cookieWindow =
    session.maxAge === undefined ? Infinity : Math.min(session.maxAge, MAX_COOKIE_AGE) * SECOND;
  const window = Math.min(session.ttl, cookieWindow);
  if (window === Infinity) return "none";
  const threshold = Math.max(renewAfter * window, Math.min(MIN_RENEWAL, window / 2));
  if (session.ttl !== Infinity && session.expires < session.deadline) {
    // An idle end before the deadline tells the last renewal. A renewal may gain less time than has passed:
    // a session in use lives to its deadline.
    return now + session.ttl - session.expires >= threshold ? "data" : "none";
  }
  const cookieDue = session.maxAge !== undefined && now - session.issued >= threshold;
  return cookieDue && session.issued > 0 ? "cookie" : "none";
}
