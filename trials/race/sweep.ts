// The checker on trial: every broken store must be convicted by name at full length, whatever the
// seed, and one that keeps the laws of nothing.
import { fault, progress } from "../lib/verdict.ts";
import { checkHistory, countByRule } from "./checker.ts";
import type { RuleName } from "./violation.ts";
import { type BrokenStore, brokenStores } from "../../tests/race/broken-stores.ts";
import { PlainStore } from "../../tests/race/plain-store.ts";
import { raceVirtually } from "../../tests/race/virtual.ts";

/** How often a broken store is raced, with a seed each, before it counts as innocent. */
const MOST_ROUNDS = 12;
/** How often the right store is raced. */
const INNOCENT_ROUNDS = 20;

/** Races them all; tells every fault of the checker. */
export async function sweepMutants(seed: number): Promise<void> {
  for (let round = 0; round < INNOCENT_ROUNDS; round++) {
    const history = await raceVirtually((...of) => new PlainStore(...of), { seed: seed + round });
    for (const { rule } of checkHistory(history)) fault(`seed ${seed + round}: ${rule}, of nobody`);
  }
  progress(`a store that keeps the laws: ${INNOCENT_ROUNDS} races`);
  for (const store of brokenStores) {
    const rounds = await convict(store, seed);
    progress(`a store that ${store.fault}: ${rounds} race${rounds === 1 ? "" : "s"}`);
  }
}

/** How many races it took until each of its faults was met, which is chance. */
async function convict(store: BrokenStore, seed: number): Promise<number> {
  const missing = new Set<RuleName>(store.convictedOf);
  let round = 0;
  while (missing.size > 0 && round < MOST_ROUNDS) {
    const history = await raceVirtually(store.make, { ...store.race, seed: seed + round++ });
    for (const [rule] of countByRule(checkHistory(history))) missing.delete(rule);
  }
  for (const rule of missing) fault(`a store that ${store.fault} is not convicted of ${rule}`);
  return round;
}
