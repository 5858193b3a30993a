// Reads the cookies of cookie-session 2: JSON in base64, and beside it name.sig, by keygrip the
// base64url of HMAC-SHA-1 over "name=value". Nothing inside says when it ends.
import { constantTimeEqual, decodeBase64url, hmacSha1, readUtf8 } from "#crypto";
import type { ForeignCookies } from "../cookie/foreign.ts";
import { decodeBase64 } from "../crypto/keyring.ts";
import type { RejectedReason } from "../events.ts";
import { checkName, checkOptions, checkSecrets, type ReaderOptions } from "./options.ts";
import {
  bytesOf,
  createReader,
  type ForeignCookie,
  type ForeignSession,
  parseJson,
  toStrings,
} from "./reader.ts";

export type { ForeignCookies, ReaderOptions };

/** cookie-session's own options, under its names. */
export interface CookieSessionOptions extends ReaderOptions {
  /** The cookie's name. Default "session". */
  readonly name?: string | undefined;
  /** All keys that signed cookies which still live; with a single one its `secret`. */
  readonly keys: readonly (string | undefined)[];
}

const MAC_BYTES = 20;

/**
 * Reads live cookies of cookie-session, for `migrateFrom` of the cookie store. They live until
 * `until`. Two clients with equal sessions have equal cookies, so each session gets a random id.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function cookieSessionCookies(options: CookieSessionOptions): ForeignCookies {
  const { until, map } = checkOptions("cookieSessionCookies", options, ["name", "keys"]);
  const name = checkName(options.name, "name", "session");
  const keys = checkSecrets(options.keys, "keys");
  const sigName = `${name}.sig`;
  return createReader({
    names: [name, sigName],
    until,
    group: (cookies) => pairs(cookies, name, sigName),
    open([cookie, sig]): ForeignSession | RejectedReason {
      const mac = sig && decodeBase64url(sig.value);
      if (cookie === undefined || mac?.length !== MAC_BYTES) return "malformed";
      const signed = bytesOf(`${name}=${cookie.value}`);
      // ORDER: the signature is checked before anything is read.
      if (!keys.some((key) => constantTimeEqual(hmacSha1(key, signed), mac))) return "forged";
      const json = decodeBase64(cookie.value);
      const text = json && readUtf8(json, 0, json.length);
      const mapped = toStrings(parseJson(text), map);
      return mapped === undefined ? "malformed" : { ...mapped, expires: Infinity };
    },
  });
}

/** Each value with each signature; a client can hold several, by path and domain. */
function* pairs(
  cookies: readonly ForeignCookie[],
  name: string,
  sigName: string,
): Iterable<readonly ForeignCookie[]> {
  for (const cookie of cookies) {
    if (cookie.name !== name) continue;
    for (const sig of cookies) if (sig.name === sigName) yield [cookie, sig];
  }
}
