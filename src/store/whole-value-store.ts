// What stores on top of whole values have in common, where nothing underneath compares and swaps: a
// session is read, changed by the reference semantics, and written back. Within one process nobody
// races; between processes the last writer wins.
import { applyChange, toSaved } from "./change.ts";
import { RowQueue, type Turn } from "./row-queue.ts";
import { encodeRecord } from "./record.ts";
import { isSelector } from "./selector.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "./contract.ts";

/** What is kept for a session; undefined: nothing. */
type Kept = StoredSession | undefined;

/** A store that isn't atomic; its kinds know where a session is kept. */
export abstract class WholeValueStore implements SessionStore {
  readonly capabilities = { atomic: false, durable: false } as const;
  protected readonly now: () => number;
  readonly #queue = new RowQueue<Kept>();

  /** @param now - Unix milliseconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  protected abstract read(selector: string): Promise<StoredSession | undefined>;
  protected abstract write(selector: string, stored: StoredSession): Promise<unknown>;
  protected abstract remove(selector: string): Promise<unknown>;

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    if (!isSelector(selector)) return undefined;
    // In the queue too: what files hold while they are being written is half a session.
    const stored = await this.#queue.run(selector, () => this.read(selector));
    return stored !== undefined && stored.expires > this.now() ? stored : undefined;
  }

  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(selector)) return change.op === "destroy" ? toSaved(undefined) : undefined;
    return this.#queue.run(selector, (turn) => this.#apply(selector, change, turn));
  }

  async #apply(
    selector: string,
    change: SessionChange,
    turn: Turn<Kept>,
  ): Promise<SavedSession | undefined> {
    const before = change.op === "destroy" ? undefined : await this.read(selector);
    const { refused, stored } = applyChange(before, change, this.now());
    if (refused) return undefined;
    turn.assertHeld();
    await this.#put(selector, stored, turn);
    return toSaved(stored);
  }

  async #put(selector: string, kept: Kept, turn: Turn<Kept>): Promise<void> {
    try {
      await (kept === undefined ? this.remove(selector) : this.write(selector, kept));
      if (!turn.isOvertaken) turn.leave(kept);
    } finally {
      // A logout that lands late is still a logout.
      if (turn.isOvertaken && kept !== undefined) void this.#putBack(selector, kept, turn);
    }
  }

  /** Where a write has landed late over what others wrote meanwhile, theirs comes back. */
  async #putBack(selector: string, late: StoredSession, { newer }: Turn<Kept>): Promise<void> {
    if (newer === undefined) return;
    const { value } = newer;
    try {
      await this.#queue.run(selector, async (turn) => {
        const found = await this.read(selector);
        if (found === undefined || encodeRecord(found) !== encodeRecord(late)) return;
        if (!turn.isOvertaken) await this.#put(selector, value, turn);
      });
    } catch {
      // Nobody waits for it any more: the save that was late has been answered as a timeout.
    }
  }
}
