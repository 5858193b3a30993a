// A memory of recently verified texts: a client sends the same token or ticket until its session changes. It
// is bounded in bytes and knows no time: callers check the ends of sessions again.
//
// A look-up is no oracle: it finds a text only by its seeded hash, and compares whole texts only after equal
// hashes.
import { encodeUtf8, readLatin1 } from "#crypto";

/** The approximate bytes of an entry besides its text and its value. */
const ENTRY_BYTES = 300;
/** The approximate bytes of a whole entry, from which the number of marks follows. */
const USUAL_BYTES = 1024;
/** At most 256 KB of marks, for any bound. */
const MAX_MARK_BITS = 16;
/** The last characters of a text belong to its tag, and are as good as random. */
const MARK_LENGTH = 6;

interface Entry<Value> {
  readonly name: string;
  readonly value: Value;
  readonly bytes: number;
}

/**
 * A bounded memory. A text is kept only after it was verified, so that nobody can flood the memory, and only
 * at its second sight: keeping a text that never comes again costs more than verifying it.
 */
export class VerifiedTexts<Value> {
  readonly #half: number;
  /** The marks of texts that were seen once, each at an index made from the mark. */
  readonly #seen: Int32Array;
  /** Two generations: entries that are used again move to the young one, the others go with the old. */
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #bytes = 0;

  /** @param maxBytes - the approximate limit of all entries together; 0: none is kept. */
  constructor(maxBytes: number) {
    this.#half = maxBytes / 2;
    const bits = Math.ceil(Math.log2(1 + maxBytes / USUAL_BYTES));
    this.#seen = new Int32Array(2 ** Math.min(MAX_MARK_BITS, bits));
  }

  /**
   * The value of a text that was verified for this name; undefined if unknown.
   * @param name - that of a cookie, or anything that a text is verified for: it passes for no other.
   */
  get(name: string, text: string): Value | undefined {
    // A look-up hashes the whole text.
    if (this.#half === 0) return undefined;
    const young = this.#young.get(text);
    if (young !== undefined) return young.name === name ? young.value : undefined;
    const old = this.#old.get(text);
    if (old === undefined || old.name !== name) return undefined;
    this.#keep(copyOf(text), old);
    return old.value;
  }

  /**
   * Remembers a text that has just been verified for this name, if it was seen recently.
   * @param bytes - the approximate bytes of its value.
   */
  add(name: string, text: string, value: Value, bytes: number): void {
    const entry = { name, value, bytes: ENTRY_BYTES + text.length + bytes };
    if (entry.bytes <= this.#half && this.#isKnown(text)) this.#keep(copyOf(text), entry);
  }

  /** True if it was seen before; two texts with the same mark are confused, which only costs a copy. */
  #isKnown(text: string): boolean {
    let mark = 1;
    for (let at = text.length - MARK_LENGTH; at < text.length; at++) {
      mark = (Math.imul(mark, 31) + text.charCodeAt(at)) | 0;
    }
    const place = mark & (this.#seen.length - 1);
    const known = this.#seen[place] === mark;
    this.#seen[place] = mark;
    return known;
  }

  #keep(text: string, entry: Entry<Value>): void {
    if (this.#bytes + entry.bytes > this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bytes = 0;
    }
    this.#bytes += entry.bytes;
    this.#young.set(text, entry);
  }
}

/** A copy, since a slice of a header would keep the whole header in memory. */
function copyOf(text: string): string {
  return readLatin1(encodeUtf8(text), 0, text.length);
}
