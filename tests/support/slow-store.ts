// A store as far away as a server: what it does takes some milliseconds, and its saves can be told
// to fail. A synchronous store hides what goes wrong while a response waits.
import { type SessionStore, SessionMemoryStore } from "kocha-session";

const LATENCY_MS = 5;

/** A store in memory that answers later. */
export interface SlowStore {
  readonly store: SessionStore;
  /** Whether saves fail. */
  failsToSave: boolean;
}

/** Makes an empty one. */
export function slowStore(): SlowStore {
  const memory = new SessionMemoryStore();
  const slow: SlowStore = {
    failsToSave: false,
    store: {
      capabilities: memory.capabilities,
      load: (selector) => later(() => memory.load(selector)),
      save: (selector, change) =>
        later(() => {
          if (slow.failsToSave) throw new Error("the store can't be reached, as it was told");
          return memory.save(selector, change);
        }),
    },
  };
  return slow;
}

function later<T>(answer: () => T): Promise<Awaited<T>> {
  return new Promise<void>((resolve) => setTimeout(resolve, LATENCY_MS)).then(answer) as Promise<
    Awaited<T>
  >;
}
