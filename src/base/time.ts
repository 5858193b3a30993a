// Common spans of time and their limits. Configured spans are in seconds; instants and everything
// computed with them are in milliseconds.

/** One second in milliseconds. */
export const SECOND = 1000;
/** The grace of a replaced credential, which opens a read-only session, in milliseconds: law L4. */
const GRACE: number = 60 * SECOND;
/** The largest difference of two clocks, in milliseconds, as docs/security.md assumes. */
export const MAX_SKEW: number = 300 * SECOND;
/** A day in seconds, the unit of the configuration. */
export const DAY = 86_400;
/** The longest cookie lifetime that browsers keep, in seconds: RFC 6265bis section 5.5. */
export const MAX_COOKIE_AGE: number = 400 * DAY;
/**
 * The longest absolute timeout, in seconds: ten years, longer than a browser's profile stays on one
 * device. 30 days in milliseconds are over it.
 */
export const MAX_ABSOLUTE: number = 3650 * DAY;
/** The longest span of an option: 100 years in seconds, so that instants stay exact. */
export const MAX_SECONDS = 3_155_760_000;

/** The reason for {@link MAX_COOKIE_AGE}, for errors. */
export const COOKIE_AGE_REASON =
  "400 days, as long as browsers keep a cookie (RFC 6265bis section 5.5); -1 is persistent";

/** The message for a span that is too long, which asks about the usual mistake. */
export function tooLong(seconds: number, most: number, reason: string): string {
  return `must be at most ${most} seconds, ${reason}; is ${seconds} in milliseconds?`;
}

/**
 * True for a replaced credential in its grace. A regenerate further ahead than clocks may differ was made
 * before this clock was put back: its grace is over.
 * @param since - milliseconds from the regenerate; negative: it is ahead of this clock.
 */
export function isInGrace(since: number): boolean {
  return since < GRACE && since > -MAX_SKEW;
}
