// The selector of a row: the name that the engine gives it in a server-side store.
import { encodeBase64url, randomBytes } from "#crypto";
import { kindOf } from "../base/text.ts";
import { ConfigError } from "../errors.ts";

/** Random bytes of a selector. */
export const SELECTOR_BYTES = 16;

/** A new row's id, 128 random bits: OWASP ASVS 5.0 requirement 7.2.3. */
export function mintSelector(): string {
  return encodeBase64url(randomBytes(SELECTOR_BYTES));
}

/** What the engine hands to a store: base64url. No other key stands for anything. */
const selectorPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** Whether a row can be kept under `key`; every selector of the engine's is one of 22 characters. */
export function isSelector(key: string): boolean {
  return selectorPattern.test(key);
}

/** The prefix of a store's keys, checked: printable ASCII that no key-value server splits at. */
export function checkPrefix(prefix: unknown): string {
  if (typeof prefix === "string" && /^[!-~]{0,100}$/.test(prefix)) return prefix;
  const found = typeof prefix === "string" ? `${prefix.length} characters` : kindOf(prefix);
  throw new ConfigError(
    "ERR_SESSION_CONFIG_FIELD",
    "prefix",
    `must be at most 100 characters of printable ASCII without spaces, not ${found}`,
  );
}
