// The cookie store's options and their checks. It knows no key and no cookie.
import type { ForeignCookies } from "./foreign.ts";
import { kindOf } from "../base/text.ts";
import type { CookieKey } from "../crypto/keyring.ts";
import { ConfigError } from "../errors.ts";
import { isMerging, type Merging } from "./merging.ts";
import { MAX_COOKIES } from "./split.ts";

/** The keys of the cookies, and what else a cookie store may do. */
export interface SessionCookieStoreOptions {
  /** Encrypts: 32 random bytes in base64, as `kocha-session keygen` prints them. */
  readonly secretKey?: string | undefined;
  /** Signs: 32 other random bytes in base64. */
  readonly signingKey?: string | undefined;
  /** A key ring instead of the two: the first that seals seals, all open. */
  readonly keys?: readonly CookieKey[] | undefined;
  /** How many cookies of 4096 bytes a session may take, 1 to 4. Default 1. */
  readonly maxCookies?: number | undefined;
  /**
   * `mergingCookies()` of kocha-session/merge: each write gets a cookie of its own, which the next
   * request joins, so that responses that race lose nothing. Default none.
   */
  readonly merge?: Merging | undefined;
  /** Another library's cookies that become ours at their next write. Default none. */
  readonly migrateFrom?: ForeignCookies | undefined;
  /**
   * Bytes of memory, about, for tokens that come again: from a client's third request with one token
   * on, it costs no decryption; 0: none. Default 1048576, 1 MiB.
   */
  readonly verifiedTokensBytes?: number | undefined;
  /** The clock of `load` and `save`, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

const optionNames = [
  "secretKey",
  "signingKey",
  "keys",
  "maxCookies",
  "merge",
  "migrateFrom",
  "verifiedTokensBytes",
  "now",
];

// Each of these throws a ConfigError, ERR_SESSION_CONFIG_FIELD, for what isn't as it says.

/** Whether all options are known. */
export function checkNames(options: unknown): void {
  if (typeof options !== "object" || options === null) {
    fail("options", `must be an object with secretKey and signingKey, not ${kindOf(options)}`);
  }
  for (const field of Object.keys(options)) {
    if (!optionNames.includes(field)) {
      fail(field, `is not an option of the cookie store; known are ${optionNames.join(", ")}`);
    }
  }
}

/** `verifiedTokensBytes`. */
export function checkBytes(value: unknown): number {
  if (typeof value === "number" && value >= 0) return value;
  const found = typeof value === "number" ? String(value) : kindOf(value);
  return fail("verifiedTokensBytes", `must be a number of bytes, or 0, not ${found}`);
}

/** `maxCookies`. */
export function checkMaxCookies(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COOKIES) {
    return value as number;
  }
  return fail("maxCookies", `must be a whole number from 1 to ${MAX_COOKIES}`);
}

/** `merge`, which excludes several cookies. */
export function checkMerge(merge: unknown, maxCookies: number): Merging | undefined {
  if (merge === undefined) return undefined;
  if (!isMerging(merge)) {
    const found = typeof merge === "boolean" ? String(merge) : kindOf(merge);
    return fail("merge", `must be mergingCookies() of kocha-session/merge, not ${found}`);
  }
  if (maxCookies > 1) fail("merge", "and maxCookies can't both be given: a part is whole");
  return merge;
}

/** `migrateFrom`. */
export function checkForeign(foreign: ForeignCookies | undefined): ForeignCookies | undefined {
  if (foreign === undefined) return undefined;
  if (typeof foreign?.name === "string" && typeof foreign.open === "function") return foreign;
  return fail("migrateFrom", "must be what kochaCookies({ … }) gives, of kocha-session/kocha");
}

function fail(field: string, message: string): never {
  throw new ConfigError("ERR_SESSION_CONFIG_FIELD", field, message);
}
