// Checks on the strings of a session: their kind, and their length in bytes.
import { type KeySize, UsageError } from "../errors.ts";

/** The most bytes of UTF-8 that one UTF-16 code unit can become. */
export const MAX_BYTES_PER_UNIT = 3;

/** Bytes of `text` in UTF-8; `text` is well-formed. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair is one unit and makes two of the pair's four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/**
 * Throws unless `value` is a well-formed string.
 * @param what - its name in the message: "key", "value", "subject".
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE or ERR_SESSION_USAGE_MALFORMED
 */
export function assertText(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") {
    throw new UsageError(
      "ERR_SESSION_USAGE_TYPE",
      `the ${what} must be a string, not ${kindOf(value)}; ` +
        "a session is a string map: serialize it first, with JSON.stringify or a session key",
    );
  }
  if (!value.isWellFormed()) {
    throw new UsageError(
      "ERR_SESSION_USAGE_MALFORMED",
      `the ${what} must be a well-formed string, but it holds a lone surrogate, which UTF-8 ` +
        "can't carry; repair it with toWellFormed(), or encode binary data as base64",
    );
  }
}

/** The kind of a value in words, for messages that must not show the value. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Promise) return "a promise (await it)";
  const type = typeof value;
  return type === "object" ? "an object" : `a ${type}`;
}

/** The name of an object's class; undefined: it has none, as a literal or a module's exports. */
export function classOf(value: object): string | undefined {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor !== Object ? constructor.name : undefined;
}

/** UTF-16 units of all keys and values. */
export function countUnits(data: ReadonlyMap<string, string>): number {
  let units = 0;
  for (const [key, value] of data) units += key.length + value.length;
  return units;
}

/** How many keys a LimitError names. */
const LARGEST_KEYS = 3;

/** The largest entries, at most three, largest first. */
export function findLargestKeys(data: ReadonlyMap<string, string>): KeySize[] {
  return Array.from(data, ([key, value]) => ({ key, bytes: utf8Length(key) + utf8Length(value) }))
    .toSorted((one, other) => other.bytes - one.bytes)
    .slice(0, LARGEST_KEYS);
}
