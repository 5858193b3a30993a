// Spans of time that all parts agree on, and their limits. Spans that are configured are seconds;
// instants, and what is computed with them, are milliseconds.

/** One second, in the milliseconds that instants are kept in. */
export const SECOND = 1000;
/** How long the credential that a regenerate replaced is a read-only session, in milliseconds: law L4. */
const GRACE: number = 60 * SECOND;
/** How far two clocks may be apart, in milliseconds: docs/security.md assumes no more. */
export const MAX_SKEW: number = 300 * SECOND;
/** A day in seconds, the unit of the configuration. */
export const DAY = 86_400;
/** The longest cookie lifetime that browsers keep, in seconds: RFC 6265bis section 5.5. */
export const MAX_COOKIE_AGE: number = 400 * DAY;
/**
 * The longest absolute timeout that is taken, in seconds: ten years, longer than a browser's profile
 * stays on one device. 30 days as milliseconds are over it.
 */
export const MAX_ABSOLUTE: number = 3650 * DAY;
/** The longest time that may be asked for: 100 years in seconds, so that instants stay exact. */
export const MAX_SECONDS = 3_155_760_000;

/** Why {@link MAX_COOKIE_AGE} is the most, for an error. */
export const COOKIE_AGE_REASON =
  "400 days, as long as browsers keep a cookie (RFC 6265bis section 5.5); -1 is persistent";

/** Says that a span is too long, and asks for the usual mistake. */
export function tooLong(seconds: number, most: number, reason: string): string {
  return `must be at most ${most} seconds, ${reason}; is ${seconds} in milliseconds?`;
}

/**
 * Whether the credential that a regenerate replaced is in its grace. A regenerate that lies further
 * ahead than clocks may be apart was made before this clock was put back: its grace is over.
 * @param since - milliseconds from the regenerate; negative: it is ahead of this clock.
 */
export function isInGrace(since: number): boolean {
  return since < GRACE && since > -MAX_SKEW;
}
