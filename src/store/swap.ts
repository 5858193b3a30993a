// The attempts of a store with compare-and-swap: read, change, write if nobody else has. It knows no
// server.
import { StoreError } from "../errors.ts";
import type { Turn } from "./row-queue.ts";

/** How often in a row other processes may outrun a save. */
const ATTEMPTS = 16;
/** Between two attempts, at most, in milliseconds; the pause is random below it. */
const MAX_PAUSE = 16;

/** The result of an attempt that another writer was faster than. */
export const OUTRUN: unique symbol = Symbol("outrun");

/**
 * Attempts a save until it isn't outrun; gives its result.
 * @throws {StoreError} ERR_SESSION_STORE_FAILED when other writers were faster 16 times in a row; then
 * nothing was saved. ERR_SESSION_STORE_TIMEOUT when a later turn has taken over: its writes are newer.
 */
export async function untilApplied<T>(
  turn: Turn<never>,
  attempt: () => Promise<T | typeof OUTRUN>,
  attempts: number = ATTEMPTS,
): Promise<T> {
  const outcome = await attempt();
  if (outcome !== OUTRUN) return outcome;
  turn.assertHeld();
  if (attempts === 1) {
    const message =
      `other writers of this session were faster ${ATTEMPTS} times in a row, so its change ` +
      "was not saved";
    throw new StoreError("ERR_SESSION_STORE_FAILED", "save", message);
  }
  await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE));
  return untilApplied(turn, attempt, attempts - 1);
}
