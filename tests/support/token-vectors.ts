// Sealing under a given nonce, for vectors alone: the library itself takes no nonce from anyone.
import { createHash, hkdfSync } from "node:crypto";
import { xaesSeal } from "../../src/crypto/xaes.ts";

/** Keys that protect nothing: SHA-256 of what they are for. */
export const vectorKeys = {
  secretKey: createHash("sha256").update("vector secret key").digest("base64"),
  signingKey: createHash("sha256").update("vector signing key").digest("base64"),
};

const both = Buffer.concat(
  [vectorKeys.secretKey, vectorKeys.signingKey].map((key) =>
    Buffer.concat([Buffer.of(32), Buffer.from(key, "base64")]),
  ),
);
const derive = (info: string, length: number): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", both, "", info, length));
const key = derive("kocha-session/v1/cookie", 32);
const keyId = derive("kocha-session/v1/kid", 4);

/** The token of docs/token-format.md, written once more from its description. */
export function sealForVector(
  purpose: string,
  cookieName: string,
  nonce: Uint8Array,
  payload: Uint8Array,
): string {
  const header = Buffer.concat([Buffer.of(1), keyId]);
  const framed = [purpose, cookieName, ""].map((text) =>
    Buffer.from(`${String.fromCharCode(text.length)}${text}`),
  );
  const aad = Buffer.concat([Buffer.from("kocha-session/v1\0"), ...framed, header]);
  return Buffer.concat([header, nonce, xaesSeal(key, nonce, payload, aad)]).toString("base64url");
}

/** The hash of many tokens, by which a second implementation is compared in one line. */
export function vectorStream(iterations: number): string {
  const stream = createHash("shake128", { outputLength: iterations * 280 }).digest();
  let used = 0;
  const read = (length: number): Buffer => stream.subarray(used, (used += length));
  const all = createHash("sha256");
  for (let round = 0; round < iterations; round++) {
    const nonce = read(24);
    all.update(`${sealForVector("session", "session", nonce, read(read(1)[0] ?? 0))}\n`);
  }
  return all.digest("hex");
}
