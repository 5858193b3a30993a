// Reads the cookies of React Router's createCookieSessionStorage (and Remix's): JSON in base64, "." and
// base64 without padding of HMAC-SHA-256 over that text. Nothing inside says when it ends.
import { constantTimeEqual, createHmacSha256, readUtf8 } from "#crypto";
import type { ForeignCookies } from "../cookie/foreign.ts";
import { decodeBase64 } from "../crypto/keyring.ts";
import type { RejectedReason } from "../events.ts";
import { checkName, checkOptions, checkSecrets, type ReaderOptions } from "./options.ts";
import {
  bytesOf,
  createReader,
  decodeValue,
  type ForeignSession,
  parseJson,
  toStrings,
} from "./reader.ts";

export type { ForeignCookies, ReaderOptions };

/** React Router's own options of the session's cookie, under its names. */
export interface ReactRouterOptions extends ReaderOptions {
  /** The cookie's name. Default "__session". */
  readonly name?: string | undefined;
  /** All secrets that signed cookies which still live. */
  readonly secrets: readonly (string | undefined)[];
}

const MAC_BYTES = 32;

/**
 * Reads live cookies of createCookieSessionStorage, for `migrateFrom` of the cookie store. They live
 * until `until`. Two clients with equal sessions have equal cookies, so each session gets a random
 * id. A flash message that wasn't read yet comes as what it is there: an entry `__flash_name__`.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function reactRouterCookies(options: ReactRouterOptions): ForeignCookies {
  const { until, map } = checkOptions("reactRouterCookies", options, ["name", "secrets"]);
  const name = checkName(options.name, "name", "__session");
  const macs = checkSecrets(options.secrets, "secrets").map(createHmacSha256);
  return createReader({
    names: [name],
    until,
    open([cookie]): ForeignSession | RejectedReason {
      const value = decodeValue(cookie?.value ?? "");
      const dot = value.lastIndexOf(".");
      const text = value.slice(0, Math.max(dot, 0));
      const mac = decodeBase64(value.slice(dot + 1));
      if (mac?.length !== MAC_BYTES) return "malformed";
      // ORDER: the signature is checked before anything is read.
      const signed = bytesOf(text);
      if (!macs.some((tag) => constantTimeEqual(tag(signed), mac))) return "forged";
      const json = decodeBase64(text);
      const data = parseJson(json && readUtf8(json, 0, json.length));
      const mapped = toStrings(data, map);
      return mapped === undefined ? "malformed" : { ...mapped, expires: Infinity };
    },
  });
}
