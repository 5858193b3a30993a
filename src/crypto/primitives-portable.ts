// `#crypto` without node:crypto: the same exports over @noble/ciphers, @noble/hashes and WebCrypto's random
// generator. Its AES is plain JavaScript, without a promise of constant time.
import { cbc, gcm } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256 as nobleSha256, sha512_256 } from "@noble/hashes/sha2.js";
import { decodeBase64urlPortable, encodeBase64urlPortable } from "./base64url.ts";
import type { AesBlock, GcmKey, HmacSha256 } from "./primitives.ts";

// 4 KB as on Node; getRandomValues takes at most 65,536 bytes (Web Cryptography API, 10.1.1).
const poolBytes = 4096;
const tagBytes = 16;
const blockBytes = 16;
const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();
// ignoreBOM keeps a leading U+FEFF: values come back unchanged.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const pool = new Uint8Array(poolBytes);
let poolUsed = poolBytes;

/** Fills `target` with random bytes of the system's generator, each used only once. */
export function fillRandom(target: Uint8Array): void {
  for (let done = 0; done < target.length;) {
    const length = Math.min(target.length - done, poolBytes);
    if (poolUsed + length > poolBytes) {
      crypto.getRandomValues(pool);
      poolUsed = 0;
    }
    target.set(pool.subarray(poolUsed, poolUsed + length), done);
    // Used bytes don't stay readable here.
    pool.fill(0, poolUsed, poolUsed + length);
    poolUsed += length;
    done += length;
  }
}

/** `length` random bytes of the system's generator. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fillRandom(bytes);
  return bytes;
}

/** True for equal bytes; the time of the comparison depends only on their lengths. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

/** HKDF-SHA-256 (RFC 5869) with an empty salt; `info` is taken as UTF-8. */
export function hkdfSha256(ikm: Uint8Array, info: string, length: number): Uint8Array {
  return hkdf(nobleSha256, ikm, noBytes, encoder.encode(info), length);
}

/** HMAC-SHA-256 under `key`, prepared for many messages. */
export function createHmacSha256(key: Uint8Array): HmacSha256 {
  const prepared = hmac.create(nobleSha256, key);
  return (...chunks) => {
    const state = prepared.clone();
    for (const chunk of chunks) state.update(chunk);
    return state.digest();
  };
}

/** HMAC with SHA-512/256 (FIPS 180-4), 32 bytes. */
export function hmacSha512t256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(sha512_256, key, data);
}

/** AES-256 of single blocks under `key` (32 bytes). */
export function createAesBlock(key: Uint8Array): AesBlock {
  const ownKey = new Uint8Array(key);
  // The first block of CBC from a zero vector is the plain block encryption; no ECB, as on Node.
  const zeroVector = new Uint8Array(blockBytes);
  return (input) => cbc(ownKey, zeroVector, { disablePadding: true }).encrypt(input);
}

/** AES-GCM under `key` (16, 24 or 32 bytes), prepared for many messages. */
export function createGcmKey(key: Uint8Array): GcmKey {
  const ownKey = new Uint8Array(key);
  return {
    sealInto(target, offset, nonce, plaintext, aad) {
      target.set(gcm(ownKey, nonce, aad).encrypt(plaintext), offset);
    },
    open: (nonce, sealed, aad) => openGcm(ownKey, nonce, sealed, aad),
  };
}

/** AES-GCM without AAD: ciphertext and 16-byte tag. `key`: 16, 24 or 32 bytes; `nonce`: 12. */
export function aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return gcm(key, nonce).encrypt(plaintext);
}

/** The plaintext of an {@link aesGcmSeal}; undefined if it doesn't verify. */
export function aesGcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  return openGcm(key, nonce, sealed, noBytes);
}

function openGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined;
  const cipher = gcm(key, nonce, aad);
  try {
    return cipher.decrypt(sealed);
  } catch {
    return undefined;
  }
}

/** HMAC with SHA-1, 20 bytes; for reading other libraries' cookies. */
export function hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(sha1, key, data);
}

/** PBKDF2 (RFC 8018) with HMAC-SHA-1; for reading other libraries' cookies. */
export function pbkdf2Sha1(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  return pbkdf2(sha1, password, salt, { c: iterations, dkLen: length });
}

/** AES-256-CBC with PKCS #7 padding; undefined when the length or the padding is wrong. */
export function aesCbcOpen(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    return cbc(key, iv).decrypt(sealed);
  } catch {
    return undefined;
  }
}

/** Memory for results that are used up before the next call: made at the first one. */
export function createScratch(length: number): () => Uint8Array {
  let memory: Uint8Array | undefined;
  return () => (memory ??= new Uint8Array(length));
}

/** base64url without padding (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  return encodeBase64urlPortable(bytes);
}

/** The bytes of canonical base64url without padding; undefined for any other text. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  return decodeBase64urlPortable(text);
}

/**
 * Writes the bytes of canonical base64url to `target` at `offset`, which must have room.
 * @returns their number; -1 for any other text.
 */
export function writeBase64url(target: Uint8Array, text: string, offset: number): number {
  const bytes = decodeBase64urlPortable(text);
  if (bytes === undefined || bytes.length > target.length - offset) return -1;
  target.set(bytes, offset);
  return bytes.length;
}

/** The UTF-8 bytes of a well-formed string. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes the UTF-8 of a well-formed string to `target`, which must have room; gives its length. */
export function writeUtf8(target: Uint8Array, text: string, offset: number): number {
  return encoder.encodeInto(text, target.subarray(offset)).written;
}

/** The text of UTF-8 bytes; undefined if they aren't well-formed UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** One character for each byte, as a key for look-ups. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}
