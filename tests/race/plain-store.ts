// A store that keeps every law and is slow at every step: what the broken ones are made of.
import {
  applyChange,
  type SavedSession,
  type SessionChange,
  type SessionStore,
  type StoredSession,
  toSaved,
} from "kocha-session";
import type { SeededRandom } from "../../trials/fuzz/random.ts";
import type { VirtualTime } from "./virtual.ts";

/** A store that keeps every law, with a pause before and after each of its steps. */
export class PlainStore implements SessionStore {
  readonly capabilities = { atomic: true, expects: true } as const;
  readonly rows = new Map<string, StoredSession>();
  readonly subjects = new Map<string, string>();
  readonly time: VirtualTime;
  readonly random: SeededRandom;

  constructor(time: VirtualTime, random: SeededRandom) {
    this.time = time;
    this.random = random;
  }

  async load(selector: string): Promise<StoredSession | undefined> {
    await this.pause();
    const row = this.find(selector);
    await this.pause();
    return row;
  }

  async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    await this.pause();
    const saved = await this.apply(selector, change);
    if (saved !== undefined && typeof change.subject === "string")
      this.bind(selector, change.subject);
    await this.pause();
    return saved;
  }

  /** What a load finds at one instant. */
  find(selector: string): StoredSession | undefined {
    const row = this.rows.get(selector);
    return row !== undefined && row.expires > this.time.now() ? row : undefined;
  }

  /** What a save does at one instant. */
  async apply(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const { refused, stored } = applyChange(this.rows.get(selector), change, this.time.now());
    return refused ? undefined : this.put(selector, stored);
  }

  put(selector: string, stored: StoredSession | undefined): SavedSession {
    if (stored === undefined) this.rows.delete(selector);
    else this.rows.set(selector, stored);
    return toSaved(stored);
  }

  /** Whose a row is, from an accepted change on. */
  bind(selector: string, subject: string): void {
    this.subjects.set(selector, subject);
  }

  async *list(subject: string): AsyncGenerator<{ id: string; stored: StoredSession }> {
    await this.pause();
    for (const [id, whose] of this.subjects) {
      const stored = this.find(id);
      if (whose === subject && stored !== undefined) yield { id, stored };
    }
  }

  async destroyAll(subject: string, options: { except?: string } = {}): Promise<number> {
    await this.pause();
    const ids = Array.from(this.subjects).flatMap(([id, whose]) =>
      whose === subject && id !== options.except ? [id] : [],
    );
    for (const id of ids) this.end(id);
    await this.pause();
    return ids.length;
  }

  end(selector: string): void {
    this.rows.delete(selector);
  }

  pause(longest = 5): Promise<void> {
    return this.time.sleep(this.random.below(longest));
  }

  chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }
}
