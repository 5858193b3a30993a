// Stores whose sessions end at the wrong time.
import { miskeeping, misreading, type StoreMutant } from "./twists.ts";

/** One for each case. */
export const endMutants: readonly StoreMutant[] = [
  miskeeping(
    "a renewal that shortens",
    "L5 renewal: the end never shrinks but at a barrier",
    (row, before, { op, ttl, deadline }) =>
      op === "update" && before !== undefined
        ? {
            ...row,
            expires: Math.min(
              row.expires,
              Math.max(before.expires - 1000, 0),
              deadline,
              before.expires + ttl,
            ),
          }
        : row,
  ),
  misreading(
    "an end that never comes earlier",
    "L10 lifetime: a change that sets one may end the session earlier, and keeps its data",
    (change) => ({ ...change, shrinks: false }),
  ),
  misreading("no deadline", "L10 deadline: nothing goes past it", (change) => ({
    ...change,
    deadline: Infinity,
  })),
  misreading("no idle timeout", "L10 idle: an expired session is absent", (change) => ({
    ...change,
    ttl: Infinity,
  })),
];
