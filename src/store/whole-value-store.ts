// What stores on top of whole values have in common, where nothing underneath compares and swaps: a
// session is read, changed by the reference semantics, and written back. Within one process nobody
// races; between processes the last writer wins.
import { applyChange, toSaved } from "./change.ts";
import { KeyQueue, type Turn } from "./key-queue.ts";
import { encodeRecord } from "./record.ts";
import { isSelector } from "./selector.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "./contract.ts";

/** What is kept for a session; undefined: nothing. */
type Kept = StoredSession | undefined;

/** A store that isn't atomic; its kinds know where a session is kept. */
export abstract class WholeValueStore implements SessionStore {
  readonly capabilities = { atomic: false, durable: false } as const;
  protected readonly now: () => number;
  readonly #queue = new KeyQueue<Kept>();

  /** @param now - Unix milliseconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  protected abstract read(key: string): Promise<StoredSession | undefined>;
  protected abstract write(key: string, stored: StoredSession): Promise<unknown>;
  protected abstract remove(key: string): Promise<unknown>;

  answerWithin(ms: number): void {
    this.#queue.allow(ms);
  }

  async load(key: string): Promise<StoredSession | undefined> {
    if (!isSelector(key)) return undefined;
    // In the queue too: what files hold while they are being written is half a session.
    const stored = await this.#queue.run(key, () => this.read(key));
    return stored !== undefined && stored.expires > this.now() ? stored : undefined;
  }

  async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(key)) return change.op === "destroy" ? toSaved(key, undefined) : undefined;
    return this.#queue.run(key, (turn) => this.#apply(key, change, turn));
  }

  async #apply(
    key: string,
    change: SessionChange,
    turn: Turn<Kept>,
  ): Promise<SavedSession | undefined> {
    const before = change.op === "destroy" ? undefined : await this.read(key);
    const { refused, stored } = applyChange(before, change, this.now());
    if (refused) return undefined;
    turn.assertHeld();
    await this.#put(key, stored, turn);
    return toSaved(key, stored);
  }

  async #put(key: string, kept: Kept, turn: Turn<Kept>): Promise<void> {
    try {
      await (kept === undefined ? this.remove(key) : this.write(key, kept));
      if (!turn.isOvertaken) turn.leave(kept);
    } finally {
      // A logout that lands late is still a logout.
      if (turn.isOvertaken && kept !== undefined) void this.#putBack(key, kept, turn);
    }
  }

  /** Where a write has landed late over what others wrote meanwhile, theirs comes back. */
  async #putBack(key: string, late: StoredSession, { newer }: Turn<Kept>): Promise<void> {
    if (newer === undefined) return;
    const { value } = newer;
    try {
      await this.#queue.run(key, async (turn) => {
        const found = await this.read(key);
        if (found === undefined || encodeRecord(found) !== encodeRecord(late)) return;
        if (!turn.isOvertaken) await this.#put(key, value, turn);
      });
    } catch {
      // Nobody waits for it any more: the save that was late has been answered as a timeout.
    }
  }
}
