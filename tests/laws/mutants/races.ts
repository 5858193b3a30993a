// Stores that are right as long as changes come one after the other.
import { applyChange, type SavedSession, type SessionChange, toSaved } from "kocha-session";
import { PlainStore } from "./plain-store.ts";
import type { StoreMutant } from "./twists.ts";

/** The whole session written over what another request wrote: last write wins. */
class LastWriteWins extends PlainStore {
  override async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const before = this.rows.get(selector);
    await Promise.resolve();
    const { refused, stored } = applyChange(before, change, this.now());
    if (refused || stored === undefined) return super.save(selector, change);
    this.rows.set(selector, stored);
    return toSaved(stored);
  }
}

/** One key after the other: two writers' keys end up mixed. */
class TornWrites extends PlainStore {
  override async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    let saved: SavedSession | undefined;
    if (change.op !== "update" || change.set.size < 2) return super.save(selector, change);
    for (const entry of change.set) {
      saved = await super.save(selector, { ...change, set: new Map([entry]) });
      // Each entry waits another while: the order of writers turns around.
      for (let turns = Number(entry[1].split(" ", 1)[0]) % 7; turns > 0; turns--)
        await Promise.resolve();
    }
    return saved;
  }
}

/** A late write that puts back what was destroyed meanwhile. */
class Upserting extends PlainStore {
  override async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const before = this.rows.get(selector);
    await Promise.resolve();
    if (change.op === "update" && before !== undefined && !this.rows.has(selector))
      this.rows.set(selector, before);
    return super.save(selector, change);
  }
}

/** A clear that is checked first and applied later: writes slip in between. */
class SlowBarriers extends PlainStore {
  override async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    if (change.clear !== true) return super.save(selector, change);
    const { refused, stored } = applyChange(this.rows.get(selector), change, this.now());
    await Promise.resolve();
    if (refused || stored === undefined) return undefined;
    this.rows.set(selector, stored);
    return toSaved(stored);
  }
}

/** One for each case. */
export const raceMutants: readonly StoreMutant[] = [
  {
    fault: "last write wins",
    caughtBy: "L1 writers: different keys at once all survive",
    make: ({ now }) => new LastWriteWins(now),
  },
  {
    fault: "torn writes",
    caughtBy: "L1 writers: of one key one value survives, whole",
    make: ({ now }) => new TornWrites(now),
  },
  {
    fault: "a late write that upserts",
    caughtBy: "L2 race: writers can't bring a destroyed session back",
    make: ({ now }) => new Upserting(now),
  },
  {
    fault: "a barrier in two steps",
    caughtBy: "L3 race: nothing of before a clear comes after it",
    make: ({ now }) => new SlowBarriers(now),
  },
];
