// What stores on top of whole values have in common, where nothing underneath compares and swaps: a
// session is read, changed by the reference semantics, and written back. Within one process nobody
// races; between processes the last writer wins.
import { applyChange, toSaved } from "./change.ts";
import { KeyQueue } from "./key-queue.ts";
import { isSelector } from "./record.ts";
import type { SavedSession, SessionChange, SessionStore, StoredSession } from "./store.ts";

/** A store that isn't atomic; its kinds know where a session is kept. */
export abstract class WholeValueStore implements SessionStore {
  readonly capabilities = { atomic: false, durable: false } as const;
  protected readonly now: () => number;
  readonly #queue = new KeyQueue();

  /** @param now - Unix milliseconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  protected abstract read(key: string): Promise<StoredSession | undefined>;
  protected abstract write(key: string, stored: StoredSession): Promise<unknown>;
  protected abstract remove(key: string): Promise<unknown>;

  async load(key: string): Promise<StoredSession | undefined> {
    if (!isSelector(key)) return undefined;
    // In the queue too: what files hold while they are being written is half a session.
    const stored = await this.#queue.run(key, () => this.read(key));
    return stored !== undefined && stored.expires > this.now() ? stored : undefined;
  }

  async save(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (!isSelector(key)) return change.op === "destroy" ? toSaved(key, undefined) : undefined;
    return this.#queue.run(key, () => this.#apply(key, change));
  }

  async #apply(key: string, change: SessionChange): Promise<SavedSession | undefined> {
    const before = change.op === "destroy" ? undefined : await this.read(key);
    const { refused, stored } = applyChange(before, change, this.now());
    if (refused) return undefined;
    await (stored === undefined ? this.remove(key) : this.write(key, stored));
    return toSaved(key, stored);
  }
}
