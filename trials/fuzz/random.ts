// A seeded source of hostile bytes and strings, so that a failing input can be reproduced.

/** The 32-bit generator xorshift (Marsaglia 2003): small and seeded, not for secrets. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Text of one alphabet, at most `limit` units. */
  text(alphabet: string, limit: number): string {
    const length = this.below(limit + 1);
    return Array.from({ length }, () => alphabet.charAt(this.below(alphabet.length))).join("");
  }

  /** `text` with one to three faults: a flip, a cut, an insertion, a splice with `other`. */
  damage(text: string, other: string, alphabet: string): string {
    let damaged = text;
    for (let faults = 1 + this.below(3); faults > 0; faults--) {
      const at = this.below(damaged.length + 1);
      const unit = alphabet.charAt(this.below(alphabet.length));
      damaged = this.pick<() => string>([
        () => damaged.slice(0, at) + unit + damaged.slice(at + 1),
        () => damaged.slice(0, at),
        () => damaged.slice(at),
        () => damaged.slice(0, at) + unit + damaged.slice(at),
        () => damaged.slice(0, at) + other.slice(this.below(other.length + 1)),
        () => damaged + unit,
      ])();
    }
    return damaged;
  }
}
