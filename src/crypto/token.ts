// The cookie token, version 1: a payload sealed for one purpose and one cookie name. It knows no
// session. Its bytes, before base64url without padding:
//
//   byte  0       version, 1
//   bytes 1..4    key id, derived from both secrets
//   bytes 5..28   nonce, 24 random bytes
//   …             XAES-256-GCM of the payload
//   last 16       GCM tag
//
// Additional data: "kocha-session/v1" 00, then the purpose, the full cookie name and the audience
// (none yet), each after its length in one byte, then bytes 0..4.
import { createScratch, encodeBase64url, encodeUtf8, writeBase64url } from "#crypto";
import { concatBytes } from "./bytes.ts";
import type { CookieKeyring, PreparedCookieKey } from "./keyring.ts";
import { XAES_NONCE_BYTES, XAES_TAG_BYTES } from "./xaes.ts";

/** The purpose of a token, which never opens as one of another purpose (ASVS 9.2.2). */
export type TokenPurpose = "session" | "piece" | "part";

/** The longest name and value of a cookie together, in bytes, that browsers keep: RFC 6265bis section 5.6. */
export const MAX_COOKIE_BYTES = 4096;
/** Bytes that a token adds to its payload. */
export const TOKEN_OVERHEAD: number = 5 + XAES_NONCE_BYTES + XAES_TAG_BYTES;

/** The number of characters of a token, for the bytes of its payload. */
export function tokenLength(payloadBytes: number): number {
  return Math.ceil(((TOKEN_OVERHEAD + payloadBytes) * 4) / 3);
}

const VERSION = 1;
const HEADER_BYTES = 5;
const SEALED_OFFSET = HEADER_BYTES + XAES_NONCE_BYTES;
const AAD_LABEL = "kocha-session/v1\0";
/** A configuration's cookie name and its pieces need a few; an unbounded list would leak memory. */
const MAX_AADS = 64;

/** A token's bytes are used only within the call that seals or opens it. */
const scratch = createScratch(MAX_COOKIE_BYTES);

/** The reason that a text is no token of ours. */
export type TokenFault = "malformed" | "version" | "unknown-key" | "forged";

/** The content of a token. */
export interface OpenedToken {
  readonly payload: Uint8Array;
  /** True if the ring's current key sealed it. */
  readonly current: boolean;
}

/** Seals a payload with the ring's current key; the cookie's value. */
export function sealToken(
  ring: CookieKeyring,
  purpose: TokenPurpose,
  cookieName: string,
  payload: Uint8Array,
): string {
  const key = ring.current;
  const length = TOKEN_OVERHEAD + payload.length;
  const token = length <= MAX_COOKIE_BYTES ? scratch().subarray(0, length) : new Uint8Array(length);
  writeHeader(token, key.id);
  key.xaes.sealFresh(token, HEADER_BYTES, payload, additionalData(key, purpose, cookieName));
  return encodeBase64url(token);
}

/**
 * Opens a token that was sealed for this purpose and this cookie name.
 * @returns the reason if it isn't one. Never throws, whatever `text` holds.
 */
export function openToken(
  ring: CookieKeyring,
  purpose: TokenPurpose,
  cookieName: string,
  text: string,
): OpenedToken | TokenFault {
  // ORDER: the cheapest check comes first, and the payload is read only after the tag has been verified.
  if (text.length + cookieName.length > MAX_COOKIE_BYTES) return "malformed";
  const token = scratch();
  const length = writeBase64url(token, text, 0);
  if (length < TOKEN_OVERHEAD) return "malformed";
  if (token[0] !== VERSION) return "version";
  const key = ring.find(readId(token));
  if (key === undefined) return "unknown-key";
  const nonce = token.subarray(HEADER_BYTES, SEALED_OFFSET);
  const aad = additionalData(key, purpose, cookieName);
  const payload = key.xaes.open(nonce, token.subarray(SEALED_OFFSET, length), aad);
  return payload === undefined ? "forged" : { payload, current: key === ring.current };
}

function writeHeader(target: Uint8Array, id: number): void {
  target[0] = VERSION;
  target[1] = id >>> 24;
  target[2] = id >>> 16;
  target[3] = id >>> 8;
  target[4] = id;
}

/** The key id of a token, as the ring's number. */
function readId(token: Uint8Array): number {
  let id = 0;
  for (let index = 1; index < HEADER_BYTES; index++) id = id * 0x100 + (token[index] ?? 0);
  return id;
}

function additionalData(
  key: PreparedCookieKey,
  purpose: TokenPurpose,
  cookieName: string,
): Uint8Array {
  let byName = key.aad.get(purpose);
  if (byName === undefined) key.aad.set(purpose, (byName = new Map<string, Uint8Array>()));
  const known = byName.get(cookieName);
  if (known !== undefined) return known;
  const parts = [purpose, cookieName, ""].map(encodeUtf8);
  const framed = parts.flatMap((part) => [Uint8Array.of(part.length), part]);
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, key.id);
  const built = concatBytes([encodeUtf8(AAD_LABEL), ...framed, header]);
  // Parts have random names, which would fill the list and never be used again.
  if (purpose !== "part" && byName.size < MAX_AADS) byName.set(cookieName, built);
  return built;
}
