// `#crypto` on Node.js, Bun and Deno, and in workers with node:crypto: the only file of the library that
// uses that module, without an import. It knows algorithms and bytes, no token format and no secret.
import type * as nodeCrypto from "node:crypto";
import type { CipherGCMTypes, KeyObject } from "node:crypto";
import type { AesBlock, GcmKey, HmacSha256 } from "./primitives.ts";

// A call of the system's generator costs more than a whole seal; 4 KB make it rare.
const poolBytes = 4096;
const tagBytes = 16;
const blockBytes = 16;
// Node accepts shorter tags, which prove little, unless this is given (SECURITY: CVE-2025-47275).
const gcmOptions = { authTagLength: tagBytes };
const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();

type NodeCrypto = typeof nodeCrypto;

let loaded: NodeCrypto | undefined;
let pool: Uint8Array = noBytes;
let poolUsed = poolBytes;

/** node:crypto, loaded at its first use: loading takes a good part of a cold start. */
function crypto(): NodeCrypto {
  // By globalThis: bundlers for workers report the bare name as an error.
  return (loaded ??= globalThis.process.getBuiltinModule("node:crypto"));
}

/** Fills `target` with random bytes of the system's generator, each used only once. */
export function fillRandom(target: Uint8Array): void {
  const { length } = target;
  if (length > poolBytes) {
    crypto().randomFillSync(target);
    return;
  }
  if (poolUsed + length > poolBytes) {
    if (pool.length === 0) pool = new Uint8Array(poolBytes);
    crypto().randomFillSync(pool);
    poolUsed = 0;
  }
  const end = poolUsed + length;
  for (let from = poolUsed, to = 0; from < end; from++, to++) {
    target[to] = pool[from] ?? 0;
    // Used bytes don't stay readable here.
    pool[from] = 0;
  }
  poolUsed = end;
}

/** `length` random bytes of the system's generator. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fillRandom(bytes);
  return bytes;
}

/** True for equal bytes; the time of the comparison depends only on their lengths. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && crypto().timingSafeEqual(a, b);
}

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return crypto().createHash("sha256").update(data).digest();
}

/** HKDF-SHA-256 (RFC 5869) with an empty salt; `info` is taken as UTF-8. */
export function hkdfSha256(ikm: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(crypto().hkdfSync("sha256", ikm, noBytes, info, length));
}

/** HMAC-SHA-256 under `key`, prepared for many messages. */
export function createHmacSha256(key: Uint8Array): HmacSha256 {
  const prepared = crypto().createSecretKey(key);
  return (...chunks) => {
    const hmac = crypto().createHmac("sha256", prepared);
    for (const chunk of chunks) hmac.update(chunk);
    return hmac.digest();
  };
}

/** HMAC with SHA-512/256 (FIPS 180-4), 32 bytes. */
export function hmacSha512t256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return crypto().createHmac("sha512-256", key).update(data).digest();
}

/** AES-256 of single blocks under `key` (32 bytes). */
export function createAesBlock(key: Uint8Array): AesBlock {
  // CBC with one cipher object for all blocks: CBC adds the block before to the input, so that is
  // subtracted first. ASVS 11.3.1 forbids ECB; a cipher object per block costs ten times as much.
  const cipher = crypto().createCipheriv("aes-256-cbc", key, new Uint8Array(blockBytes));
  cipher.setAutoPadding(false);
  const chained = new Uint8Array(blockBytes);
  const before = new Uint8Array(blockBytes);
  return (input) => {
    for (let i = 0; i < blockBytes; i++) chained[i] = (input[i] ?? 0) ^ (before[i] ?? 0);
    const output = cipher.update(chained);
    before.set(output);
    return output;
  };
}

/** AES-GCM under `key` (16, 24 or 32 bytes), prepared for many messages. */
export function createGcmKey(key: Uint8Array): GcmKey {
  return new PreparedGcmKey(key);
}

class PreparedGcmKey implements GcmKey {
  readonly #algorithm: CipherGCMTypes;
  #key: Uint8Array | KeyObject;
  #used = false;

  constructor(key: Uint8Array) {
    this.#algorithm = gcmAlgorithm(key);
    // A copy even of a Buffer, whose slice() shares its memory.
    this.#key = new Uint8Array(key);
  }

  sealInto(
    target: Uint8Array,
    offset: number,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
  ): void {
    const cipher = crypto().createCipheriv(this.#algorithm, this.#prepared(), nonce);
    cipher.setAAD(aad);
    target.set(cipher.update(plaintext), offset);
    cipher.final();
    target.set(cipher.getAuthTag(), offset + plaintext.length);
  }

  open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    return openGcm(this.#algorithm, this.#prepared(), nonce, sealed, aad);
  }

  // Node 24 spends 40 us on every raw key; on Node 20 a KeyObject that is used once costs more than it
  // saves. So the second message creates it.
  #prepared(): Uint8Array | KeyObject {
    if (this.#used && this.#key instanceof Uint8Array)
      this.#key = crypto().createSecretKey(this.#key);
    this.#used = true;
    return this.#key;
  }
}

/** AES-GCM without AAD: ciphertext and 16-byte tag. `key`: 16, 24 or 32 bytes; `nonce`: 12. */
export function aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + tagBytes);
  createGcmKey(key).sealInto(sealed, 0, nonce, plaintext, noBytes);
  return sealed;
}

/** The plaintext of an {@link aesGcmSeal}; undefined if it doesn't verify. */
export function aesGcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  return openGcm(gcmAlgorithm(key), key, nonce, sealed, noBytes);
}

function gcmAlgorithm(key: Uint8Array): CipherGCMTypes {
  if (key.length === 32) return "aes-256-gcm";
  return key.length === 24 ? "aes-192-gcm" : "aes-128-gcm";
}

function openGcm(
  algorithm: CipherGCMTypes,
  key: Uint8Array | KeyObject,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  const split = sealed.length - tagBytes;
  if (split < 0) return undefined;
  const decipher = crypto().createDecipheriv(algorithm, key, nonce, gcmOptions);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(split));
  const plaintext = decipher.update(sealed.subarray(0, split));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

/** HMAC with SHA-1, 20 bytes; for reading other libraries' cookies. */
export function hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array {
  return crypto().createHmac("sha1", key).update(data).digest();
}

/** PBKDF2 (RFC 8018) with HMAC-SHA-1; for reading other libraries' cookies. */
export function pbkdf2Sha1(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  return crypto().pbkdf2Sync(password, salt, iterations, length, "sha1");
}

/** AES-256-CBC with PKCS #7 padding; undefined when the length or the padding is wrong. */
export function aesCbcOpen(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    const decipher = crypto().createDecipheriv("aes-256-cbc", key, iv);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Memory for results that are used up before the next call: made at the first one. */
export function createScratch(length: number): () => Uint8Array {
  let memory: Uint8Array | undefined;
  return () => (memory ??= Buffer.alloc(length));
}

/** base64url without padding (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  return toBuffer(bytes).toString("base64url");
}

/** The bytes of canonical base64url without padding; undefined for any other text. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64url");
  // Buffer accepts padding, the other alphabet, junk and stray bits. Only its own output is canonical;
  // otherwise one token would have many spellings.
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/**
 * Writes the bytes of canonical base64url to `target` at `offset`, which must have room.
 * @returns their number; -1 for any other text.
 */
export function writeBase64url(target: Uint8Array, text: string, offset: number): number {
  const buffer = toBuffer(target);
  const length = buffer.write(text, offset, "base64url");
  return buffer.toString("base64url", offset, offset + length) === text ? length : -1;
}

/** The UTF-8 bytes of a well-formed string. */
export function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

/** Writes the UTF-8 of a well-formed string to `target`, which must have room; gives its length. */
export function writeUtf8(target: Uint8Array, text: string, offset: number): number {
  return encoder.encodeInto(text, target.subarray(offset)).written;
}

/** The text of UTF-8 bytes; undefined if they aren't well-formed UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const text = toBuffer(bytes).toString("utf8", start, end);
  // Only a text with this character, replaced or original, needs the second check.
  if (!text.includes("\uFFFD")) return text;
  return toBuffer(bytes.subarray(start, end)).equals(encodeUtf8(text)) ? text : undefined;
}

/** One character for each byte, as a key for look-ups. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  return toBuffer(bytes).toString("latin1", start, end);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
