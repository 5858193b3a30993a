// A store that answers as one across a network does: later. What a host does wrong while it waits
// shows only there.
import type { SessionStore } from "kocha-session";

/** Between a call and its answer, in milliseconds. */
const LATENCY = 5;

/** The same store, each of whose answers takes a while. */
export function slowly(store: SessionStore): SessionStore {
  const later = async <T>(answer: () => T): Promise<Awaited<T>> => {
    await new Promise((resolve) => setTimeout(resolve, LATENCY));
    return await answer();
  };
  return {
    ...(store.capabilities !== undefined && { capabilities: store.capabilities }),
    load: (selector) => later(() => store.load(selector)),
    save: (selector, change) => later(() => store.save(selector, change)),
  };
}
