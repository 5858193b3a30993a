// Stores that get one change wrong.
import type { StoredSession } from "kocha-session";
import { misgiving, miskeeping, misreading, withData, type StoreMutant } from "./twists.ts";

const invented: StoredSession = {
  data: new Map(),
  rev: 1,
  generation: 1,
  expires: Infinity,
  meta: "",
};

/** One for each case. */
export const changeMutants: readonly StoreMutant[] = [
  misgiving(
    "a row for every selector",
    "L12 total: a selector that stands for nothing loads nothing",
    (row) => row ?? invented,
  ),
  miskeeping(
    "set before del",
    "L8 order: clear, then del, then set, as one step",
    (row, _, { del }) => {
      const data = new Map(row.data);
      for (const key of del) data.delete(key);
      return withData(row, data);
    },
  ),
  misreading(
    "a create that overwrites",
    "L4 create: a live session is never overwritten",
    (change, row) =>
      change.op === "create" && row !== undefined
        ? { ...change, op: "update", clear: true, rev: row.rev }
        : change,
  ),
  misreading("an update that inserts", "L2 update: it never inserts", (change, row) =>
    change.op === "update" && row === undefined ? { ...change, op: "create" } : change,
  ),
  misreading(
    "a destroy that leaves a row",
    "L2 destroy: it is never refused, and final",
    (change, row) =>
      change.op === "destroy" && row !== undefined
        ? { ...change, op: "update", clear: true, rev: row.rev, ttl: Infinity }
        : change,
  ),
  misreading(
    "no fence",
    "L3 fence: a change applies only at the revision that it loaded",
    (change, row) =>
      change.op === "update" && row !== undefined ? { ...change, rev: row.rev } : change,
  ),
  miskeeping(
    "a clear that raises the generation",
    "L3 counters: barriers raise the revision, bump alone the generation",
    (row, _, { clear, bump }) =>
      clear === true && bump !== true ? { ...row, generation: row.generation + 1 } : row,
  ),
];
