// How a store with a fault is made: it reads a change, keeps a row or gives one otherwise than it
// should.
import { type SavedSession, type SessionChange, type StoredSession, toSaved } from "kocha-session";
import type { TestClock } from "kocha-session/testing";
import { PlainStore } from "./plain-store.ts";

/** One fault: the case that must catch it, and the store that has it. */
export interface StoreMutant {
  readonly fault: string;
  readonly caughtBy: string;
  readonly make: (clock: TestClock) => PlainStore;
}

/** What a store keeps for a selector. */
export type Row = StoredSession | undefined;

/** A store that sees a change otherwise than it is. */
export function misreading(
  fault: string,
  caughtBy: string,
  twist: (change: SessionChange, row: Row) => SessionChange,
): StoreMutant {
  class Mutant extends PlainStore {
    override async save(
      selector: string,
      change: SessionChange,
    ): Promise<SavedSession | undefined> {
      return super.save(selector, twist(change, this.rows.get(selector)));
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

/** A store that keeps something else than it should. */
export function miskeeping(
  fault: string,
  caughtBy: string,
  twist: (row: StoredSession, before: Row, change: SessionChange) => StoredSession,
): StoreMutant {
  class Mutant extends PlainStore {
    override async save(
      selector: string,
      change: SessionChange,
    ): Promise<SavedSession | undefined> {
      const before = this.rows.get(selector);
      const saved = await super.save(selector, change);
      const row = this.rows.get(selector);
      if (saved === undefined || row === undefined) return saved;
      const kept = twist(row, before, change);
      this.rows.set(selector, kept);
      return toSaved(kept);
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

/** A store that gives something else than it keeps. */
export function misgiving(
  fault: string,
  caughtBy: string,
  twist: (row: Row, selector: string) => Row,
): StoreMutant {
  class Mutant extends PlainStore {
    override async load(selector: string): Promise<Row> {
      return twist(await super.load(selector), selector);
    }
  }
  return { fault, caughtBy, make: ({ now }) => new Mutant(now) };
}

/** A row with other data. */
export const withData = (row: StoredSession, data: ReadonlyMap<string, string>): StoredSession => ({
  ...row,
  data,
});
