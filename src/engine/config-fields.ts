// The readers of the configuration's fields, with the limit of each.
import { COOKIE_AGE_REASON, MAX_ABSOLUTE, MAX_COOKIE_AGE } from "../base/time.ts";
import { option, type Reader, seconds } from "../base/options.ts";

const SPECIAL = "a whole number of seconds, or -1 for persistent, or 0 for not specified";

function isSpecial(value: number): boolean {
  return Number.isInteger(value) && value >= -1;
}

/** `cookieExpires`: whole seconds, -1 or 0. */
export function cookieSeconds(fallback: number): Reader<number> {
  return seconds(fallback, MAX_COOKIE_AGE, COOKIE_AGE_REASON, SPECIAL, isSpecial);
}

/** `sessionExpires`: whole seconds, -1 or 0. */
export function idleSeconds(fallback: number): Reader<number> {
  const reason = "400 days, after which no browser has the cookie; -1 is no idle timeout";
  return seconds(fallback, MAX_COOKIE_AGE, reason, SPECIAL, isSpecial);
}

/** `absoluteExpires`: whole seconds from 1; Infinity if absent. */
export function absoluteSeconds(): Reader<number> {
  const what = "a whole number of seconds, at least 1";
  const isRight = (value: number): boolean => Number.isInteger(value) && value > 0;
  return seconds(Infinity, MAX_ABSOLUTE, "ten years; leave it out for none", what, isRight);
}

/** `storeTimeout`: no client waits longer than a minute. */
export function timeoutSeconds(fallback: number): Reader<number> {
  return seconds(fallback, 60, "a minute, since no client waits longer");
}

/** `renewAfter`: a number from 0 to 1. */
export function fraction(fallback: number): Reader<number> {
  const isRight = (value: unknown): boolean =>
    typeof value === "number" && value >= 0 && value <= 1;
  return option("a part of the idle window, from 0 to 1, and no time", isRight, fallback);
}
