// The fields of a configuration, read one by one and checked: each error names its field and says
// what it takes. It knows no default, and of a field's meaning only how long is too long.
import { ConfigError } from "../errors.ts";
import type { SessionConfig } from "./config.ts";
import { MAX_ABSOLUTE, MAX_COOKIE_AGE, overCookieAge } from "../base/time.ts";
import { kindOf } from "../base/text.ts";

type Field = keyof SessionConfig;

/** Larger counts of keys or bytes are a mistake. */
const MAX_COUNT = 2 ** 32;

/** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD */
export function fail(field: string, message: string): never {
  throw new ConfigError("ERR_SESSION_CONFIG_FIELD", field, message);
}

/** A field's value; null is a value like any other, and a wrong one. */
function given(config: SessionConfig, field: Field, fallback: unknown): unknown {
  const value: unknown = config[field];
  return value === undefined ? fallback : value;
}

/** A string. */
export function text(config: SessionConfig, field: Field, fallback: string): string {
  const value = given(config, field, fallback);
  if (typeof value !== "string") fail(field, `must be a string, not ${kindOf(value)}`);
  return value;
}

/** true or false. */
export function flag(config: SessionConfig, field: Field, fallback: boolean): boolean {
  const value = given(config, field, fallback);
  if (typeof value !== "boolean") fail(field, `must be true or false, not ${kindOf(value)}`);
  return value;
}

/** One of a few strings. */
export function oneOf<const Choice extends string>(
  config: SessionConfig,
  field: Field,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const value = given(config, field, fallback);
  const choice = choices.find((known) => known === value);
  if (choice === undefined) fail(field, `must be one of "${choices.join('", "')}"`);
  return choice;
}

function number(config: SessionConfig, field: Field, fallback: number): number {
  const value = given(config, field, fallback);
  if (typeof value !== "number" || Number.isNaN(value)) {
    fail(field, `must be a number, not ${Number.isNaN(value) ? "NaN" : kindOf(value)}`);
  }
  return value;
}

/** `cookieExpires`: whole seconds, -1 or 0. */
export function cookieSeconds(config: SessionConfig, fallback: number): number {
  const value = seconds(config, "cookieExpires", fallback);
  if (value > MAX_COOKIE_AGE) fail("cookieExpires", overCookieAge(value));
  return value;
}

/** `sessionExpires`: whole seconds, -1 or 0. */
export function idleSeconds(config: SessionConfig, fallback: number): number {
  const value = seconds(config, "sessionExpires", fallback);
  const why = "400 days, after which no browser has the cookie; -1 is no idle timeout";
  return atMost("sessionExpires", value, MAX_COOKIE_AGE, why);
}

/** `absoluteExpires`: whole seconds from 1; Infinity where it is left out. */
export function absoluteSeconds(config: SessionConfig): number {
  if (config.absoluteExpires === undefined) return Infinity;
  const value = count(config, "absoluteExpires", 1, Infinity);
  return atMost("absoluteExpires", value, MAX_ABSOLUTE, "ten years; leave it out for none");
}

function seconds(config: SessionConfig, field: Field, fallback: number): number {
  const value = number(config, field, fallback);
  if (!Number.isInteger(value) || value < -1) {
    fail(field, "must be a whole number of seconds, or -1 for persistent, or 0 for not specified");
  }
  return value;
}

/** Most times that are too long are milliseconds by mistake, and the error asks. */
function atMost(field: Field, value: number, most: number, why: string): number {
  if (value <= most) return value;
  return fail(field, `must be at most ${most} seconds, ${why}; is ${value} in milliseconds?`);
}

/** A whole number from 1 to `most`. */
export function count(
  config: SessionConfig,
  field: Field,
  fallback: number,
  most: number = MAX_COUNT,
): number {
  const value = number(config, field, fallback);
  if (!Number.isSafeInteger(value) || value < 1) {
    fail(field, `must be a whole number of at least 1, not ${value}`);
  }
  if (value > most) fail(field, `must be at most ${most}, not ${value}`);
  return value;
}

/** A number from 0 to 1. */
export function fraction(config: SessionConfig, field: Field, fallback: number): number {
  const value = number(config, field, fallback);
  if (value < 0 || value > 1)
    fail(field, `must be a part of the idle window, 0 to 1, and no time, not ${value}`);
  return value;
}

/** `storeTimeout`: seconds over 0; no client waits longer than a minute. */
export function timeoutSeconds(config: SessionConfig, fallback: number): number {
  const field = "storeTimeout";
  const value = number(config, field, fallback);
  if (!(value > 0)) fail(field, `must be seconds, over 0, not ${value}`);
  return atMost(field, value, 60, "a minute, since no client waits longer");
}
