// The part of msgpack that Kocha's session needs: one map of strings. It writes the old raw family,
// as Kocha's Go codec does without WriteExt, and also reads newer writers' types of strings.
//
//   map   80-8f, de u16, df u32
//   raw   a0-bf, da u16, db u32;  read as well: d9 u8 (str8), c4 u8, c5 u16, c6 u32 (bin)
import { encodeUtf8, readUtf8 } from "#crypto";

/** The entries of a map of strings; Go strings are bytes, so some may not be text. */
export interface DecodedMap {
  readonly data: Map<string, string>;
  /** Keys of the entries whose value isn't UTF-8, or a placeholder for a key that isn't. */
  readonly skipped: readonly string[];
}

/** The placeholder in `skipped` for a key that isn't UTF-8. */
const UNREADABLE_KEY = "(a key that is not UTF-8)";

/** The msgpack bytes of a map, in the map's own order. */
export function encodeStringMap(data: ReadonlyMap<string, string>): Uint8Array {
  const parts: Uint8Array[] = [head(data.size, 0x80, 16, 0xde)];
  for (const pair of data) {
    for (const text of pair) {
      const bytes = encodeUtf8(text);
      parts.push(head(bytes.length, 0xa0, 32, 0xda), bytes);
    }
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A length: in the first byte below `fixLimit`, else after the type byte `wide` (16 bits) or the next one (32 bits). */
function head(length: number, fixed: number, fixLimit: number, wide: number): Uint8Array {
  if (length < fixLimit) return Uint8Array.of(fixed | length);
  if (length < 0x1_0000) return Uint8Array.of(wide, length >>> 8, length & 0xff);
  return Uint8Array.of(
    wide + 1,
    length >>> 24,
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
  );
}

/**
 * Decodes bytes that are exactly one map of strings; the last of equal keys counts.
 * @returns undefined for anything else. A false length allocates nothing.
 */
export function decodeStringMap(bytes: Uint8Array): DecodedMap | undefined {
  const reader = new Reader(bytes);
  const count = reader.count();
  // Each entry needs at least two bytes: an impossible count is refused before the loop.
  if (count === undefined || count * 2 > bytes.length) return undefined;
  const data = new Map<string, string>();
  const skipped: string[] = [];
  for (let left = count; left > 0; left--) {
    const key = reader.raw();
    const value = reader.raw();
    if (key === undefined || value === undefined) return undefined;
    const name = readUtf8(key, 0, key.length);
    const text = readUtf8(value, 0, value.length);
    if (name !== undefined && text !== undefined) data.set(name, text);
    else skipped.push(name ?? UNREADABLE_KEY);
  }
  return reader.done ? { data, skipped } : undefined;
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** How many entries a map has. */
  count(): number | undefined {
    const first = this.#number(1);
    if (first === undefined) return undefined;
    if (first >= 0x80 && first <= 0x8f) return first & 0x0f;
    if (first === 0xde) return this.#number(2);
    return first === 0xdf ? this.#number(4) : undefined;
  }

  /** The bytes of a string. */
  raw(): Uint8Array | undefined {
    const length = this.#rawLength();
    if (length === undefined || length > this.#bytes.length - this.#offset) return undefined;
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  #rawLength(): number | undefined {
    const first = this.#number(1);
    if (first === undefined) return undefined;
    if (first >= 0xa0 && first <= 0xbf) return first & 0x1f;
    if (first === 0xd9 || first === 0xc4) return this.#number(1);
    if (first === 0xda || first === 0xc5) return this.#number(2);
    return first === 0xdb || first === 0xc6 ? this.#number(4) : undefined;
  }

  /** A big-endian number of `size` bytes. */
  #number(size: number): number | undefined {
    if (size > this.#bytes.length - this.#offset) return undefined;
    let value = 0;
    for (let left = size; left > 0; left--) {
      value = value * 256 + (this.#bytes[this.#offset] ?? 0);
      this.#offset++;
    }
    return value;
  }
}
