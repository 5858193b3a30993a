// The value of express-session's cookie: a session id (sid) and its signature. It knows no session and
// no header.
//
//   "s:" sid "." base64 without padding of HMAC-SHA-256(secret, sid), percent-encoded as a whole
import { constantTimeEqual, encodeBase64url } from "#crypto";
import { decodeBase64 } from "../crypto/keyring.ts";
import type { HmacSha256 } from "../crypto/primitives.ts";
import type { RejectedReason } from "../events.ts";
import { bytesOf, decodeValue } from "./reader.ts";

const PREFIX = "s:";
const MAC_BYTES = 32;

/** The name of express-session's cookie, unless an application chooses another one. */
export const DEFAULT_NAME = "connect.sid";

/** A secret, ready to sign. */
export interface Signer {
  readonly sign: HmacSha256;
}

/** The content of a cookie that one of the secrets signed. */
export interface OpenedSid<Secret extends Signer> {
  readonly sid: string;
  /** The secret that signed it. */
  readonly signer: Secret;
}

/**
 * The sid in a cookie's value, as it stands in the Cookie header.
 * @returns the reason if none of the secrets signed it. Never throws, whatever `value` holds.
 */
export function openSid<Secret extends Signer>(
  value: string,
  secrets: readonly Secret[],
): OpenedSid<Secret> | RejectedReason {
  const text = decodeValue(value);
  const dot = text.lastIndexOf(".");
  const mac = decodeBase64(text.slice(dot + 1));
  if (!text.startsWith(PREFIX) || dot <= PREFIX.length || mac?.length !== MAC_BYTES)
    return "malformed";
  const sid = text.slice(PREFIX.length, dot);
  const bytes = bytesOf(sid);
  const signer = secrets.find(({ sign }) => constantTimeEqual(sign(bytes), mac));
  return signer === undefined ? "forged" : { sid, signer };
}

/** The signed sid, before its percent-encoding. */
export function sealSid(sid: string, { sign }: Signer): string {
  const mac = encodeBase64url(sign(bytesOf(sid)))
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return `${PREFIX}${sid}.${mac}`;
}
