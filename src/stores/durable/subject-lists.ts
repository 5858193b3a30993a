// A worker's side of the subjects' lists. ORDER: a place is claimed before the session names it, and released when
// the session no longer names it, so that no live session is ever missing.
import type { StoreOperation } from "../../errors.ts";
import type { SessionChange } from "../../store/contract.ts";
import { DurableCaller } from "./caller.ts";
import type { DurableNamespace } from "./platform.ts";
import { type Claim, type GoneClaim, type Member, type SubjectCalls, toWire } from "./protocol.ts";

/** A commit claims once, or twice where the session's end turns out later than expected. */
const MAX_CLAIMS = 3;

/** The lists of all subjects. */
export class SubjectLists {
  readonly #caller: DurableCaller<SubjectCalls>;

  constructor(namespace: DurableNamespace, prefix: string) {
    this.#caller = new DurableCaller(namespace, prefix);
  }

  /**
   * A place for a session that ends `span` milliseconds from now, or at `expires` if that is later, and at `deadline`
   * at the latest.
   */
  async claim(
    subject: string,
    id: string,
    end: { readonly span: number; readonly expires: number; readonly deadline: number },
  ): Promise<Claim> {
    const fields = {
      id,
      span: toWire(end.span),
      expires: toWire(end.expires),
      deadline: toWire(end.deadline),
    };
    return { subject, ...(await this.#caller.ask("save", subject, "claim", fields)) };
  }

  /** Releases places. It ignores a failure: a place that stays is later recognized as stale. */
  async release(subject: string, claims: readonly Pick<Member, "id" | "claim">[]): Promise<void> {
    if (claims.length === 0) return;
    const places = claims.map(({ id, claim }) => ({ id, claim }));
    await this.#caller.ask("save", subject, "release", { claims: places }).catch(() => undefined);
  }

  /** All places at one moment. */
  members(operation: StoreOperation, subject: string): Promise<readonly Member[]> {
    return this.#caller.ask(operation, subject, "members", {});
  }
}

/** The places that one commit has claimed. */
export class CommitClaims {
  readonly #lists: SubjectLists;
  readonly #id: string;
  readonly #change: SessionChange;
  readonly #claimed: Claim[] = [];

  constructor(lists: SubjectLists, id: string, change: SessionChange) {
    this.#lists = lists;
    this.#id = id;
    this.#change = change;
  }

  /** The newest place; undefined: none was claimed. */
  get current(): Claim | undefined {
    return this.#claimed.at(-1);
  }

  /** True when another claim would be one too many: another request competes, or clocks are far off. */
  get isExhausted(): boolean {
    return this.#claimed.length >= MAX_CLAIMS;
  }

  /** Claims for a change that binds, where the session's end is known without the session. */
  async claimFirst(): Promise<void> {
    const { subject, ttl, op } = this.#change;
    if (op !== "destroy" && typeof subject === "string" && ttl > 0)
      await this.claimAgain(subject, 0);
  }

  /**
   * Claims the place that the session asked for.
   * @param expires - when the session would end, Unix milliseconds.
   */
  async claimAgain(subject: string, expires: number): Promise<void> {
    const { ttl, deadline } = this.#change;
    // Twice the idle timeout: then most renewals need no new claim.
    const end = { span: 2 * ttl, expires, deadline };
    this.#claimed.push(await this.#lists.claim(subject, this.#id, end));
  }

  /** Releases the places that the session doesn't name. */
  async settle(isApplied: boolean, gone: GoneClaim | undefined): Promise<void> {
    const unused: readonly GoneClaim[] = isApplied ? this.#claimed.slice(0, -1) : this.#claimed;
    const places = gone === undefined ? unused : [...unused, gone];
    await Promise.all(
      places.map(({ subject, claim }) => this.#lists.release(subject, [{ id: this.#id, claim }])),
    );
  }
}
