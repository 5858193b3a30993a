// A store whose values must be JSON texts, as one that takes any strings: for the kit's cases.
import type { SessionChange, SessionStore } from "kocha-session";

/** Strings go in as JSON strings and come out as they were; `cookie`, which is not ours, is left out. */
export function ofStrings(store: SessionStore): SessionStore {
  return {
    ...(store.capabilities && { capabilities: store.capabilities }),
    answerWithin: (ms) => store.answerWithin?.(ms),
    load: async (selector) => {
      const found = await store.load(selector);
      if (found === undefined) return undefined;
      const own = [...found.data].filter(([key]) => key !== "cookie");
      return { ...found, data: new Map(own.map(([key, text]) => [key, JSON.parse(text)])) };
    },
    save: (selector, change) => store.save(selector, encoded(change)),
  };
}

function encoded(change: SessionChange): SessionChange {
  const { set, expect } = change;
  return {
    ...change,
    set: new Map(Array.from(set, ([key, value]) => [key, JSON.stringify(value)])),
    ...(expect !== undefined && {
      expect: new Map(
        Array.from(expect, ([key, value]) => [
          key,
          value === undefined ? value : JSON.stringify(value),
        ]),
      ),
    }),
  };
}
