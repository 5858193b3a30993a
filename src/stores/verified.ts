// Tokens that were verified lately, with what they hold: a client sends the same one until its
// session changes. It is bounded in bytes and knows no time: whoever asks checks the ends anew.
import type { SessionPayload } from "../crypto/payload.ts";

/** What an entry costs besides its text, about, in bytes: the maps' share and the objects. */
const ENTRY_BYTES = 400;
/** The same for each pair of the session. */
const PAIR_BYTES = 100;

interface Entry {
  readonly name: string;
  readonly payload: SessionPayload;
}

/** A bounded memory of verified tokens. Only what verified gets in, so that nobody can flood it. */
export class VerifiedTokens {
  readonly #half: number;
  /** Two generations: what is asked for again moves to the young one, what isn't goes with the old. */
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #bytes = 0;

  /** @param maxBytes - what all entries together may take, about; 0: none is kept. */
  constructor(maxBytes: number) {
    this.#half = maxBytes / 2;
  }

  /** What a token of this cookie name held; undefined when it isn't known. */
  get(name: string, token: string): SessionPayload | undefined {
    const young = this.#young.get(token);
    if (young !== undefined) return young.name === name ? young.payload : undefined;
    const old = this.#old.get(token);
    if (old === undefined || old.name !== name) return undefined;
    this.add(name, token, old.payload);
    return old.payload;
  }

  /** Remembers a token that has just been verified for this cookie name. */
  add(name: string, token: string, payload: SessionPayload): void {
    const bytes = ENTRY_BYTES + 2 * token.length + PAIR_BYTES * payload.data.size;
    if (bytes > this.#half) return;
    if (this.#bytes + bytes > this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    this.#young.set(token, { name, payload });
  }
}
