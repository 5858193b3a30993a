// The interface to the rows of a store that can compare and swap.
import type { ExpressRow } from "./row.ts";

/** A row as it was read. */
export interface ReadRow {
  /** Its text, for the comparison. */
  readonly text: string;
  /** The session in it. */
  readonly session: unknown;
  /** The store's own end, Unix milliseconds; Infinity: none. */
  readonly end: number;
}

/** The rows. */
export interface SwapRows {
  /** @returns undefined when there is no live row. */
  read(sid: string): Promise<ReadRow | undefined>;
  /**
   * Writes the row if its text is still `before`; undefined: if there is no live row.
   * @param expires - the row's end, Unix milliseconds; Infinity: the store's own lifetime decides.
   * @returns false when it isn't, and nothing was written.
   */
  swap(
    sid: string,
    before: string | undefined,
    session: ExpressRow,
    expires: number,
  ): Promise<boolean>;
}

/** True if one class defines all these methods, so that no subclass has another idea of its rows. */
export function areOfOneClass(store: object, names: readonly string[]): boolean {
  const owners = new Set(names.map((name) => ownerOf(store, name)));
  return owners.size === 1 && !owners.has(null);
}

function ownerOf(store: object, name: string): object | null {
  let owner: object | null = store;
  while (owner !== null && !Object.hasOwn(owner, name)) {
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return owner;
}
