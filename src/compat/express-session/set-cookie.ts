// A Set-Cookie value of express-session's attributes, in the order in which express-session writes them.
// RFC 6265bis section 4.1 is the grammar; the value is percent-encoded.
import { isCookieName } from "../../cookie/attributes.ts";
import { UsageError } from "../../errors.ts";
import { kindOf } from "../../base/text.ts";
import type { CookieData } from "./cookie-options.ts";

/** Has no control character and no semicolon. */
const PATH = /^[\x20-\x3a\x3c-\x7e]*$/;
/** A host name, perhaps with the leading dot of older specifications. */
const DOMAIN = /^\.?[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/;

const PRIORITIES = ["low", "medium", "high"] as const;
const SITES = ["lax", "strict", "none"] as const;

/**
 * The Set-Cookie value.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE for a name or an attribute that no cookie can have.
 */
export function setCookieText(name: string, value: string, data: CookieData): string {
  if (!isCookieName(name)) throw wrong("name", "a cookie's name", name);
  const { domain, path, expires, httpOnly, secure, partitioned, priority, sameSite } = data;
  return [
    `${name}=${encodeURIComponent(value)}`,
    domain ? `Domain=${matching(DOMAIN, "cookie.domain", "a host name", domain)}` : "",
    path ? `Path=${matching(PATH, "cookie.path", "a path without a semicolon", path)}` : "",
    expires ? `Expires=${toDate(expires)}` : "",
    httpOnly ? "HttpOnly" : "",
    secure ? "Secure" : "",
    partitioned ? "Partitioned" : "",
    priority ? `Priority=${oneOf(PRIORITIES, "cookie.priority", priority)}` : "",
    sameSite ? `SameSite=${toSite(sameSite)}` : "",
  ]
    .filter((part) => part !== "")
    .join("; ");
}

/** IMF-fixdate, RFC 9110 section 5.6.7. */
function toDate(expires: unknown): string {
  if (expires instanceof Date && !Number.isNaN(expires.getTime())) return expires.toUTCString();
  const message = `option expires is invalid: cookie.expires must be a valid Date, null or false`;
  throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
}

function toSite(sameSite: unknown): string {
  return sameSite === true ? "Strict" : oneOf(SITES, "cookie.sameSite", sameSite);
}

/** One of a few words, in any case, with a capital. */
function oneOf(words: readonly string[], field: string, value: unknown): string {
  const word = typeof value === "string" ? value.toLowerCase() : "";
  if (!words.includes(word)) throw wrong(field, words.join(", "), value);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function matching(pattern: RegExp, field: string, what: string, value: unknown): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw wrong(field, what, value);
}

function wrong(field: string, what: string, value: unknown): UsageError {
  const found = typeof value === "string" ? "this string" : kindOf(value);
  return new UsageError("ERR_SESSION_USAGE_TYPE", `${field} must be ${what}, not ${found}`);
}
