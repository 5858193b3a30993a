// What -1, 0 and n mean for the two expiries, and when a session is renewed: pure functions of
// now. It knows no cookie syntax and no store.

/** One second, in the milliseconds that instants are kept in. */
export const SECOND = 1000;
/** How long the credential that a regenerate replaced is a read-only session, in milliseconds: law L4. */
const GRACE: number = 60 * SECOND;
/** How far two clocks may be apart, in milliseconds: docs/security.md assumes no more. */
export const MAX_SKEW: number = 300 * SECOND;
/** A day in seconds, the unit of the configuration. */
export const DAY = 86_400;
/** What `cookieExpires` and `sessionExpires` call persistent. */
const PERSISTENT = -1;
/** The longest cookie lifetime that browsers keep, in seconds: RFC 6265bis section 5.5. */
export const MAX_COOKIE_AGE: number = 400 * DAY;
/**
 * The longest absolute timeout that is taken, in seconds: ten years, longer than a browser's profile
 * stays on one device. 30 days as milliseconds are over it.
 */
export const MAX_ABSOLUTE: number = 3650 * DAY;
/** The idle timeout when neither expiry says anything, in seconds. */
const DEFAULT_IDLE = DAY;
/** The longest time that may be asked for: 100 years in seconds, so that instants stay exact. */
export const MAX_SECONDS = 3_155_760_000;
/** A renewal waits for at least this many milliseconds, or half the window if that is less. */
const MIN_RENEWAL = 60 * SECOND;

/** What an error says of a `cookieExpires` over {@link MAX_COOKIE_AGE}. */
export function overCookieAge(seconds: number): string {
  return (
    `must be at most ${MAX_COOKIE_AGE} seconds, the 400 days that browsers keep a cookie ` +
    `(RFC 6265bis section 5.5); -1 is persistent; is ${seconds} milliseconds?`
  );
}

/**
 * Whether the credential that a regenerate replaced is in its grace. A regenerate that lies further
 * ahead than clocks may be apart was made before this clock was put back: its grace is over.
 * @param since - milliseconds from the regenerate; negative: it is ahead of this clock.
 */
export function isInGrace(since: number): boolean {
  return since < GRACE && since > -MAX_SKEW;
}

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

/** What the decision to renew looks at; instants in Unix milliseconds. */
export interface RenewalState {
  /** When the cookie was sent last; 0: not known. */
  readonly issued: number;
  /** When the data dies. */
  readonly expires: number;
  /** The absolute end. */
  readonly deadline: number;
  /** The idle timeout in milliseconds. */
  readonly ttl: number;
  /** The cookie's lifetime in seconds; undefined: a browser-session cookie. */
  readonly maxAge: number | undefined;
}

/** `data`: the idle end moves and the cookie is sent; `cookie`: only the cookie is sent anew. */
export type Renewal = "none" | "cookie" | "data";

/**
 * Whether a touched session is renewed now (law L5: throttled, and it never shortens).
 * @param renewAfter - the part of the window that must be used up, 0 to 1.
 */
export function renewalDue(session: RenewalState, renewAfter: number, now: number): Renewal {
  // Browsers drop a cookie at their own cap, however long it was meant to live.
  const cookieWindow =
    session.maxAge === undefined ? Infinity : Math.min(session.maxAge, MAX_COOKIE_AGE) * SECOND;
  const window = Math.min(session.ttl, cookieWindow);
  if (window === Infinity) return "none";
  const threshold = Math.max(renewAfter * window, Math.min(MIN_RENEWAL, window / 2));
  if (session.ttl !== Infinity && session.expires < session.deadline) {
    // Below its deadline a session says by its idle end when it was renewed. What is gained may be
    // less than was used up: a session in use lives to its deadline.
    return now + session.ttl - session.expires >= threshold ? "data" : "none";
  }
  const cookieDue = session.maxAge !== undefined && now - session.issued >= threshold;
  return cookieDue && session.issued > 0 ? "cookie" : "none";
}
