// A device's public key: from a JWK (RFC 7517, RFC 7518 section 6), as bytes for an identifier, and the check
// of its signatures by WebCrypto. ES256 and RS256 only: the specification's other algorithm is "none".
import { decodeBase64url, encodeBase64url, sha256 } from "#crypto";

/** The numbers of the algorithms in an identifier. */
const numbers = { ES256: 1, RS256: 2 } as const;
type Algorithm = keyof typeof numbers;

/** The offered algorithms, as a registration header names them. */
export const ALGORITHMS: string = Object.keys(numbers).join(" ");

const CURVE_BYTES = 32;
/** 2048 to 4096 bits. */
const LEAST_MODULUS = 256;
const MOST_MODULUS = 512;
/** 65537. */
const EXPONENT = "AQAB";
const THUMB_BYTES = 16;

/** A device's public key. */
export interface DeviceKey {
  readonly algorithm: Algorithm;
  /** x and y of a point on P-256, or the modulus of RSA with the exponent 65537. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The key in a registration's JWT; undefined for any that isn't accepted. */
export function deviceKeyOf(algorithm: string, jwk: unknown): DeviceKey | undefined {
  if (typeof jwk !== "object" || jwk === null) return undefined;
  const { kty, crv, x, y, n, e } = jwk as Readonly<Record<string, unknown>>;
  if (algorithm === "ES256" && kty === "EC" && crv === "P-256") {
    const [left, right] = [bytesOf(x), bytesOf(y)];
    return left.length === right.length ? checkKey(algorithm, [...left, ...right]) : undefined;
  }
  if (algorithm === "RS256" && kty === "RSA" && e === EXPONENT) {
    return checkKey(algorithm, bytesOf(n));
  }
  return undefined;
}

function bytesOf(text: unknown): Uint8Array {
  return (typeof text === "string" ? decodeBase64url(text) : undefined) ?? new Uint8Array();
}

function checkKey(algorithm: Algorithm, content: ArrayLike<number>): DeviceKey | undefined {
  const { length } = content;
  const isRight =
    algorithm === "ES256"
      ? length === 2 * CURVE_BYTES
      : length >= LEAST_MODULUS && length <= MOST_MODULUS && content[0] !== 0;
  return isRight ? { algorithm, bytes: Uint8Array.from(content) } : undefined;
}

/** The key in one text of bytes: the algorithm's number, and the key. */
export function encodeDeviceKey({ algorithm, bytes }: DeviceKey): Uint8Array {
  return Uint8Array.of(numbers[algorithm], ...bytes);
}

/** The key of such bytes; undefined for any others. */
export function decodeDeviceKey(encoded: Uint8Array): DeviceKey | undefined {
  const found = Object.entries(numbers).find(([, number]) => number === encoded[0]);
  return found && checkKey(found[0] as Algorithm, encoded.subarray(1));
}

/** A key's fingerprint: 128 bits of SHA-256 in 22 characters. */
export function thumbOf(key: DeviceKey): string {
  return encodeBase64url(sha256(encodeDeviceKey(key)).subarray(0, THUMB_BYTES));
}

/** True for a good signature; false for any other, and for a key that is none. */
export async function isSignedBy(
  { algorithm, bytes }: DeviceKey,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  try {
    if (algorithm === "ES256") {
      const curve = { name: "ECDSA", namedCurve: "P-256" };
      const point = Uint8Array.of(4, ...bytes);
      const key = await subtle.importKey("raw", point, curve, false, ["verify"]);
      return await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, signed);
    }
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const jwk = { kty: "RSA", n: encodeBase64url(bytes), e: EXPONENT };
    const key = await subtle.importKey("jwk", jwk, rsa, false, ["verify"]);
    return await subtle.verify(rsa.name, key, signature, signed);
  } catch {
    return false;
  }
}
