// Reads the cookies of @fastify/secure-session: base64 of libsodium's secretbox (XSalsa20-Poly1305),
// ";" and base64 of its nonce, of JSON with the time of its last write in `__ts`.
import { argon2id } from "@noble/hashes/argon2.js";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { encodeBase64url, readUtf8 } from "#crypto";
import { kindOf } from "../base/text.ts";
import { SECOND } from "../base/time.ts";
import type { ForeignCookies } from "../cookie/foreign.ts";
import { concatBytes } from "../crypto/bytes.ts";
import { decodeBase64 } from "../crypto/keyring.ts";
import type { RejectedReason } from "../events.ts";
import {
  checkName,
  checkOptions,
  checkSecret,
  checkSeconds,
  type ReaderOptions,
} from "./options.ts";
import { fail } from "../base/options.ts";
import {
  createReader,
  decodeValue,
  type ForeignSession,
  idOf,
  parseJson,
  toStrings,
} from "./reader.ts";

export type { ForeignCookies, ReaderOptions };

/** The secret that the plugin was given in place of a key. */
export interface SecureSessionSecret {
  /** At least 32 bytes. */
  readonly secret: string | undefined;
  /** 16 bytes. Default the plugin's own. */
  readonly salt?: string | Uint8Array | undefined;
}

/** The plugin's own options, under its names: a key or a secret. */
export interface SecureSessionOptions extends ReaderOptions, Partial<SecureSessionSecret> {
  /** The cookie's name. Default "session". */
  readonly cookieName?: string | undefined;
  /** 32 bytes, or their base64; or a list of those that are accepted. */
  readonly key?: SecureSessionKey | readonly SecureSessionKey[] | undefined;
  /** Seconds since the session's last write. Default 86401, as the plugin's. */
  readonly expiry?: number | undefined;
}

/** 32 bytes, as they are or in base64. */
export type SecureSessionKey = string | Uint8Array;

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const MIN_SECRET = 32;
/** crypto_pwhash with OPSLIMIT_MODERATE and MEMLIMIT_MODERATE: 3 passes over 256 MiB. */
const ARGON2 = { t: 3, m: 262_144, p: 1, dkLen: KEY_BYTES };
const DEFAULT_SALT = "mq9hDxBVDbspDR6nLfFT1g==";
const DEFAULT_EXPIRY = 86_401;
const TIME_KEY = "__ts";
const ID_LABEL = "kocha-session/v1/secure-session-id";
const known = ["cookieName", "key", "secret", "salt", "expiry"];

/**
 * Reads live cookies of @fastify/secure-session, for `migrateFrom` of the cookie store. By `secret` the
 * call derives the key first, which takes seconds and 256 MiB: {@link secureSessionKey} gives the
 * key to configure instead.
 * @throws {ConfigError} ERR_SESSION_CONFIG_COOKIE, _KEY or _FIELD
 */
export function secureSessionCookies(options: SecureSessionOptions): ForeignCookies {
  const { until, map } = checkOptions("secureSessionCookies", options, known);
  const name = checkName(options.cookieName, "cookieName", "session");
  const expiry = checkSeconds(options.expiry, "expiry", DEFAULT_EXPIRY) * SECOND;
  const keys = keysOf(options);
  return createReader({
    names: [name],
    until,
    open([cookie], now): ForeignSession | RejectedReason {
      const texts = decodeValue(cookie?.value ?? "").split(";", 3);
      const [box, nonce] = texts.map(decodeBase64);
      if (texts.length !== 2 || nonce?.length !== NONCE_BYTES) return "malformed";
      if (box === undefined || box.length < TAG_BYTES) return "malformed";
      const plain = openBox(keys, nonce, box);
      if (plain === undefined) return "forged";
      const data = parseJson(readUtf8(plain, 0, plain.length));
      const { [TIME_KEY]: written, ...rest } = Object(data) as Record<string, unknown>;
      const mapped = toStrings(rest, map);
      if (mapped === undefined || typeof written !== "number" || !Number.isSafeInteger(written)) {
        return "malformed";
      }
      const expires = written * SECOND + expiry;
      if (expires <= now) return "expired";
      return { id: idOf(ID_LABEL, concatBytes([nonce, box])), ...mapped, expires };
    },
  });
}

/**
 * The key, in base64, that @fastify/secure-session derives from a secret: configured as `key`, it
 * costs nothing any more. It takes seconds and 256 MiB.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function secureSessionKey(options: SecureSessionSecret): string {
  const base64url = encodeBase64url(derive(options));
  return `${base64url.replaceAll("-", "+").replaceAll("_", "/")}=`;
}

function openBox(
  keys: readonly Uint8Array[],
  nonce: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  for (const key of keys) {
    try {
      return xsalsa20poly1305(key, nonce).decrypt(box);
    } catch {
      // Another key may have sealed it.
    }
  }
  return undefined;
}

function keysOf({ key, secret, salt }: SecureSessionOptions): readonly Uint8Array[] {
  if (key === undefined) return [derive({ secret, salt })];
  if (secret !== undefined)
    failKey("secret", "and key can't both be given: the plugin took the key");
  const list = Array.isArray(key) ? (key as readonly unknown[]) : [key];
  if (list.length === 0) failKey("key", "must hold at least one key");
  return list.map((one, index) => parseKey(one, Array.isArray(key) ? `key[${index}]` : "key"));
}

function parseKey(key: unknown, field: string): Uint8Array {
  const bytes = typeof key === "string" ? decodeBase64(key) : key;
  if (!(bytes instanceof Uint8Array)) {
    const found = typeof key === "string" ? "other text" : kindOf(key);
    failKey(field, `must be the plugin's key, ${KEY_BYTES} bytes or their base64, not ${found}`);
  }
  if (bytes.length !== KEY_BYTES) {
    failKey(field, `must be ${KEY_BYTES} bytes, not ${bytes.length}`);
  }
  return new Uint8Array(bytes);
}

function derive({ secret, salt = decodeBase64(DEFAULT_SALT) }: SecureSessionSecret): Uint8Array {
  if (secret === undefined) failKey("key", "or secret must be given, as the plugin has it");
  const password = checkSecret(secret, "secret");
  if (password.length < MIN_SECRET) failKey("secret", `must have at least ${MIN_SECRET} bytes`);
  const bytes = checkSecret(salt, "salt");
  if (bytes.length !== SALT_BYTES) failKey("salt", `must be ${SALT_BYTES} bytes`);
  return argon2id(password, bytes, ARGON2);
}

function failKey(field: string, message: string): never {
  return fail(field, message, "ERR_SESSION_CONFIG_KEY");
}
