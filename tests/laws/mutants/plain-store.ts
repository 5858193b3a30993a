// The store that those with a fault are made of: on a Map, with the parts that they break.
import {
  applyChange,
  type SavedSession,
  type SessionChange,
  type SessionStore,
  type StoredSession,
  toSaved,
} from "kocha-session";

/** A store on a Map, with the parts that a mutant breaks. */
export class PlainStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true, lists: true } as const;
  protected readonly rows = new Map<string, StoredSession>();
  protected readonly subjects = new Map<string, string | null>();
  protected readonly now: () => number;
  #held: Promise<void> | undefined;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Lets the next save go no further before the function that is given back is called. */
  hang(): () => void {
    let release = (): void => undefined;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** What the next save waits for. */
  protected takeHeld(): Promise<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    const row = this.rows.get(selector);
    return row !== undefined && row.expires > this.now() ? copy(row) : undefined;
  }

  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const held = this.takeHeld();
    if (held !== undefined) await held;
    const { refused, stored } = applyChange(this.rows.get(selector), change, this.now());
    if (refused) return undefined;
    if (stored === undefined) this.rows.delete(selector);
    else this.rows.set(selector, copy(stored));
    if (change.subject !== undefined) this.subjects.set(selector, change.subject);
    return toSaved(stored);
  }

  async *list(subject: string): AsyncGenerator<{ id: string; stored: StoredSession }> {
    for (const [id, bound] of this.subjects) {
      const stored = bound === subject ? await this.load(id) : undefined;
      if (stored !== undefined) yield { id, stored };
    }
  }

  async destroyAll(subject: string, { except }: { except?: string } = {}): Promise<number> {
    let count = 0;
    for await (const { id } of this.list(subject)) {
      if (id === except) continue;
      this.rows.delete(id);
      count++;
    }
    return count;
  }

  async sweep(limit: number): Promise<number> {
    let count = 0;
    for (const [id, { expires }] of this.rows) {
      if (count === limit) break;
      if (expires > this.now()) continue;
      this.rows.delete(id);
      count++;
    }
    return count;
  }
}

function copy(row: StoredSession): StoredSession {
  return { ...row, data: new Map(row.data) };
}
