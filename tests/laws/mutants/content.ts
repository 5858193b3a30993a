// Stores that keep something else than they were given, or hand out what they keep.
import { PlainStore } from "./plain-store.ts";
import { type Row, miskeeping, withData, type StoreMutant } from "./twists.ts";

/** One for each case. */
export const contentMutants: readonly StoreMutant[] = [
  miskeeping(
    "bytes through an object and without NUL",
    "L8 bytes: hostile keys and values come back as they were",
    (row) => {
      const object: Record<string, string> = {};
      for (const [key, value] of row.data) object[key] = value.replaceAll("\0", "");
      return withData(row, new Map(Object.entries(object)));
    },
  ),
  miskeeping(
    "values cut at 8,192 units",
    "L8 sizes: a key and a value at their limits, and a thousand keys",
    (row) =>
      withData(row, new Map([...row.data].map(([key, value]) => [key, value.slice(0, 8192)]))),
  ),
  {
    fault: "the live map handed out",
    caughtBy: "L8 copies: what was handed out or in is nobody's way into the store",
    make: ({ now }) =>
      new (class extends PlainStore {
        override async load(selector: string): Promise<Row> {
          return (await super.load(selector)) === undefined ? undefined : this.rows.get(selector);
        }
      })(now),
  },
  miskeeping(
    "a bump that loses an empty value",
    "L8 histories: random ones agree with applyChange",
    (row, _, { bump }) =>
      bump === true
        ? withData(row, new Map([...row.data].filter(([, value]) => value !== "")))
        : row,
  ),
];
