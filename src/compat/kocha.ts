// Reads and writes the cookies of the Go framework Kocha, bit for bit, and migrates them into our cookie
// store. It knows Kocha's format and secrets, not our token.
//
//   base64url without padding of
//   bytes 0..31   HMAC-SHA-512/256 under the signing key, over all that follows
//   bytes 32..43  nonce
//   …             AES-GCM of the msgpack map under the secret key (16, 24 or 32 bytes), no AAD
//   last 16       GCM tag
import {
  aesGcmOpen,
  aesGcmSeal,
  constantTimeEqual,
  decodeBase64url,
  encodeBase64url,
  hmacSha512t256,
  randomBytes,
} from "#crypto";
import { isCookieName } from "../cookie/attributes.ts";
import type { ForeignCookies } from "../cookie/foreign.ts";
import type { RejectedReason } from "../events.ts";
import { fail, readOptions, text, unchecked } from "../base/options.ts";
import { kindOf } from "../base/text.ts";
import { decodeBase64 } from "../crypto/keyring.ts";
import { type DecodedMap, decodeStringMap, encodeStringMap } from "./msgpack.ts";
import { readUntil } from "./options.ts";
import { createReader, type ForeignSession, idOf } from "./reader.ts";

export type { ForeignCookies };

/** Kocha's two keys, as its `config/app.go` has them: standard base64. */
export interface KochaKeys {
  /** 16, 24 or 32 bytes: AES-128, AES-192 or AES-256. */
  readonly secretKey: string | undefined;
  /** One byte or more. */
  readonly signingKey: string | undefined;
}

const KEY = "ERR_SESSION_CONFIG_KEY";
const MAC_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_KEY_BYTES = [16, 24, 32];
/** Kocha's entry with the end of the data, in decimal Unix seconds. */
const EXPIRES_KEY = "_kocha._sess._expires";
const DECIMAL = /^-?\d{1,15}$/;
const ID_LABEL = "kocha-session/v1/kocha-id";

interface ParsedKeys {
  readonly secret: Uint8Array;
  readonly signing: Uint8Array;
}

/**
 * The session of a Kocha cookie; entries that aren't UTF-8 are left out.
 *
 * It checks neither the expiry inside nor the size. Kocha takes some spellings of base64 that we
 * don't (padding, line breaks, stray bits); a browser sends the one that Kocha wrote.
 * @returns undefined when it doesn't verify or isn't a map of strings. It never throws for `value`.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function openKochaCookie(value: string, keys: KochaKeys): Map<string, string> | undefined {
  const opened = openWith(parseKeys(keys), value);
  return typeof opened === "string" ? undefined : opened.data;
}

/**
 * The cookie that Kocha writes for a map, except for the order of keys, which Go doesn't define.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function sealKochaCookie(map: ReadonlyMap<string, string>, keys: KochaKeys): string {
  const { secret, signing } = parseKeys(keys);
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = aesGcmSeal(secret, nonce, encodeStringMap(map));
  const cookie = new Uint8Array(MAC_BYTES + NONCE_BYTES + sealed.length);
  cookie.set(nonce, MAC_BYTES);
  cookie.set(sealed, MAC_BYTES + NONCE_BYTES);
  cookie.set(hmacSha512t256(signing, cookie.subarray(MAC_BYTES)));
  return encodeBase64url(cookie);
}

/**
 * Reads live Kocha cookies, for `migrateFrom` of the cookie store: they become ours in the first
 * request that looks at them. Kocha's own entry for the expiry becomes the session's idle end.
 * @param options - `until`: when reading ends. Default never, since each Kocha cookie has its end inside.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY, ERR_SESSION_CONFIG_COOKIE for the name, or
 * ERR_SESSION_CONFIG_FIELD.
 */
export function kochaCookies(
  options: KochaKeys & { readonly name: string; readonly until?: Date | undefined },
): ForeignCookies {
  const { name, until } = readOptions("kochaCookies", options, {
    name: text(""),
    secretKey: unchecked,
    signingKey: unchecked,
    until: (value, field) => (value === undefined ? Infinity : readUntil(value, field)),
  });
  if (!isCookieName(name)) {
    const message = "must be the name that the Kocha application's cookie has";
    fail("name", message, "ERR_SESSION_CONFIG_COOKIE");
  }
  const keys = parseKeys(options);
  return createReader({
    names: [name],
    until,
    open: ([cookie], now) => migrate(keys, cookie?.value ?? "", now),
  });
}

function migrate(keys: ParsedKeys, value: string, now: number): ForeignSession | RejectedReason {
  const opened = openWith(keys, value);
  if (typeof opened === "string") return opened;
  const { data, skipped, mac } = opened;
  const expires = data.get(EXPIRES_KEY);
  data.delete(EXPIRES_KEY);
  if (expires === undefined || !DECIMAL.test(expires)) return "malformed";
  const seconds = Number(expires);
  // As in Kocha, the second of the end still counts as live.
  if (seconds < Math.floor(now / 1000)) return "expired";
  return { id: idOf(ID_LABEL, mac), data, skipped, expires: (seconds + 1) * 1000 };
}

function openWith(
  keys: ParsedKeys,
  value: string,
): (DecodedMap & { readonly mac: Uint8Array }) | RejectedReason {
  const cookie = typeof value === "string" ? decodeBase64url(value) : undefined;
  // Kocha itself panics on a signed body that is shorter than a nonce.
  if (cookie === undefined || cookie.length < MAC_BYTES + NONCE_BYTES + TAG_BYTES)
    return "malformed";
  const mac = cookie.subarray(0, MAC_BYTES);
  // ORDER: the MAC is checked before anything is decrypted, as Kocha does.
  if (!constantTimeEqual(mac, hmacSha512t256(keys.signing, cookie.subarray(MAC_BYTES))))
    return "forged";
  const nonce = cookie.subarray(MAC_BYTES, MAC_BYTES + NONCE_BYTES);
  const plain = aesGcmOpen(keys.secret, nonce, cookie.subarray(MAC_BYTES + NONCE_BYTES));
  if (plain === undefined) return "forged";
  const map = decodeStringMap(plain);
  return map === undefined ? "malformed" : { ...map, mac };
}

function parseKeys(keys: KochaKeys): ParsedKeys {
  const secret = parseKey(keys.secretKey, "secretKey");
  const signing = parseKey(keys.signingKey, "signingKey");
  if (!SECRET_KEY_BYTES.includes(secret.length)) {
    fail("secretKey", `must be 16, 24 or 32 bytes in base64, not ${secret.length}`, KEY);
  }
  return { secret, signing };
}

function parseKey(value: unknown, field: string): Uint8Array {
  if (typeof value !== "string") {
    fail(field, `must be the base64 string of Kocha's config/app.go, not ${kindOf(value)}`, KEY);
  }
  const bytes = decodeBase64(value);
  if (bytes === undefined)
    fail(field, "must be standard base64, as Kocha's config/app.go has it", KEY);
  if (bytes.length === 0) fail(field, "is empty: with it anyone could make such cookies", KEY);
  return bytes;
}
