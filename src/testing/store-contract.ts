// The cases of the store's contract, on the store itself. They are under contract/, a few clauses in a
// file.
import type { ConformanceCase } from "./case.ts";
import { changeCases } from "./contract/changes.ts";
import { contentCases } from "./contract/content.ts";
import { endCases } from "./contract/ends.ts";
import { expectCases } from "./contract/expects.ts";
import { raceCases } from "./contract/races.ts";
import { type ContractOptions, type MakeStore, settingOf } from "./contract/setting.ts";
import { upkeepCases } from "./contract/upkeep.ts";

const groups = [changeCases, endCases, contentCases, raceCases, expectCases, upkeepCases];

/** The cases of the contract. */
export function contractCases(makeStore: MakeStore, options: ContractOptions): ConformanceCase[] {
  const setting = settingOf(makeStore, options);
  return groups.flatMap((cases) => cases(setting));
}
