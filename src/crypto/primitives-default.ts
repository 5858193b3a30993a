// `#crypto` where no import condition names the runtime, as in a worker's bundle: node:crypto if the runtime
// has it at start, as workerd has with `nodejs_compat`, else @noble. It imports nothing of Node.js, which a
// bundler couldn't resolve.
import * as node from "./primitives-node.ts";
import * as portable from "./primitives-portable.ts";
import type { Primitives } from "./primitives.ts";

/** The used part of a runtime's `process`; absent in browsers. */
interface Host {
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => { readonly createCipheriv?: unknown } | undefined;
  };
}

const hasNodeCrypto = findsNodeCrypto();

function findsNodeCrypto(): boolean {
  try {
    const { process } = globalThis as Host;
    return typeof process?.getBuiltinModule?.("node:crypto")?.createCipheriv === "function";
  } catch {
    // Next's edge runtime throws for each use of what it doesn't have.
    return false;
  }
}

// Name by name, so that bundlers can omit unused primitives.
export const randomBytes: Primitives["randomBytes"] = hasNodeCrypto
  ? node.randomBytes
  : portable.randomBytes;
export const fillRandom: Primitives["fillRandom"] = hasNodeCrypto
  ? node.fillRandom
  : portable.fillRandom;
export const constantTimeEqual: Primitives["constantTimeEqual"] = hasNodeCrypto
  ? node.constantTimeEqual
  : portable.constantTimeEqual;
export const sha256: Primitives["sha256"] = hasNodeCrypto ? node.sha256 : portable.sha256;
export const hkdfSha256: Primitives["hkdfSha256"] = hasNodeCrypto
  ? node.hkdfSha256
  : portable.hkdfSha256;
export const createHmacSha256: Primitives["createHmacSha256"] = hasNodeCrypto
  ? node.createHmacSha256
  : portable.createHmacSha256;
export const hmacSha512t256: Primitives["hmacSha512t256"] = hasNodeCrypto
  ? node.hmacSha512t256
  : portable.hmacSha512t256;
export const createAesBlock: Primitives["createAesBlock"] = hasNodeCrypto
  ? node.createAesBlock
  : portable.createAesBlock;
export const createGcmKey: Primitives["createGcmKey"] = hasNodeCrypto
  ? node.createGcmKey
  : portable.createGcmKey;
export const aesGcmSeal: Primitives["aesGcmSeal"] = hasNodeCrypto
  ? node.aesGcmSeal
  : portable.aesGcmSeal;
export const aesGcmOpen: Primitives["aesGcmOpen"] = hasNodeCrypto
  ? node.aesGcmOpen
  : portable.aesGcmOpen;
export const hmacSha1: Primitives["hmacSha1"] = hasNodeCrypto ? node.hmacSha1 : portable.hmacSha1;
export const pbkdf2Sha1: Primitives["pbkdf2Sha1"] = hasNodeCrypto
  ? node.pbkdf2Sha1
  : portable.pbkdf2Sha1;
export const aesCbcOpen: Primitives["aesCbcOpen"] = hasNodeCrypto
  ? node.aesCbcOpen
  : portable.aesCbcOpen;
export const createScratch: Primitives["createScratch"] = hasNodeCrypto
  ? node.createScratch
  : portable.createScratch;
export const encodeBase64url: Primitives["encodeBase64url"] = hasNodeCrypto
  ? node.encodeBase64url
  : portable.encodeBase64url;
export const decodeBase64url: Primitives["decodeBase64url"] = hasNodeCrypto
  ? node.decodeBase64url
  : portable.decodeBase64url;
export const writeBase64url: Primitives["writeBase64url"] = hasNodeCrypto
  ? node.writeBase64url
  : portable.writeBase64url;
export const encodeUtf8: Primitives["encodeUtf8"] = hasNodeCrypto
  ? node.encodeUtf8
  : portable.encodeUtf8;
export const writeUtf8: Primitives["writeUtf8"] = hasNodeCrypto
  ? node.writeUtf8
  : portable.writeUtf8;
export const readUtf8: Primitives["readUtf8"] = hasNodeCrypto ? node.readUtf8 : portable.readUtf8;
export const readLatin1: Primitives["readLatin1"] = hasNodeCrypto
  ? node.readLatin1
  : portable.readLatin1;
