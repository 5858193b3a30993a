// A store whose every answer takes turns of the event loop, as that of a store on a server does.
import type { SessionStore } from "kocha-session";

/** The store behind `load` and `save` that answer later. */
export function slowly(store: SessionStore): SessionStore {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    load: async (key) => {
      await turn();
      return store.load(key);
    },
    save: async (key, change) => {
      await turn();
      const saved = await store.save(key, change);
      await turn();
      return saved;
    },
  };
}
