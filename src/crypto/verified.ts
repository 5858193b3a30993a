// What was verified lately, by its text: a client sends the same token or key until its session
// changes. It is bounded in bytes and knows no time: whoever asks checks the ends anew.
//
// A look-up is no oracle: it finds a text by its seeded hash or not at all, and compares whole texts
// only behind equal hashes.
import { encodeUtf8, readLatin1 } from "#crypto";

/** What an entry costs besides its text and its value, about, in bytes. */
const ENTRY_BYTES = 300;

interface Entry<Value> {
  readonly name: string;
  readonly value: Value;
  readonly bytes: number;
}

/** A bounded memory. Only what verified gets in, so that nobody can flood it. */
export class VerifiedTexts<Value> {
  readonly #half: number;
  /** Two generations: what is asked for again moves to the young one, what isn't goes with the old. */
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #bytes = 0;

  /** @param maxBytes - what all entries together may take, about; 0: none is kept. */
  constructor(maxBytes: number) {
    this.#half = maxBytes / 2;
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
   * Remembers a text that has just been verified for this cookie name.
   * @param bytes - what its value takes, about.
   */
  add(name: string, text: string, value: Value, bytes: number): void {
    const entry = { name, value, bytes: ENTRY_BYTES + text.length + bytes };
    if (entry.bytes <= this.#half) this.#keep(copyOf(text), entry);
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
