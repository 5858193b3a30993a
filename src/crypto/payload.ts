// What a cookie session is inside its token: binary, canonical (equal sessions are equal bytes) and
// decoded totally, every length checked before it is believed. It knows no key and no cookie.
//
//   16 bytes   the session's id
//   [varint    0, if it has an idle timeout of its own: no revision is 0]
//   varint     rev * 8 + 4 if it has a credential of its own + 2 if it is bound
//              + 1 if it has a cookie lifetime of its own
//   4 bytes    created, Unix seconds, big-endian
//   varint     idle end, seconds after created; 0: none, and then
//     varint     issued, seconds after created
//   varint     absolute end, seconds after created; 0: none
//   [varint    its own cookieExpires + 1]
//   [varint    its own idle timeout, seconds over 0]
//   [varint, … the subject's length and UTF-8;  varint  bound at, Unix milliseconds]
//   [16 bytes  the credential's id]
//   then for each pair, ordered by the key's UTF-8 bytes, to the end:
//   varint, …, varint, …   the key's length and UTF-8, the value's length and UTF-8
//
// A varint is LEB128 of at most 53 bits in its shortest form.
import {
  createScratch,
  encodeBase64url,
  isAscii,
  readLatin1,
  readUtf8,
  writeBase64url,
  writeUtf8,
} from "#crypto";
import { countUnits, MAX_BYTES_PER_UNIT, utf8Length } from "../base/text.ts";

/** A sealed session; instants in Unix milliseconds. */
export interface SessionPayload {
  /** base64url of 16 bytes. */
  readonly id: string;
  /** base64url of 16 bytes; absent: the session's first credential, whose id is `id`. */
  readonly credential?: string | undefined;
  readonly rev: number;
  /** Whole seconds. */
  readonly created: number;
  /** When it was sealed, whole seconds; kept where there is no idle end, else 0. */
  readonly issued: number;
  /** Rounded up to whole seconds; Infinity: none. */
  readonly idleExpires: number;
  /** Rounded up to whole seconds; Infinity: none. */
  readonly deadline: number;
  readonly subject?: string | undefined;
  readonly boundAt?: number | undefined;
  /** Seconds, -1 or 0, as the configuration's `cookieExpires`. */
  readonly cookieExpires?: number | undefined;
  /** The session's own idle timeout: seconds over 0. */
  readonly sessionExpires?: number | undefined;
  readonly data: ReadonlyMap<string, string>;
}

const ID_BYTES = 16;
const SECOND = 1000;
/** Everything before the pairs but the subject: an upper bound. */
const FIXED_BYTES = 2 * ID_BYTES + 4 + 1 + 8 * 8;
/** The two lengths of a pair: an upper bound. */
const PAIR_BYTES = 2 * 5;
const HAS_LIFETIME = 1;
const IS_BOUND = 2;
const HAS_CREDENTIAL = 4;
const FLAGS = 8;
/** Stands before the revision of a session with an idle timeout of its own. */
const HAS_IDLE = 0;
/** A shorter text has its length in one byte, which is the character of that code. */
const SHORT_TEXT = 0x80;
const lengthCharacters = Array.from({ length: SHORT_TEXT }, (_, code) => String.fromCharCode(code));
/** So many at most are sorted by insertion, whose steps grow with the square of them. */
const FEW_KEYS = 64;
/** Holds the payload of every cookie, split ones too; a larger one gets memory of its own. */
const SCRATCH_BYTES = 16_384;

const scratch = createScratch(SCRATCH_BYTES);

/** The canonical bytes of a session. */
export function encodePayload(payload: SessionPayload): Uint8Array {
  // Node's scratch is a Buffer, whose own slice() would be borrowed memory too.
  return new Uint8Array(borrowPayload(payload));
}

/** As {@link encodePayload}, in memory that the next call writes over. */
export function borrowPayload(payload: SessionPayload): Uint8Array {
  const { credential, subject, boundAt, cookieExpires, sessionExpires, data } = payload;
  const pairs = shortPairs(data);
  const units = (subject?.length ?? 0) + (pairs === undefined ? countUnits(data) : pairs.length);
  const room = FIXED_BYTES + PAIR_BYTES * data.size + units * MAX_BYTES_PER_UNIT;
  const writer = new Writer(room <= SCRATCH_BYTES ? scratch() : new Uint8Array(room));
  writer.id(payload.id);
  const isBound = subject !== undefined && boundAt !== undefined;
  const flags =
    (credential === undefined ? 0 : HAS_CREDENTIAL) +
    (isBound ? IS_BOUND : 0) +
    (cookieExpires === undefined ? 0 : HAS_LIFETIME);
  if (sessionExpires !== undefined) writer.varint(HAS_IDLE);
  writer.varint(payload.rev * FLAGS + flags);
  const created = Math.floor(payload.created / SECOND);
  writer.uint32(created);
  writer.varint(secondsAfter(created, payload.idleExpires));
  if (payload.idleExpires === Infinity) {
    writer.varint(Math.max(0, Math.floor(payload.issued / SECOND) - created));
  }
  writer.varint(secondsAfter(created, payload.deadline));
  if (cookieExpires !== undefined) writer.varint(cookieExpires + 1);
  if (sessionExpires !== undefined) writer.varint(sessionExpires);
  if (isBound) {
    writer.text(subject);
    writer.varint(boundAt);
  }
  if (credential !== undefined) writer.id(credential);
  if (pairs === undefined || !writer.ascii(pairs)) writer.pairs(data);
  return writer.written;
}

/** The session of canonical bytes; undefined for any others. */
export function decodePayload(bytes: Uint8Array): SessionPayload | undefined {
  const reader = new Reader(bytes);
  const id = reader.id();
  const first = reader.varint();
  const hasIdle = first === HAS_IDLE;
  const numbers = hasIdle ? reader.varint() : first;
  const flags = numbers % FLAGS;
  const createdSeconds = reader.uint32();
  const created = createdSeconds * SECOND;
  const idle = reader.varint();
  const issued = idle === 0 ? created + reader.varint() * SECOND : 0;
  const deadline = reader.varint();
  const cookieExpires = (flags & HAS_LIFETIME) === 0 ? undefined : reader.varint() - 1;
  const sessionExpires = hasIdle ? reader.varint() : undefined;
  const subject = (flags & IS_BOUND) === 0 ? undefined : reader.text();
  const boundAt = subject === undefined ? undefined : reader.varint();
  const credential = (flags & HAS_CREDENTIAL) === 0 ? undefined : reader.id();
  const data = reader.failed ? undefined : (reader.asciiPairs() ?? reader.pairs());
  const rev = (numbers - flags) / FLAGS;
  if (data === undefined || rev < 1 || sessionExpires === 0) return undefined;
  const idleExpires = idle === 0 ? Infinity : created + idle * SECOND;
  const end = deadline === 0 ? Infinity : created + deadline * SECOND;
  return {
    id,
    credential,
    rev,
    created,
    issued,
    idleExpires,
    deadline: end,
    subject,
    boundAt,
    cookieExpires,
    sessionExpires,
    data,
  };
}

/** Rounded up: a session never ends before the instant that it was given. */
function secondsAfter(created: number, end: number): number {
  return end === Infinity ? 0 : Math.max(1, Math.ceil(end / SECOND) - created);
}

/** The keys in the order of their UTF-16 units, which for ASCII is that of their bytes. */
function sortedKeys(data: ReadonlyMap<string, string>): string[] {
  const keys = [...data.keys()];
  if (keys.length > FEW_KEYS) return keys.toSorted();
  // By insertion: what was read from a cookie and changed little is in order but for a key or two.
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] ?? "";
    let place = index;
    for (; place > 0 && (keys[place - 1] ?? "") > key; place--) keys[place] = keys[place - 1] ?? "";
    keys[place] = key;
  }
  return keys;
}

/**
 * Pairs of short texts, lengths and all, as one text, so that one call writes all of them;
 * undefined for any others. Where it isn't ASCII its lengths are wrong, and it mustn't be written.
 */
function shortPairs(data: ReadonlyMap<string, string>): string | undefined {
  let text = "";
  for (const key of sortedKeys(data)) {
    const value = data.get(key) ?? "";
    if (key.length >= SHORT_TEXT || value.length >= SHORT_TEXT) return undefined;
    text += `${lengthCharacters[key.length]}${key}${lengthCharacters[value.length]}${value}`;
  }
  return text;
}

/** The order of the keys' UTF-8 bytes, which is that of their code points, without making them. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const left = one.charCodeAt(index);
    const right = other.charCodeAt(index);
    if (left !== right) return sortWeight(left) - sortWeight(right);
  }
  return one.length - other.length;
}

/** Halves of surrogate pairs sort behind U+FFFF, where their code points stand. */
function sortWeight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/** Writes into room that was counted before. */
export class Writer {
  readonly #target: Uint8Array;
  #offset = 0;

  constructor(target: Uint8Array) {
    this.#target = target;
  }

  get written(): Uint8Array {
    return this.#target.subarray(0, this.#offset);
  }

  id(id: string): void {
    writeBase64url(this.#target, id, this.#offset);
    this.#offset += ID_BYTES;
  }

  bytes(bytes: Uint8Array): void {
    this.#target.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  uint32(value: number): void {
    const target = this.#target;
    target[this.#offset++] = value >>> 24;
    target[this.#offset++] = value >>> 16;
    target[this.#offset++] = value >>> 8;
    target[this.#offset++] = value;
  }

  varint(value: number): void {
    let rest = value;
    // Arithmetic, not shifts: the value may have 53 bits.
    while (rest >= 0x80) {
      this.#target[this.#offset++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#target[this.#offset++] = rest;
  }

  text(text: string): void {
    this.varint(utf8Length(text));
    this.#offset += writeUtf8(this.#target, text, this.#offset);
  }

  pairs(data: ReadonlyMap<string, string>): void {
    for (const key of [...data.keys()].toSorted(compareKeys)) {
      this.text(key);
      this.text(data.get(key) ?? "");
    }
  }

  /**
   * Writes a text whose characters are its bytes.
   * @returns false, with nothing written, for any other.
   */
  ascii(text: string): boolean {
    if (writeUtf8(this.#target, text, this.#offset) !== text.length) return false;
    this.#offset += text.length;
    return true;
  }
}

/** Reads to a first fault, after which everything is empty and `failed` says so. */
export class Reader {
  readonly #source: Uint8Array;
  #offset = 0;
  failed = false;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  id(): string {
    const start = this.#advance(ID_BYTES);
    return encodeBase64url(this.#source.subarray(start, this.#offset));
  }

  get done(): boolean {
    return this.#offset === this.#source.length;
  }

  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#source.subarray(start, this.#offset);
  }

  /** All that hasn't been read. */
  rest(): Uint8Array {
    return this.bytes(this.#source.length - this.#offset);
  }

  uint32(): number {
    const source = this.#source;
    const start = this.#advance(4);
    if (this.failed) return 0;
    let value = 0;
    for (let index = start; index < start + 4; index++)
      value = value * 0x100 + (source[index] ?? 0);
    return value;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor < Number.MAX_SAFE_INTEGER; factor *= 0x80) {
      const start = this.#advance(1);
      if (this.failed) return 0;
      const byte = this.#source[start] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      // A last byte of zero says nothing: the same number has a shorter form.
      if ((byte === 0 && factor > 1) || !Number.isSafeInteger(value)) break;
      return value;
    }
    this.failed = true;
    return 0;
  }

  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    if (this.failed) return "";
    const text = readUtf8(this.#source, start, this.#offset);
    if (text === undefined) this.failed = true;
    return text ?? "";
  }

  /** The pairs to the end; undefined when they aren't canonical. */
  pairs(): Map<string, string> | undefined {
    const data = new Map<string, string>();
    let before: string | undefined;
    while (!this.failed && this.#offset < this.#source.length) {
      const key = this.text();
      const value = this.text();
      // One order, so that one state has one form; it also makes every key unique.
      if (before !== undefined && compareKeys(before, key) >= 0) return undefined;
      data.set(key, value);
      before = key;
    }
    return this.failed ? undefined : data;
  }

  /** The same for pairs of short ASCII texts, cut out of one text; undefined for any others. */
  asciiPairs(): Map<string, string> | undefined {
    const source = this.#source;
    if (!isAscii(source, this.#offset)) return undefined;
    const text = readLatin1(source, this.#offset, source.length);
    const data = new Map<string, string>();
    let before: string | undefined;
    for (let offset = 0; offset < text.length;) {
      const keyEnd = offset + 1 + text.charCodeAt(offset);
      const valueEnd = keyEnd + 1 + text.charCodeAt(keyEnd);
      const key = text.slice(offset + 1, keyEnd);
      // Behind the end there is no length: NaN, which is smaller than nothing.
      if (!(valueEnd <= text.length) || (before !== undefined && before >= key)) return undefined;
      data.set(key, text.slice(keyEnd + 1, valueEnd));
      before = key;
      offset = valueEnd;
    }
    return data;
  }

  /** Where the next `length` bytes begin; a length that isn't there is a fault. */
  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.#source.length - start) {
      this.failed = true;
      this.#offset = this.#source.length;
      return start;
    }
    this.#offset = start + length;
    return start;
  }
}
