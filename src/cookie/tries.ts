// Limits on the cookies of one name that are tried in a request: a stranger's junk must neither shut the
// real one out nor cost unbounded time. It knows no key and no token.
import type { RejectedReason } from "../events.ts";

/** Tags that are checked for one name in a request: at worst some 64 short decryptions. */
export const MAX_CHECKED = 64;
/** Verified cookies of one name that are read; a client can hold several, by path and domain. */
const MAX_VERIFIED = 4;
/** The reason of a failed tag check; other cookies were refused before it, at almost no cost. */
const FORGED: RejectedReason = "forged";

/** The tries of one request's cookies of one name, or of the parts and pieces of one session. */
export class Tries {
  readonly #maxVerified: number;
  readonly #maxChecked: number;
  #checked = 0;
  #verified = 0;
  #refused = 0;

  /**
   * @param maxVerified - how many verified cookies are read.
   * @param maxChecked - how many tags are checked.
   */
  constructor(maxVerified: number = MAX_VERIFIED, maxChecked: number = MAX_CHECKED) {
    this.#maxVerified = maxVerified;
    this.#maxChecked = maxChecked;
  }

  /** True while another cookie may be tried. */
  get areLeft(): boolean {
    return this.#checked < this.#maxChecked && this.#verified < this.#maxVerified;
  }

  /** Notes a cookie that verified. */
  verified(): void {
    this.#checked++;
    this.#verified++;
  }

  /** Notes a refused cookie; true: it is reported to observers, which is limited too. */
  refused(reason: RejectedReason): boolean {
    if (reason === FORGED) this.#checked++;
    return ++this.#refused <= MAX_CHECKED;
  }
}
