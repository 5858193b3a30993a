// The proof of a device: a JWT in the header Secure-Session-Response. Reading it is total, since anyone may
// send one. It knows no key and no signature.
import { decodeBase64url, encodeUtf8, readUtf8 } from "#crypto";

/** A proof, before it is verified. */
export interface DeviceProof {
  readonly algorithm: string;
  /** The key, which only a registration brings. */
  readonly jwk: unknown;
  readonly challenge: string;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** The bytes that are signed. */
  readonly signed: Uint8Array<ArrayBuffer>;
}

/** Header, claims and signature of a JWT (RFC 7515 section 3.1), each long enough for a key of 4096 bits. */
const JWT = /^([A-Za-z0-9_-]{1,2048})\.([A-Za-z0-9_-]{1,1024})\.([A-Za-z0-9_-]{1,700})$/;

/** The text of a structured field's string (RFC 9651 section 3.3.3), or the bare text that Chromium sends. */
export function bareText(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined ? undefined : (/^"([^"\\]*)"$/.exec(trimmed)?.[1] ?? trimmed);
}

/** The proof in a header's text; undefined if it is none. */
export function readProof(text: string | undefined): DeviceProof | undefined {
  const [, head = "", body = "", mac = ""] = JWT.exec(text ?? "") ?? [];
  const { typ, alg, jwk } = readJson(head);
  const { jti } = readJson(body);
  const signature = decodeBase64url(mac);
  if (typ !== "dbsc+jwt" || typeof alg !== "string" || typeof jti !== "string") return undefined;
  if (signature === undefined) return undefined;
  return {
    algorithm: alg,
    jwk,
    challenge: jti,
    signature: new Uint8Array(signature),
    signed: new Uint8Array(encodeUtf8(`${head}.${body}`)),
  };
}

/** The object in a part of a JWT; an empty one for anything else. */
function readJson(part: string): Readonly<Record<string, unknown>> {
  try {
    const bytes = decodeBase64url(part) ?? new Uint8Array();
    return Object(JSON.parse(readUtf8(bytes, 0, bytes.length) ?? "null")) as Record<
      string,
      unknown
    >;
  } catch {
    return {};
  }
}
