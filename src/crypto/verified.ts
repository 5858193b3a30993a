// What was verified lately, by its text: a client sends the same token or key until its session
// changes. It is bounded in bytes and knows no time: whoever asks checks the ends anew.
//
// A look-up is no oracle: it finds a text by its seeded hash or not at all, and compares whole texts
// only behind equal hashes.
import { encodeUtf8, readLatin1 } from "#crypto";

/** What an entry costs besides its text and its value, about, in bytes. */
const ENTRY_BYTES = 300;
/** About what an entry takes in all: as many texts are noted at their first sight as there is room for. */
const USUAL_BYTES = 1024;
/** 256 KB of marks, whatever the bound. */
const MAX_MARK_BITS = 16;
/** The last characters of a text, which are those of a tag: as good as random. */
const MARK_LENGTH = 6;

interface Entry<Value> {
  readonly name: string;
  readonly value: Value;
  readonly bytes: number;
}

/**
 * A bounded memory. Only what verified gets in, so that nobody can flood it, and only at its second
 * sight: to keep what never comes again costs more than to verify it.
 */
export class VerifiedTexts<Value> {
  readonly #half: number;
  /** The marks of texts that were seen once, each in the place that it says. */
  readonly #seen: Int32Array;
  /** Two generations: what is asked for again moves to the young one, what isn't goes with the old. */
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #bytes = 0;

  /** @param maxBytes - what all entries together may take, about; 0: none is kept. */
  constructor(maxBytes: number) {
    this.#half = maxBytes / 2;
    const bits = Math.ceil(Math.log2(1 + maxBytes / USUAL_BYTES));
    this.#seen = new Int32Array(2 ** Math.min(MAX_MARK_BITS, bits));
  }

  /** What a text that was verified for this cookie name stands for; undefined when it isn't known. */
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
   * Remembers a text that has just been verified for this cookie name, if it was lately before.
   * @param bytes - what its value takes, about.
   */
  add(name: string, text: string, value: Value, bytes: number): void {
    const entry = { name, value, bytes: ENTRY_BYTES + text.length + bytes };
    if (entry.bytes <= this.#half && this.#isKnown(text)) this.#keep(copyOf(text), entry);
  }

  /** Whether it was seen before; two texts with one mark are taken for one, which costs a copy. */
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

/** A string of its own: a part of a header would keep the whole header in memory. */
function copyOf(text: string): string {
  return readLatin1(encodeUtf8(text), 0, text.length);
}
