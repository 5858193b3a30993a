// The options that readers of other libraries' sessions share, and their checks. It knows no format.
import { isCookieName } from "../cookie/attributes.ts";
import { encodeUtf8 } from "#crypto";
import { callback, fail, mustBe, readOptions, seconds, unchecked } from "../base/options.ts";
import { kindOf } from "../base/text.ts";
import type { MapData } from "./reader.ts";

/** What every reader takes. */
export interface ReaderOptions {
  /**
   * When reading ends: by then the sessions that still live are ours. Until then a cookie of the other
   * library that was copied survives a logout.
   */
  readonly until: Date;
  /**
   * The session's entries from the other library's data. Default: its top-level entries, strings as
   * they are and all else as JSON. A session for which it throws is `rejected` as malformed.
   */
  readonly map?: MapData | undefined;
}

/** The same, checked. */
export interface CheckedOptions {
  /** Unix milliseconds. */
  readonly until: number;
  readonly map: MapData | undefined;
}

/**
 * The options that all readers share.
 * @param of - the reader's name, for messages.
 * @param known - the names of its own options, which it checks itself.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function checkOptions(
  of: string,
  options: ReaderOptions,
  known: readonly string[],
): CheckedOptions {
  const own = Object.fromEntries(known.map((name) => [name, unchecked]));
  return readOptions(of, options, { ...own, until: readUntil, map: callback<MapData>() });
}

/** `until`, in Unix milliseconds. */
export function readUntil(until: unknown, field: string): number {
  const end = until instanceof Date ? until.getTime() : Number.NaN;
  if (!Number.isNaN(end)) return end;
  const what =
    "the Date from which on the other library's sessions aren't read, such as the day of the change " +
    "plus their longest lifetime";
  return mustBe(field, what, until instanceof Date ? "an invalid one" : until);
}

/** The cookie's name. */
export function checkName(name: unknown, field: string, fallback?: string): string {
  const value = name === undefined ? fallback : name;
  if (typeof value === "string" && isCookieName(value)) return value;
  const found = typeof value === "string" ? "a name that no cookie can have" : kindOf(value);
  return fail(
    field,
    `must be the name of the other library's cookie, not ${found}`,
    "ERR_SESSION_CONFIG_COOKIE",
  );
}

/**
 * Secrets as bytes: one, or a list of those that are accepted.
 * @param least - how many characters the other library asks for.
 */
export function checkSecrets(given: unknown, field: string, least = 1): readonly Uint8Array[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0) fail(field, "must hold at least one secret", "ERR_SESSION_CONFIG_KEY");
  return list.map((secret, index) =>
    checkSecret(secret, Array.isArray(given) ? `${field}[${index}]` : field, least),
  );
}

/** One secret as bytes: a string as UTF-8, or bytes. */
export function checkSecret(secret: unknown, field: string, least = 1): Uint8Array {
  if (typeof secret !== "string" && !(secret instanceof Uint8Array)) {
    const hint = secret === undefined ? ": is its environment variable set?" : "";
    const message = `must be the other library's secret, a string, not ${kindOf(secret)}${hint}`;
    fail(field, message, "ERR_SESSION_CONFIG_KEY");
  }
  if (secret.length < least) {
    const message = `must have at least ${least} characters, as the other library asks for`;
    fail(field, message, "ERR_SESSION_CONFIG_KEY");
  }
  return typeof secret === "string" ? encodeUtf8(secret.toWellFormed()) : new Uint8Array(secret);
}

/** A number of seconds over 0. */
export function checkSeconds(value: unknown, field: string, fallback: number): number {
  return seconds(fallback)(value, field);
}
