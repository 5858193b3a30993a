// How many cookies of one name a request may have tried: a stranger's junk must neither shut the real
// one out nor cost more than a bounded time. It knows no key and no token.
import type { RejectedReason } from "../events.ts";

/** Tags that are checked for a name in one request: some 64 short decryptions at the worst. */
export const MAX_CHECKED = 64;
/** Cookies of one name that verify and are looked at; a client can hold several, by path and domain. */
const MAX_VERIFIED = 4;
/** What a tag's check says; anything else was refused before it, for next to nothing. */
const FORGED: RejectedReason = "forged";

/** The tries of one request's cookies of one name, or of the parts and pieces of one session. */
export class Tries {
  readonly #maxVerified: number;
  #checked = 0;
  #verified = 0;
  #refused = 0;

  /** @param maxVerified - how many that verify are looked at. */
  constructor(maxVerified: number = MAX_VERIFIED) {
    this.#maxVerified = maxVerified;
  }

  /** Whether another cookie is tried. */
  get areLeft(): boolean {
    return this.#checked < MAX_CHECKED && this.#verified < this.#maxVerified;
  }

  /** Notes a cookie that verified. */
  verified(): void {
    this.#checked++;
    this.#verified++;
  }

  /** Notes one that was refused; gives whether the observers are told of it, which is bounded too. */
  refused(reason: RejectedReason): boolean {
    if (reason === FORGED) this.#checked++;
    return ++this.#refused <= MAX_CHECKED;
  }
}
