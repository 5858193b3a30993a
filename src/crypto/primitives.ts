// The shape of `#crypto`: the exports of both primitives-node.ts and primitives-portable.ts, so that their
// users needn't know the runtime. Types only, without code.

/** HMAC-SHA-256 (RFC 2104) under a fixed key: 32 bytes over the concatenated chunks. */
export type HmacSha256 = (...chunks: readonly Uint8Array[]) => Uint8Array;

/**
 * One AES-256 block encryption (FIPS 197) under a fixed key.
 * @param input - exactly 16 bytes; never kept.
 */
export type AesBlock = (input: Uint8Array) => Uint8Array;

/** AES-GCM (NIST SP 800-38D) under a fixed key, always with a 16-byte tag. */
export interface GcmKey {
  /**
   * Writes ciphertext and tag, `plaintext.length + 16` bytes, to `target` at `offset`.
   * @param nonce - exactly 12 bytes, never used twice under this key.
   * @param target - must not overlap `plaintext`.
   */
  sealInto(
    target: Uint8Array,
    offset: number,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
  ): void;
  /**
   * The plaintext of `sealed` (ciphertext and 16-byte tag).
   * @returns undefined if it doesn't verify or is shorter than a tag.
   */
  open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined;
}

/** Everything that `#crypto` exports. */
export interface Primitives {
  randomBytes(length: number): Uint8Array;
  fillRandom(target: Uint8Array): void;
  constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean;
  sha256(data: Uint8Array): Uint8Array;
  hkdfSha256(ikm: Uint8Array, info: string, length: number): Uint8Array;
  createHmacSha256(key: Uint8Array): HmacSha256;
  hmacSha512t256(key: Uint8Array, data: Uint8Array): Uint8Array;
  createAesBlock(key: Uint8Array): AesBlock;
  createGcmKey(key: Uint8Array): GcmKey;
  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array;
  aesGcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array;
  pbkdf2Sha1(
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
  ): Uint8Array;
  aesCbcOpen(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  createScratch(length: number): () => Uint8Array;
  encodeBase64url(bytes: Uint8Array): string;
  decodeBase64url(text: string): Uint8Array | undefined;
  writeBase64url(target: Uint8Array, text: string, offset: number): number;
  encodeUtf8(text: string): Uint8Array;
  writeUtf8(target: Uint8Array, text: string, offset: number): number;
  readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined;
  readLatin1(bytes: Uint8Array, start: number, end: number): string;
}
