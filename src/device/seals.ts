// What the endpoint hands out, each sealed by an HMAC, so that nothing of it is stored: device cookies,
// challenges, offers and identifiers. The bytes of each, before base64url without padding:
//
//   byte  0       kind
//   bytes 1..4    key id, of the ring's secret
//   bytes 5..     the content
//   last 16       tag: HMAC-SHA-256, cut, over all before it and the context, each text of which is preceded
//                 by its length in two bytes
import {
  constantTimeEqual,
  createHmacSha256,
  decodeBase64url,
  encodeBase64url,
  encodeUtf8,
} from "#crypto";
import type { DerivingRing } from "../crypto/keyring.ts";
import type { HmacSha256 } from "../crypto/primitives.ts";

/** What is sealed: one kind never passes for another. */
export const sealKinds = { cookie: 1, challenge: 2, offer: 3, identifier: 4 } as const;
type SealKind = (typeof sealKinds)[keyof typeof sealKinds];

/** Every use of a secret has a label of its own: see crypto/keyring.ts. */
const LABEL = "kocha-session/v1/device";
const HEAD_BYTES = 5;
const TAG_BYTES = 16;
/** The identifier of a key of RS256 with 4096 bits has 734 characters. */
const MAX_LENGTH = 800;

/** Seals with the ring's current secret, and opens with all. */
export class Seals {
  readonly #ring: DerivingRing;
  readonly #name: string;
  readonly #tags = new Map<number, HmacSha256>();

  /** @param name - the session cookie's name: what is sealed for one opens for no other. */
  constructor(ring: DerivingRing, name: string) {
    this.#ring = ring;
    this.#name = name;
  }

  /** The sealed content, in base64url. */
  seal(kind: SealKind, content: Uint8Array, context: readonly string[] = []): string {
    const { id } = this.#ring.current;
    const body = new Uint8Array(HEAD_BYTES + content.length);
    body[0] = kind;
    new DataView(body.buffer).setUint32(1, id);
    body.set(content, HEAD_BYTES);
    const sealed = new Uint8Array(body.length + TAG_BYTES);
    sealed.set(body);
    sealed.set(this.#tag(id, body, context) ?? [], body.length);
    return encodeBase64url(sealed);
  }

  /** The content of what was sealed here; undefined for anything else. Never throws. */
  open(
    kind: SealKind,
    sealed: string,
    context: readonly string[] = [],
  ): Uint8Array<ArrayBuffer> | undefined {
    // ORDER: length, kind and tag; nothing else is read before the tag is verified.
    if (sealed.length > MAX_LENGTH) return undefined;
    const bytes = decodeBase64url(sealed);
    if (bytes === undefined || bytes.length < HEAD_BYTES + TAG_BYTES || bytes[0] !== kind) {
      return undefined;
    }
    const body = bytes.subarray(0, -TAG_BYTES);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    const tag = this.#tag(id, body, context);
    if (tag === undefined || !constantTimeEqual(tag, bytes.subarray(-TAG_BYTES))) return undefined;
    return new Uint8Array(body.subarray(HEAD_BYTES));
  }

  #tag(id: number, body: Uint8Array, context: readonly string[]): Uint8Array | undefined {
    const hmac = this.#tags.get(id) ?? this.#derive(id);
    const framed = [this.#name, ...context].flatMap((text) => {
      const bytes = encodeUtf8(text);
      return [Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes];
    });
    return hmac?.(body, ...framed).subarray(0, TAG_BYTES);
  }

  #derive(id: number): HmacSha256 | undefined {
    const key = this.#ring.find(id);
    if (key === undefined) return undefined;
    const hmac = createHmacSha256(key.derive(LABEL));
    this.#tags.set(id, hmac);
    return hmac;
  }
}
