// The part of a commit in a subject's index, before and after its script runs. ORDER: a place is
// claimed before the hash names it, and released when the hash no longer names it.
import type { SessionChange } from "../../store/contract.ts";
import type { Claim, ClaimEnd, SubjectIndex } from "./subject-index.ts";
import { MARGIN_MS } from "./lua.ts";
import { readBinding } from "./row.ts";

/** A commit claims once, or twice where the session's end turns out later than expected. */
const MAX_CLAIMS = 3;

/** The places that one commit has claimed. */
export class CommitClaims {
  readonly #index: SubjectIndex;
  readonly #id: string;
  readonly #change: SessionChange;
  readonly #claimed: { readonly subject: string; readonly claim: string }[] = [];
  /** "claim bound subject", for the script; undefined: no claim. */
  binding: string | undefined;

  constructor(index: SubjectIndex, id: string, change: SessionChange) {
    this.#index = index;
    this.#id = id;
    this.#change = change;
  }

  /** True when another claim would be one too many: another process competes, or clocks are far off. */
  get exhausted(): boolean {
    return this.#claimed.length >= MAX_CLAIMS;
  }

  /** The claim for a change that binds, where the session's end is known without the hash. */
  claimFirst(): Promise<Claim | undefined> | undefined {
    const { subject, ttl, deadline } = this.#change;
    if (typeof subject !== "string") return undefined;
    // Twice the idle timeout: then most renewals need no new claim.
    if (ttl > 0) return this.#claim(subject, "now", 2 * ttl);
    return deadline === Infinity ? undefined : this.#claim(subject, deadline, 0);
  }

  /**
   * The claim that the script asked for.
   * @param expires - when the session would end, Unix milliseconds.
   */
  claimAgain(subject: string, expires: number): Promise<Claim> {
    return this.#claim(subject, expires, this.#change.ttl);
  }

  /**
   * Releases the places that the hash doesn't name.
   * @param gone - the field u that the hash had before, "" where it had none or still has it.
   */
  settle(isApplied: boolean, gone: string): void {
    const unused = isApplied ? this.#claimed.slice(0, -1) : this.#claimed;
    for (const { subject, claim } of unused) this.#release(subject, claim);
    const before = readBinding(gone);
    if (before !== undefined) this.#release(before.subject, before.claim);
  }

  async #claim(subject: string, base: ClaimEnd["base"], add: number): Promise<Claim> {
    const { deadline } = this.#change;
    const end = { base, add: add + MARGIN_MS, deadline };
    const place = await this.#index.claim(subject, this.#id, end);
    this.#claimed.push({ subject, claim: place.claim });
    this.binding = place.binding;
    return place;
  }

  #release(subject: string, claim: string): void {
    this.#index.release(subject, [{ id: this.#id, claim }]);
  }
}
