// XAES-256-GCM (C2SP, XAES-256-GCM v1): AES-256-GCM under a key derived from the first half of a
// 24-byte nonce, so that nonces may be random without a count. It knows bytes, no token.
import { createAesBlock, createGcmKey, fillRandom, readLatin1 } from "#crypto";
import type { AesBlock, GcmKey, Primitives } from "./primitives.ts";

/** Bytes of a key. */
const XAES_KEY_BYTES = 32;
/** Bytes of a nonce: 12 that derive the message key, 12 that are the message's own. */
export const XAES_NONCE_BYTES = 24;
/** Bytes that sealing adds. */
export const XAES_TAG_BYTES = 16;

const BLOCK_BYTES = 16;
const HALF_NONCE_BYTES = 12;
/** The low byte of the CMAC polynomial, NIST SP 800-38B section 5.3. */
const CMAC_POLYNOMIAL = 0x87;

// Every seal has 12 fresh random bytes of its own, and up to this many share the 12 bytes before
// them, and so one derived key. Two seals of one batch collide with probability 2^-96; over N
// seals in batches of M that sums to about M * N / 2^97: with M = 2^12 and N = 2^48 below 2^-37,
// and each batch stays 2^20 times below the 2^32 messages of NIST SP 800-38D section 8.3.
const SEALS_A_SUBKEY = 4096;
/** The most derived keys that are kept for opening; each batch of seals needs one. */
const OPEN_SUBKEYS = 512;

/** The primitives that it uses; the library's own are those of `#crypto`. */
export type XaesPrimitives = Pick<
  Primitives,
  "createAesBlock" | "createGcmKey" | "fillRandom" | "readLatin1"
>;

const hostPrimitives: XaesPrimitives = { createAesBlock, createGcmKey, fillRandom, readLatin1 };

/** A prepared key, with its recently derived keys. */
export class XaesKey {
  readonly #primitives: XaesPrimitives;
  readonly #block: AesBlock;
  readonly #whitening: Uint8Array;
  readonly #opening = new Map<string, GcmKey>();
  readonly #sealingNonce = new Uint8Array(XAES_NONCE_BYTES);
  /** The half of the nonce that is fresh for each seal. */
  readonly #sealingOwn = this.#sealingNonce.subarray(HALF_NONCE_BYTES);
  #sealing: GcmKey | undefined;
  #sealsLeft = 0;

  /** @internal */
  constructor(primitives: XaesPrimitives, key: Uint8Array) {
    if (key.length !== XAES_KEY_BYTES) throw new RangeError("an XAES-256-GCM key has 32 bytes");
    this.#primitives = primitives;
    this.#block = primitives.createAesBlock(key);
    this.#whitening = double(this.#block(new Uint8Array(BLOCK_BYTES)));
  }

  /** Seals under the caller's nonce, which must be random or never be used again. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + XAES_TAG_BYTES);
    const subkey = this.#derive(nonce);
    subkey.sealInto(sealed, 0, nonce.subarray(HALF_NONCE_BYTES, XAES_NONCE_BYTES), plaintext, aad);
    return sealed;
  }

  /** Writes a fresh nonce, the ciphertext and the tag to `target` at `offset`. */
  sealFresh(target: Uint8Array, offset: number, plaintext: Uint8Array, aad: Uint8Array): void {
    const nonce = this.#sealingNonce;
    if (this.#sealing === undefined || this.#sealsLeft === 0) {
      this.#primitives.fillRandom(nonce.subarray(0, HALF_NONCE_BYTES));
      this.#sealing = this.#derive(nonce);
      this.#sealsLeft = SEALS_A_SUBKEY;
    }
    this.#sealsLeft--;
    this.#primitives.fillRandom(this.#sealingOwn);
    target.set(nonce, offset);
    this.#sealing.sealInto(target, offset + XAES_NONCE_BYTES, this.#sealingOwn, plaintext, aad);
  }

  /** @returns undefined if it doesn't verify. */
  open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    const prefix = this.#primitives.readLatin1(nonce, 0, HALF_NONCE_BYTES);
    const known = this.#opening.get(prefix);
    const subkey = known ?? this.#derive(nonce);
    const own = nonce.subarray(HALF_NONCE_BYTES, XAES_NONCE_BYTES);
    const plaintext = subkey.open(own, sealed, aad);
    // Only verified messages are remembered, so that forged nonces can't displace good ones.
    if (plaintext !== undefined && known === undefined) this.#remember(prefix, subkey);
    return plaintext;
  }

  #remember(prefix: string, subkey: GcmKey): void {
    if (this.#opening.size >= OPEN_SUBKEYS) {
      const [oldest] = this.#opening.keys();
      if (oldest !== undefined) this.#opening.delete(oldest);
    }
    this.#opening.set(prefix, subkey);
  }

  /** Kx = E(M1 xor K1) || E(M2 xor K1) with Mi = 00 0i "X" 00 || nonce[0..12]. */
  #derive(nonce: Uint8Array): GcmKey {
    const derived = new Uint8Array(XAES_KEY_BYTES);
    for (const counter of [1, 2]) {
      const message = new Uint8Array(BLOCK_BYTES);
      message[1] = counter;
      message[2] = 0x58;
      message.set(nonce.subarray(0, HALF_NONCE_BYTES), BLOCK_BYTES - HALF_NONCE_BYTES);
      for (let i = 0; i < BLOCK_BYTES; i++) {
        message[i] = (message[i] ?? 0) ^ (this.#whitening[i] ?? 0);
      }
      derived.set(this.#block(message), (counter - 1) * BLOCK_BYTES);
    }
    return this.#primitives.createGcmKey(derived);
  }
}

/** Doubling in GF(2^128) without a branch on secret bits: NIST SP 800-38B section 6.1. */
function double(block: Uint8Array): Uint8Array {
  const doubled = new Uint8Array(BLOCK_BYTES);
  let carry = 0;
  for (let i = BLOCK_BYTES - 1; i >= 0; i--) {
    const byte = block[i] ?? 0;
    doubled[i] = (byte << 1) | carry;
    carry = byte >>> 7;
  }
  doubled[BLOCK_BYTES - 1] = (doubled[BLOCK_BYTES - 1] ?? 0) ^ (carry * CMAC_POLYNOMIAL);
  return doubled;
}

/** A key of 32 bytes, prepared for many messages. */
export function xaesKey(bytes: Uint8Array, primitives: XaesPrimitives = hostPrimitives): XaesKey {
  return new XaesKey(primitives, bytes);
}

/** Ciphertext and 16-byte tag of `plaintext` under a 24-byte nonce. */
export function xaesSeal(
  key: XaesKey | Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  if (nonce.length !== XAES_NONCE_BYTES) {
    throw new RangeError("an XAES-256-GCM nonce has 24 bytes");
  }
  return prepared(key).seal(nonce, plaintext, aad);
}

/** The plaintext of ciphertext and tag; undefined if it doesn't verify. */
export function xaesOpen(
  key: XaesKey | Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array | undefined {
  return nonce.length === XAES_NONCE_BYTES ? prepared(key).open(nonce, sealed, aad) : undefined;
}

function prepared(key: XaesKey | Uint8Array): XaesKey {
  return key instanceof XaesKey ? key : xaesKey(key);
}
