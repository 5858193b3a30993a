// The numbers and texts of a binary format. Reading is total: every length is checked before it is used. It
// knows no session and no key.
//
// A varint is LEB128 of at most 53 bits in its shortest form; a text is its length in bytes, as a
// varint, and its UTF-8.
import { encodeBase64url, readUtf8, writeBase64url, writeUtf8 } from "#crypto";
import { utf8Length } from "../base/text.ts";

/** The bytes of an id. */
export const ID_BYTES = 16;

/** Writes into memory that the caller has measured. */
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

  /**
   * Writes ASCII without its length.
   * @returns false, with nothing written, for any other text.
   */
  ascii(text: string): boolean {
    if (writeUtf8(this.#target, text, this.#offset) !== text.length) return false;
    this.#offset += text.length;
    return true;
  }
}

/** Reads until a first fault; after it `failed` is set, and every read is empty. */
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

  /** The unread bytes. */
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
      // A last byte of zero is refused: the number has a shorter form.
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

  /** The unread bytes as a text, without reading them; undefined unless they are ASCII. */
  get ascii(): string | undefined {
    const text = readUtf8(this.#source, this.#offset, this.#source.length);
    // Only ASCII has as many UTF-16 units as UTF-8 bytes.
    return text?.length === this.#source.length - this.#offset ? text : undefined;
  }

  /** The offset of the next `length` bytes, which count as read; too few bytes are a fault. */
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
