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
  readonly sessionExpires?: number;
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

  /** "The ticket of a server-side session": its fields, or the reason why it isn't one. */
  openTicket(cookie: string, text: string) {
    const ticket = text.length === 60 ? fromBase64url(text) : undefined;
    if (ticket === undefined) return "malformed";
    if (ticket[0] !== 1) return "version";
    if (!ticket.subarray(1, 5).equals(this.#keys.tagId)) return "unknown-key";
    const name = Buffer.from(cookie, "utf8");
    const hmac = createHmac("sha256", this.#keys.tag);
    hmac.update(ticket.subarray(0, 29)).update(Buffer.of(name.length)).update(name);
    const tag = hmac.digest().subarray(0, 16);
    if (!timingSafeEqual(tag, ticket.subarray(29))) return "forged";
    return {
      selector: ticket.subarray(5, 21).toString("base64url"),
      generation: ticket.readUInt32BE(21),
      issued: ticket.readUInt32BE(25) * 1000,
    };
  }
}

/** Bytes that are read from their beginning; what isn't there throws. */
class Source {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Bytes {
    if (length > this.#bytes.length - this.#at) throw new RangeError("there is less");
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  rest(): Bytes {
    return this.#bytes.subarray(this.#at);
  }

  id(): string {
    return this.take(16).toString("base64url");
  }

  /** "Words": LEB128 in its shortest form, up to 2^53 - 1. */
  varint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const [byte = 0] = this.take(1);
      value += BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const isLong = byte === 0 && shift > 0n;
      if (isLong || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("no varint");
      return Number(value);
    }
  }

  text(): string {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(this.take(this.varint()));
  }

  /** A count, and so many of what `read` reads. */
  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.varint(); left > 0; left--) items.push(read());
    return items;
  }
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** "The payload"; undefined when it isn't canonical. */
export function decodePayload(payload: Bytes): DecodedSession | undefined {
  return orUndefined(() => readPayload(new Source(payload)));
}

function readPayload(source: Source): DecodedSession {
  const id = source.id();
  const mark = source.varint();
  const first = mark === 0 ? source.varint() : mark;
  const rev = Math.floor(first / 8);
  const created = source.take(4).readUInt32BE();
  const idle = source.varint();
  const issued = idle === 0 ? (created + source.varint()) * 1000 : 0;
  const absolute = source.varint();
  const lifetime = first % 2 === 1 ? { cookieExpires: source.varint() - 1 } : {};
  const idleTimeout = mark === 0 ? { sessionExpires: source.varint() } : {};
  if (idleTimeout.sessionExpires === 0) throw new RangeError("an idle timeout of 0");
  const binding = first % 4 >= 2 ? { subject: source.text(), boundAt: source.varint() } : {};
  const credential = first % 8 >= 4 ? { credential: source.id() } : {};
  const data: [string, string][] = [];
  let before: Bytes | undefined;
  while (!source.isDone) {
    const pair: [string, string] = [source.text(), source.text()];
    const key = Buffer.from(pair[0], "utf8");
    if (before !== undefined && Buffer.compare(before, key) >= 0) throw new RangeError("order");
    before = key;
    data.push(pair);
  }
  if (rev < 1) throw new RangeError("rev");
  return {
    id,
    rev,
    created: created * 1000,
    issued,
    idleExpires: idle === 0 ? null : (created + idle) * 1000,
    deadline: absolute === 0 ? null : (created + absolute) * 1000,
    ...lifetime,
    ...idleTimeout,
    ...binding,
    ...credential,
    data,
  };
}

/** A part as the vectors write it. */
export interface DecodedPart {
  readonly nonce: string | null;
  readonly floor: number;
  readonly covers: readonly string[];
  readonly stamps: Readonly<Record<string, number>>;
  readonly marks: Readonly<Record<string, number>>;
  readonly session: DecodedSession;
}

/** A tombstone as the vectors write it; a `rev` that is null: all its epochs are dead. */
export interface DecodedTombstone {
  readonly at: number;
  readonly until: number | null;
  readonly dead: readonly (readonly [string, number | null])[];
}

/** "Parts": a part or a tombstone; undefined when it is neither. */
export function decodePart(payload: Bytes): DecodedPart | DecodedTombstone | undefined {
  return orUndefined(() => {
    const source = new Source(payload);
    const kind = source.varint();
    if (kind === 0) return readTombstone(source);
    if (kind !== 1 && kind !== 3) throw new RangeError("kind");
    const nonce = kind === 3 ? source.id() : null;
    const floor = source.varint();
    const covers = source.list(() => source.take(4).toString("base64url"));
    let before = 0;
    const known = source.list(() => (before += source.varint()));
    const stampAt = (place: number): number => {
      const stamp = known[place];
      if (stamp === undefined) throw new RangeError("place");
      return stamp;
    };
    const places = source.list(() => stampAt(source.varint()));
    const marks = Object.fromEntries(
      source.list(() => [source.text(), stampAt(source.varint())] as const),
    );
    const session = readPayload(new Source(source.rest()));
    if (session.data.length !== places.length) throw new RangeError("keys");
    const stamps = Object.fromEntries(
      session.data.map(([key], index) => [key, places[index] ?? 0] as const),
    );
    return { nonce, floor, covers, stamps, marks, session };
  });
}

function readTombstone(source: Source): DecodedTombstone {
  const at = source.take(4).readUInt32BE();
  const until = source.varint();
  const dead: [string, number | null][] = [];
  while (!source.isDone) dead.push([source.id(), source.varint() || null]);
  return { at: at * 1000, until: until === 0 ? null : (at + until) * 1000, dead };
}
