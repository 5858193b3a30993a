// The token a second time, written from docs/token-format.md alone on node:crypto's primitives, as
// someone would in another language. It imports nothing of src: what the page leaves out is missing.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";

type Bytes = Buffer;

/** A session as the vectors write it: Unix milliseconds, null for an end that is none. */
export interface DecodedSession {
  readonly id: string;
  readonly rev: number;
  readonly created: number;
  readonly issued: number;
  readonly idleExpires: number | null;
  readonly deadline: number | null;
  readonly cookieExpires?: number;
  readonly subject?: string;
  readonly boundAt?: number;
  readonly credential?: string;
  readonly data: readonly (readonly [string, string])[];
}

/** "base64url": one spelling for the same bytes. */
function fromBase64url(text: string): Bytes | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

function hkdf(material: Bytes, info: string, length: number): Bytes {
  return Buffer.from(hkdfSync("sha256", material, "", info, length));
}

/** "Keys": both keys with their lengths, as input keying material. */
function derive({ secretKey, signingKey }: { secretKey: string; signingKey: string }) {
  const [secret, signing] = [Buffer.from(secretKey, "base64"), Buffer.from(signingKey, "base64")];
  const both = Buffer.concat([Buffer.of(0x20), secret, Buffer.of(0x20), signing]);
  return {
    token: hkdf(both, "kocha-session/v1/cookie", 32),
    tokenId: hkdf(both, "kocha-session/v1/kid", 4),
    tag: hkdf(signing, "kocha-session/v1/key", 32),
    tagId: hkdf(signing, "kocha-session/v1/key-id", 4),
  };
}

function xor(one: Bytes, other: Bytes): Bytes {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}

/** "XAES-256-GCM", steps 1 to 3: the key of one message. */
function messageKey(key: Bytes, nonce: Bytes): Bytes {
  const block = (input: Bytes): Bytes => {
    const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(input), cipher.final()]);
  };
  const l = BigInt(`0x${block(Buffer.alloc(16)).toString("hex")}`);
  const doubled = BigInt.asUintN(128, l << 1n) ^ (l >> 127n === 1n ? 0x87n : 0n);
  const k1 = Buffer.from(doubled.toString(16).padStart(32, "0"), "hex");
  const half = nonce.subarray(0, 12);
  const [m1, m2] = [1, 2].map((i) => Buffer.concat([Buffer.of(0, i, 0x58, 0), half]));
  return Buffer.concat([m1, m2].map((message) => block(xor(message ?? half, k1))));
}

function xaesSeal(key: Bytes, nonce: Bytes, plaintext: Bytes, aad: Bytes): Bytes {
  const cipher = createCipheriv("aes-256-gcm", messageKey(key, nonce), nonce.subarray(12), {
    authTagLength: 16,
  });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function xaesOpen(key: Bytes, nonce: Bytes, sealed: Bytes, aad: Bytes): Bytes | undefined {
  const decipher = createDecipheriv("aes-256-gcm", messageKey(key, nonce), nonce.subarray(12), {
    authTagLength: 16,
  });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** "The token": the additional data. */
function additionalData(purpose: string, cookie: string, header: Bytes): Bytes {
  const framed = (text: string): Bytes => {
    const bytes = Buffer.from(text, "utf8");
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  };
  const label = Buffer.from("kocha-session/v1\0");
  return Buffer.concat([label, framed(purpose), framed(cookie), Buffer.of(0), header]);
}

/** A reader of the whole page for one pair of keys. */
export class PageReader {
  readonly #keys: ReturnType<typeof derive>;

  constructor(keys: { readonly secretKey: string; readonly signingKey: string }) {
    this.#keys = derive(keys);
  }

  /** "The token", written. */
  seal(purpose: string, cookie: string, nonce: Bytes, payload: Bytes): string {
    const header = Buffer.concat([Buffer.of(1), this.#keys.tokenId]);
    const aad = additionalData(purpose, cookie, header);
    const sealed = xaesSeal(this.#keys.token, nonce, payload, aad);
    return Buffer.concat([header, nonce, sealed]).toString("base64url");
  }

  /** "Order of checks", 1 to 5: the payload, or the reason why there is none. */
  open(purpose: string, cookie: string, value: string): Bytes | string {
    if (value.length + Buffer.byteLength(cookie) > 4096) return "malformed";
    const token = fromBase64url(value);
    if (token === undefined || token.length < 45) return "malformed";
    if (token[0] !== 1) return "version";
    if (!token.subarray(1, 5).equals(this.#keys.tokenId)) return "unknown-key";
    const aad = additionalData(purpose, cookie, token.subarray(0, 5));
    const nonce = token.subarray(5, 29);
    return xaesOpen(this.#keys.token, nonce, token.subarray(29), aad) ?? "forged";
  }

  /** "A session in several cookies": the whole payloads, and what was wrong with the others. */
  join(name: string, cookies: readonly { readonly name: string; readonly token: string }[]) {
    const sets = new Map<string, Bytes[]>();
    const rejected: string[] = [];
    for (const cookie of cookies) {
      const piece = this.open("piece", cookie.name, cookie.token);
      if (typeof piece === "string") {
        rejected.push(piece);
        continue;
      }
      const [place = 0, count = 0] = piece.subarray(8, 10);
      if (cookie.name !== `${name}.split${place}`) continue;
      const set = `${piece.subarray(0, 8).toString("hex")} ${count}`;
      const slices = sets.get(set) ?? Array.from<Bytes>({ length: count });
      slices[place - 1] = piece.subarray(10);
      sets.set(set, slices);
    }
    const whole: Bytes[] = [];
    for (const slices of sets.values()) {
      if (slices.includes(undefined as unknown as Bytes)) rejected.push("incomplete");
      else whole.push(Buffer.concat(slices));
    }
    return { whole, rejected };
  }

  /** "The key of a server-side session": its fields, or the reason why it isn't one. */
  openKey(cookie: string, text: string) {
    const key = text.length === 60 ? fromBase64url(text) : undefined;
    if (key === undefined) return "malformed";
    if (key[0] !== 1) return "version";
    if (!key.subarray(1, 5).equals(this.#keys.tagId)) return "unknown-key";
    const name = Buffer.from(cookie, "utf8");
    const hmac = createHmac("sha256", this.#keys.tag);
    hmac.update(key.subarray(0, 29)).update(Buffer.of(name.length)).update(name);
    const tag = hmac.digest().subarray(0, 16);
    if (!timingSafeEqual(tag, key.subarray(29))) return "forged";
    return {
      selector: key.subarray(5, 21).toString("base64url"),
      generation: key.readUInt32BE(21),
      issued: key.readUInt32BE(25) * 1000,
    };
  }
}

/** "The payload"; undefined when it isn't canonical. */
export function decodePayload(payload: Bytes): DecodedSession | undefined {
  let at = 0;
  const take = (length: number): Bytes => {
    if (length > payload.length - at) throw new RangeError("there is less");
    return payload.subarray(at, (at += length));
  };
  const varint = (): number => {
    const start = at;
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const [byte = 0] = take(1);
      value += BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const isLong = byte === 0 && at - start > 1;
        if (isLong || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("no varint");
        return Number(value);
      }
    }
  };
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = (): string => decoder.decode(take(varint()));
  try {
    const id = take(16).toString("base64url");
    const first = varint();
    const rev = Math.floor(first / 8);
    const created = take(4).readUInt32BE();
    const idle = varint();
    const issued = idle === 0 ? (created + varint()) * 1000 : 0;
    const absolute = varint();
    const lifetime = first % 2 === 1 ? { cookieExpires: varint() - 1 } : {};
    const binding = first % 4 >= 2 ? { subject: text(), boundAt: varint() } : {};
    const credential = first % 8 >= 4 ? { credential: take(16).toString("base64url") } : {};
    const data: [string, string][] = [];
    let before: Bytes | undefined;
    while (at < payload.length) {
      const pair: [string, string] = [text(), text()];
      const key = Buffer.from(pair[0], "utf8");
      if (before !== undefined && Buffer.compare(before, key) >= 0) return undefined;
      before = key;
      data.push(pair);
    }
    if (rev < 1) return undefined;
    return {
      id,
      rev,
      created: created * 1000,
      issued,
      idleExpires: idle === 0 ? null : (created + idle) * 1000,
      deadline: absolute === 0 ? null : (created + absolute) * 1000,
      ...lifetime,
      ...binding,
      ...credential,
      data,
    };
  } catch {
    return undefined;
  }
}
