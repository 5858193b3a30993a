// A session's own choice of its cookie's lifetime, and of an idle timeout shorter than the
// configuration's. Pure: it knows the configuration's two numbers, no store and no request.
import { UsageError } from "../errors.ts";
import { idleTimeoutMs } from "./expiry.ts";
import { COOKIE_AGE_REASON, MAX_COOKIE_AGE, SECOND, tooLong } from "../base/time.ts";
import { kindOf } from "../base/text.ts";

/** A session's own times, in seconds; absent: the configuration's. */
export interface Lifetime {
  /** As the configuration's. */
  readonly cookieExpires?: number | undefined;
  /** Over 0. */
  readonly sessionExpires?: number | undefined;
}

/** The configuration's times. */
export type ConfiguredLifetime = Required<{ readonly [Field in keyof Lifetime]: number }>;

/** The lifetime of a session without a choice of its own. */
export const noLifetime: Lifetime = {};

/** True for equal lifetimes. */
export function isSameLifetime(one: Lifetime, other: Lifetime): boolean {
  return one.cookieExpires === other.cookieExpires && one.sessionExpires === other.sessionExpires;
}

/** The effective idle timeout of a session, in milliseconds; Infinity: none. */
export function idleOf(own: Lifetime, configured: ConfiguredLifetime): number {
  const longest = longestIdle(own, configured);
  return own.sessionExpires === undefined
    ? longest
    : // The configuration may have been lowered since.
      Math.min(own.sessionExpires * SECOND, longest);
}

/**
 * The longest idle timeout of a session, in milliseconds: the configuration's, which may follow the
 * lifetime of the session's cookie; Infinity: none.
 */
export function longestIdle(
  own: Lifetime,
  { sessionExpires, cookieExpires }: ConfiguredLifetime,
): number {
  return idleTimeoutMs(sessionExpires, own.cookieExpires ?? cookieExpires);
}

/**
 * The same with another cookie lifetime.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE
 */
export function withCookieExpires(own: Lifetime, seconds: number): Lifetime {
  assertSeconds("cookieExpires", seconds);
  if (seconds > MAX_COOKIE_AGE) {
    const message = `cookieExpires ${tooLong(seconds, MAX_COOKIE_AGE, COOKIE_AGE_REASON)}`;
    throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
  }
  return { cookieExpires: seconds, sessionExpires: own.sessionExpires };
}

/**
 * The same with an idle timeout of its own; 0 or the configuration's value removes it.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE, or ERR_SESSION_USAGE_LIFETIME when it is longer than
 * the configuration's, since revocations rely on that.
 */
export function withSessionExpires(
  own: Lifetime,
  seconds: number,
  configured: ConfiguredLifetime,
): Lifetime {
  assertSeconds("sessionExpires", seconds);
  const { cookieExpires } = own;
  if (seconds === 0 || seconds === configured.sessionExpires) return { cookieExpires };
  const longest = longestIdle(own, configured);
  const asked = seconds === -1 ? Infinity : seconds * SECOND;
  if (asked <= longest) {
    return asked === Infinity ? { cookieExpires } : { cookieExpires, sessionExpires: seconds };
  }
  const doubt = seconds > MAX_COOKIE_AGE ? " (milliseconds?)" : "";
  throw new UsageError(
    "ERR_SESSION_USAGE_LIFETIME",
    `a session's own sessionExpires can be at most the configuration's, ${longest / SECOND} seconds ` +
      `here, not ${seconds}${doubt}: raise sessionExpires in the configuration, which revocations ` +
      "count on, and give the sessions that should end earlier a shorter one",
  );
}

function assertSeconds(field: keyof Lifetime, seconds: unknown): asserts seconds is number {
  if (Number.isInteger(seconds) && (seconds as number) >= -1) return;
  throw new UsageError(
    "ERR_SESSION_USAGE_TYPE",
    `${field} must be a whole number of seconds, -1 or 0, ` +
      `not ${typeof seconds === "number" ? seconds : kindOf(seconds)}`,
  );
}
