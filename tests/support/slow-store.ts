// A store as far away as a server, whose saves can be told to fail. A synchronous store hides what
// goes wrong while a response waits.
import { type SessionStore, SessionMemoryStore } from "kocha-session";
import { slowly } from "./latency.ts";

/** A store in memory that answers later. */
export interface SlowStore {
  readonly store: SessionStore;
  /** Whether saves fail. */
  failsToSave: boolean;
}

/** Makes an empty one. */
export function slowStore(): SlowStore {
  const memory = new SessionMemoryStore();
  const store = slowly({
    capabilities: memory.capabilities,
    load: (selector) => memory.load(selector),
    save: (selector, change) => {
      if (slow.failsToSave) throw new Error("the store can't be reached, as it was told");
      return memory.save(selector, change);
    },
  });
  const slow: SlowStore = { failsToSave: false, store };
  return slow;
}
