// Stores that end more sessions than they were asked to.
import { PlainStore } from "./plain-store.ts";
import type { StoreMutant } from "./twists.ts";

class Unlisting extends PlainStore {
  override async destroyAll(subject: string): Promise<number> {
    return super.destroyAll(subject, {});
  }
}

class Oversweeping extends PlainStore {
  override async sweep(): Promise<number> {
    return super.sweep(Infinity);
  }
}

/** One for each case. */
export const upkeepMutants: readonly StoreMutant[] = [
  {
    fault: "destroyAll that ends the excepted one",
    caughtBy: "L2 lists: a subject's sessions are listed and ended",
    make: ({ now }) => new Unlisting(now),
  },
  {
    fault: "a sweep without a limit",
    caughtBy: "L10 sweep: it removes what is expired, nothing else, and no more than its limit",
    make: ({ now }) => new Oversweeping(now),
  },
];
