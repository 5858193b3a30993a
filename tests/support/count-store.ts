// Counts the calls of a store, whatever its kind. It changes none.
import type { AnySessionStore } from "../../src/store/contract.ts";

/** How often each method was called. */
export interface StoreWork {
  reads: number;
  writes: number;
}

/** A store that counts, over another one. */
export function counting(store: AnySessionStore): {
  readonly store: AnySessionStore;
  readonly work: StoreWork;
} {
  const work: StoreWork = { reads: 0, writes: 0 };
  const reads = new Set<PropertyKey>(["load", "open"]);
  const writes = new Set<PropertyKey>(["save", "write"]);
  const counted = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (reads.has(property)) work.reads++;
        if (writes.has(property)) work.writes++;
        return Reflect.apply(value as (...args: unknown[]) => unknown, target, args);
      };
    },
  });
  return { store: counted, work };
}
