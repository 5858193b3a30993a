// The common part of stores on whole values without compare-and-swap: a session is read, changed by the
// reference semantics, and written back. Within a process saves take turns; between processes the last
// writer wins.
import { type AppliedChange, applyChange, isRenewal, toSaved } from "./change.ts";
import { RowQueue, type Turn } from "./row-queue.ts";
import { encodeRecord } from "./record.ts";
import { isSelector } from "./selector.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "./contract.ts";

/** The stored session; undefined: none. */
type Kept = StoredSession | undefined;

/** A store that isn't atomic; subclasses know where sessions are kept. */
export abstract class WholeValueStore implements SessionStore {
  readonly capabilities = { atomic: false, durable: false } as const;
  protected readonly now: () => number;
  readonly #queue = new RowQueue<Kept>();

  /** @param now - Unix milliseconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  protected abstract read(selector: string): Promise<StoredSession | undefined>;
  /** @param isRenewal - true: nothing has changed, except the session's end. */
  protected abstract write(
    selector: string,
    stored: StoredSession,
    isRenewal: boolean,
  ): Promise<unknown>;
  protected abstract remove(selector: string): Promise<unknown>;

  /** True if a row can be kept under this selector. */
  protected accepts(selector: string): boolean {
    return isSelector(selector);
  }

  /** True if the change depends on the stored session. */
  protected readsBefore({ op }: SessionChange): boolean {
    return op !== "destroy";
  }

  /** The result of a change. */
  protected apply(before: Kept, change: SessionChange): AppliedChange {
    return applyChange(before, change, this.now());
  }

  /** True if a row that was read is the one that was written. */
  protected isSame(found: StoredSession, written: StoredSession): boolean {
    return encodeRecord(found) === encodeRecord(written);
  }

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!this.accepts(selector)) return undefined;
    // Loads take turns, too: a file that is being written holds half a session.
    const stored = await this.#queue.run(selector, () => this.read(selector));
    return stored !== undefined && stored.expires > this.now() ? stored : undefined;
  }

  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!this.accepts(selector)) return change.op === "destroy" ? toSaved(undefined) : undefined;
    return this.#queue.run(selector, (turn) => this.#apply(selector, change, turn));
  }

  async #apply(
    selector: string,
    change: SessionChange,
    turn: Turn<Kept>,
  ): Promise<SavedSession | undefined> {
    const before = this.readsBefore(change) ? await this.read(selector) : undefined;
    const { refused, stored } = this.apply(before, change);
    if (refused) return undefined;
    turn.assertHeld();
    await this.#put(selector, stored, isRenewal(change), turn);
    return toSaved(stored);
  }

  async #put(selector: string, kept: Kept, renews: boolean, turn: Turn<Kept>): Promise<void> {
    try {
      await (kept === undefined ? this.remove(selector) : this.write(selector, kept, renews));
      if (!turn.isOvertaken) turn.leave(kept);
    } finally {
      // A late logout is still a logout.
      if (turn.isOvertaken && kept !== undefined) void this.#putBack(selector, kept, turn);
    }
  }

  /** If a late write has replaced a newer value, writes the newer one again. */
  async #putBack(selector: string, late: StoredSession, { newer }: Turn<Kept>): Promise<void> {
    if (newer === undefined) return;
    const { value } = newer;
    try {
      await this.#queue.run(selector, async (turn) => {
        const found = await this.read(selector);
        if (found === undefined || !this.isSame(found, late)) return;
        if (!turn.isOvertaken) await this.#put(selector, value, false, turn);
      });
    } catch {
      // Nobody waits: the late save was answered as a timeout.
    }
  }
}
