// Stores that break one clause each: what the conformance kit must catch. They are grouped as the
// cases in src/testing/contract are.
import { changeMutants } from "./mutants/changes.ts";
import { contentMutants } from "./mutants/content.ts";
import { endMutants } from "./mutants/ends.ts";
import { expectMutants } from "./mutants/expects.ts";
import { hangMutants } from "./mutants/hangs.ts";
import { raceMutants } from "./mutants/races.ts";
import type { StoreMutant } from "./mutants/twists.ts";
import { upkeepMutants } from "./mutants/upkeep.ts";

/** At least one mutant for each case of the contract. */
export const storeMutants: readonly StoreMutant[] = [
  ...changeMutants,
  ...endMutants,
  ...contentMutants,
  ...raceMutants,
  ...expectMutants,
  ...hangMutants,
  ...upkeepMutants,
];
