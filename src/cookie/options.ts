// The cookie store's options and their checks. It knows no key and no cookie.
import type { ForeignCookies } from "./foreign.ts";
import { count, fail, flag, hasMethods, option, readOptions, unchecked } from "../base/options.ts";
import type { CookieKey } from "../crypto/keyring.ts";
import { isMerging, type Merging } from "./merging.ts";
import { MAX_COOKIES } from "./split.ts";

/** The secrets and the features of a cookie store. */
export interface SessionCookieStoreOptions {
  /** Encrypts: 32 random bytes in base64, as `kocha-session keygen` prints them. */
  readonly secretKey?: string | undefined;
  /** Signs: 32 other random bytes in base64. */
  readonly signingKey?: string | undefined;
  /** A ring in place of the two: the first pair of secrets that may seal does, all open. */
  readonly keys?: readonly CookieKey[] | undefined;
  /** How many cookies of 4096 bytes a session may take, 1 to 4. Default 1. */
  readonly maxCookies?: number | undefined;
  /**
   * `mergingCookies()` of kocha-session/merge: each write gets a cookie of its own, which the next
   * request joins, so that responses that race lose nothing. Default none.
   */
  readonly merge?: Merging | undefined;
  /**
   * Readers of other libraries' cookies, tried in this order; such a session becomes ours in the
   * first request that looks at it. Default none.
   */
  readonly migrateFrom?: ForeignCookies | readonly ForeignCookies[] | undefined;
  /**
   * True: tokens are remembered, in about 1 MiB of memory, so that from a client's third request with
   * one token on none costs a decryption. Default true.
   */
  readonly rememberTokens?: boolean | undefined;
}

/** The store's options, checked; the keyring checks the secrets. */
export function readCookieStoreOptions(options: SessionCookieStoreOptions): {
  readonly maxCookies: number;
  readonly merge: Merging | undefined;
  readonly migrateFrom: readonly ForeignCookies[];
  readonly rememberTokens: boolean;
} {
  const read = readOptions("SessionCookieStore", options, {
    secretKey: unchecked,
    signingKey: unchecked,
    keys: unchecked,
    maxCookies: count(1, 1, MAX_COOKIES),
    merge: option<Merging, undefined>(
      "mergingCookies() of kocha-session/merge",
      isMerging,
      undefined,
    ),
    migrateFrom: option<ForeignCookies | readonly ForeignCookies[], readonly ForeignCookies[]>(
      "a reader of cookies, such as kochaCookies({ … }), or several",
      (value) => [value].flat().every(isForeign),
      [],
    ),
    rememberTokens: flag(true),
  });
  if (read.merge !== undefined && read.maxCookies > 1) {
    fail("merge", "and maxCookies can't both be given: a part is whole");
  }
  return { ...read, migrateFrom: [read.migrateFrom].flat() };
}

function isForeign(value: unknown): boolean {
  return hasMethods(value, "open") && Array.isArray((value as ForeignCookies).names);
}
