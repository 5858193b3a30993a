// Stores that a call which hangs can block, or overwrite.
import { applyChange, type SavedSession, type SessionChange, toSaved } from "kocha-session";
import { PlainStore } from "./plain-store.ts";
import type { StoreMutant } from "./twists.ts";

/** One call after the other, however long the one before takes. */
class EndlessLock extends PlainStore {
  #last: Promise<unknown> = Promise.resolve();

  override save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const call = this.#last.then(() => super.save(selector, change));
    this.#last = call;
    return call;
  }
}

/** A save that writes what it made of the row before it hung. */
class LateWrites extends PlainStore {
  override async save(selector: string, change: SessionChange): Promise<SavedSession | undefined> {
    const held = this.takeHeld();
    if (held === undefined) return super.save(selector, change);
    const { refused, stored } = applyChange(this.rows.get(selector), change, this.now());
    await held;
    if (refused || stored === undefined) return undefined;
    this.rows.set(selector, stored);
    return toSaved(stored);
  }
}

/** One for each case. */
export const hangMutants: readonly StoreMutant[] = [
  {
    fault: "a lock that is never given back",
    caughtBy: "L9 hang: a call that never ends holds up no other",
    make: ({ now }) => new EndlessLock(now),
  },
  {
    fault: "a late write of what was read long before",
    caughtBy: "L2 hang: what comes late of a call makes nothing newer undone",
    make: ({ now }) => new LateWrites(now),
  },
];
