// The selector of a row: the name that the engine gives it in a server-side store.
import { encodeBase64url, randomBytes } from "#crypto";
import { option, type Reader } from "../base/options.ts";

/** Random bytes of a selector. */
export const SELECTOR_BYTES = 16;

/** A new row's id, 128 random bits: OWASP ASVS 5.0 requirement 7.2.3. */
export function mintSelector(): string {
  return encodeBase64url(randomBytes(SELECTOR_BYTES));
}

/** What the engine hands to a store: base64url. Nothing else stands for anything. */
const selectorPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** Whether a row can be kept under `text`; every selector of the engine's is one of 22 characters. */
export function isSelector(text: string): boolean {
  return selectorPattern.test(text);
}

/** A store's `prefix` of its keys: printable ASCII that no key-value server splits at. */
export function keyPrefix(fallback: string): Reader<string> {
  return option(
    "at most 100 characters of printable ASCII without spaces",
    (value) => typeof value === "string" && /^[!-~]{0,100}$/.test(value),
    fallback,
  );
}
