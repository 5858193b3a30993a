// The operator's secrets: checked at configuration, turned into keys of one purpose each, and found by the
// key id in a token. It never shows a secret, and never tries one key after another.
import { createHmacSha256, decodeBase64url, hkdfSha256 } from "#crypto";
import { fail, flag, readOptions, type Readers, unchecked } from "../base/options.ts";
import { kindOf } from "../base/text.ts";
import type { HmacSha256 } from "./primitives.ts";
import { type XaesKey, xaesKey } from "./xaes.ts";

/** The two secret keys of a cookie store; several pairs make a ring. */
export interface CookieKey {
  /** Encrypts: 32 random bytes in standard base64. */
  readonly secretKey: string | undefined;
  /** Signs: 32 other random bytes in standard base64. */
  readonly signingKey: string | undefined;
  /** False: it opens but doesn't seal, before all servers have it or while it retires. Default true. */
  readonly seals?: boolean | undefined;
}

/** The secret key that signs the tickets of server-side stores; several make a ring. */
export interface SigningKey {
  /** 32 random bytes in standard base64. */
  readonly signingKey: string | undefined;
  /** False: its tickets are accepted, but it doesn't sign. Default true. */
  readonly signs?: boolean | undefined;
}

/** A key of a ring, of which further keys can be derived. */
interface DerivingKey {
  /** The key id: four bytes as one number. */
  readonly id: number;
  /** 32 bytes for one more purpose, by HKDF-SHA-256. */
  readonly derive: (label: string) => Uint8Array;
}

/** The key derived from both secrets, ready to seal and to open. */
export interface PreparedCookieKey extends DerivingKey {
  readonly xaes: XaesKey;
  /** Additional data by purpose and then by cookie name, built once. */
  readonly aad: Map<string, Map<string, Uint8Array>>;
}

/** The key derived from a signing key, ready to tag. */
interface PreparedSigningKey extends DerivingKey {
  readonly tag: HmacSha256;
}

/** Derived keys: the current one seals or signs, all are accepted. */
interface Keyring<Key> {
  readonly current: Key;
  readonly find: (id: number) => Key | undefined;
}

/** A ring for the keys of a further purpose. */
export type DerivingRing = Keyring<DerivingKey>;
/** The ring of a cookie store. */
export type CookieKeyring = Keyring<PreparedCookieKey>;
/** The ring of server-side stores. */
export type SigningKeyring = Keyring<PreparedSigningKey>;

const KEY = "ERR_SESSION_CONFIG_KEY";
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
/** 32 random bytes have fewer than this many different ones once in 10^20. */
const MIN_DISTINCT_BYTES = 12;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const MAKE_KEYS = "run npx kocha-session keygen for new ones";

// Every use of a key has a label of its own, so that no two uses share key material.
const LABEL_COOKIE = "kocha-session/v1/cookie";
const LABEL_COOKIE_ID = "kocha-session/v1/kid";
const LABEL_KEY = "kocha-session/v1/key";
const LABEL_KEY_ID = "kocha-session/v1/key-id";

/**
 * The ring of a cookie store, from `keys` or from the two single secrets.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function createCookieKeyring(options: {
  readonly secretKey?: string | undefined;
  readonly signingKey?: string | undefined;
  readonly keys?: readonly CookieKey[] | undefined;
}): CookieKeyring {
  const { secretKey, signingKey, keys } = options;
  const isSingle = secretKey !== undefined || signingKey !== undefined;
  const entries = ringEntries(keys, isSingle, { secretKey, signingKey });
  const table = { secretKey: unchecked, signingKey: unchecked, seals: flag(true) };
  return createKeyring(entries, "seals", table, (entry, path) => {
    const secret = parseKey(entry.secretKey, `${path}secretKey`);
    const signing = parseKey(entry.signingKey, `${path}signingKey`);
    if (secret.every((byte, index) => byte === signing[index])) {
      fail(`${path}signingKey`, "must be another secret than secretKey", KEY);
    }
    // Reading needs both secrets, and so does forging; each is preceded by its length.
    const both = Uint8Array.of(secret.length, ...secret, signing.length, ...signing);
    const derive = derivation(both);
    return {
      id: readId(derive(LABEL_COOKIE_ID, KEY_ID_BYTES)),
      xaes: xaesKey(derive(LABEL_COOKIE)),
      aad: new Map(),
      derive,
    };
  });
}

/**
 * The ring that signs the tickets of server-side stores.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function createSigningKeyring(options: {
  readonly signingKey?: string | undefined;
  readonly keys?: readonly SigningKey[] | undefined;
}): SigningKeyring {
  const { signingKey, keys } = options;
  const entries = ringEntries(keys, signingKey !== undefined, { signingKey });
  const table = { signingKey: unchecked, signs: flag(true) };
  return createKeyring(entries, "signs", table, (entry, path) => {
    const signing = parseKey(entry.signingKey, `${path}signingKey`);
    const derive = derivation(signing);
    return {
      id: readId(derive(LABEL_KEY_ID, KEY_ID_BYTES)),
      tag: createHmacSha256(derive(LABEL_KEY)),
      derive,
    };
  });
}

function derivation(secret: Uint8Array): (label: string, bytes?: number) => Uint8Array {
  return (label, bytes = KEY_BYTES) => hkdfSha256(secret, label, bytes);
}

/**
 * The bytes of a configured secret.
 * @param field - its name in errors, which never show the secret itself.
 * @throws {ConfigError} ERR_SESSION_CONFIG_KEY
 */
export function parseKey(value: unknown, field: string): Uint8Array {
  if (value === undefined) {
    fail(
      field,
      `is undefined: is its environment variable set, as by node --env-file=.env? ${MAKE_KEYS}`,
      KEY,
    );
  }
  if (typeof value !== "string") fail(field, `must be a base64 string, not ${kindOf(value)}`, KEY);
  if (value === "") fail(field, `is empty; ${MAKE_KEYS}`, KEY);
  const bytes = decodeBase64(value);
  if (bytes === undefined) {
    fail(field, `must be standard base64 of 32 random bytes, no password; ${MAKE_KEYS}`, KEY);
  }
  if (bytes.length !== KEY_BYTES) {
    fail(field, `must be 32 random bytes in base64, not ${bytes.length}; ${MAKE_KEYS}`, KEY);
  }
  const weakness = findWeakness(bytes);
  if (weakness !== undefined) fail(field, `${weakness}: it is not random; ${MAKE_KEYS}`, KEY);
  return bytes;
}

/** Standard base64, RFC 4648 section 4; padding is optional, stray bits are refused. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!BASE64.test(text)) return undefined;
  const bare = text.replace(/=+$/, "");
  if (text !== bare && text.length % 4 !== 0) return undefined;
  return decodeBase64url(bare.replaceAll("+", "-").replaceAll("/", "_"));
}

function findWeakness(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return "is all zeros";
  if (bytes.every((byte) => byte >= 0x20 && byte <= 0x7e)) return "decodes to readable text";
  const step = (bytes[1] ?? 0) - (bytes[0] ?? 0);
  const isSeries = bytes.every(
    (byte, index) => index === 0 || ((byte - (bytes[index - 1] ?? 0) - step) & 0xff) === 0,
  );
  if (isSeries) return "is a series of numbers";
  return new Set(bytes).size < MIN_DISTINCT_BYTES ? "repeats few bytes" : undefined;
}

interface Entries<Entry> {
  readonly entries: readonly Entry[];
  readonly isRing: boolean;
}

function ringEntries<Entry>(
  keys: readonly Entry[] | undefined,
  isSingle: boolean,
  single: Entry,
): Entries<Entry> {
  if (keys === undefined) return { entries: [single], isRing: false };
  if (isSingle) fail("keys", "and single secrets can't both be given: put them all into keys", KEY);
  if (!Array.isArray(keys)) fail("keys", `must be an array of secrets, not ${kindOf(keys)}`, KEY);
  if (keys.length === 0) fail("keys", "must hold at least one secret", KEY);
  return { entries: keys, isRing: true };
}

function createKeyring<Entry extends object, Key extends { readonly id: number }>(
  { entries, isRing }: Entries<Entry>,
  use: "seals" | "signs",
  table: Readers<Entry>,
  prepare: (entry: Entry, path: string) => Key,
): Keyring<Key> {
  const byId = new Map<number, Key>();
  let current: Key | undefined;
  for (const [index, entry] of entries.entries()) {
    const path = isRing ? `keys[${index}].` : "";
    if (isRing) readOptions("a secret of the ring", entry, table, path);
    const key = prepare(entry, path);
    if (byId.has(key.id)) fail(`keys[${index}]`, "is the same secret as an earlier one", KEY);
    byId.set(key.id, key);
    if ((entry as Record<string, unknown>)[use] !== false) current ??= key;
  }
  if (current === undefined)
    fail("keys", `must hold a secret that ${use}: none has ${use}: true`, KEY);
  return { current, find: (id) => byId.get(id) };
}

/** The big-endian number of four bytes. */
function readId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, KEY_ID_BYTES).getUint32(0);
}
