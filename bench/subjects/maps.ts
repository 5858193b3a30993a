// What a store in memory costs at the least: a Map to a JSON text, and a Map to a copied object.
import type { Subject } from "../lib/subject.ts";

const TTL = 90 * 86_400_000;

/** Maps. */
export const subjects: readonly Subject[] = [
  {
    name: "a Map of JSON texts",
    kind: "limit",
    note: "no rule of any kind",
    memory: () => {
      const rows = new Map<string, { readonly json: string; readonly expires: number }>();
      const parse = (id: string): Record<string, string> =>
        JSON.parse(rows.get(id)?.json ?? "{}") as Record<string, string>;
      const set = (id: string, pairs: object): unknown =>
        rows.set(id, { json: JSON.stringify(pairs), expires: Date.now() + TTL });
      return {
        create: set,
        get: (id) => parse(id)["name"],
        change: (id, csrf) => set(id, { ...parse(id), csrf }),
      };
    },
  },
  {
    name: "a Map of objects",
    kind: "limit",
    note: "no rule of any kind",
    memory: () => {
      const rows = new Map<string, { readonly pairs: object; readonly expires: number }>();
      const copy = (id: string): Record<string, string> => ({ ...rows.get(id)?.pairs });
      const set = (id: string, pairs: object): unknown =>
        rows.set(id, { pairs: { ...pairs }, expires: Date.now() + TTL });
      return {
        create: set,
        get: (id) => copy(id)["name"],
        change: (id, csrf) => set(id, { ...copy(id), csrf }),
      };
    },
  },
];
