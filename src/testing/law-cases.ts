// The laws, end to end: the same cases test a store behind one server, and a host with our own
// stores. Each law has a file under laws/.
import type { ConformanceCase } from "./case.ts";
import { atRestCases } from "./laws/at-rest.ts";
import { barrierCases } from "./laws/barrier.ts";
import { exactCases } from "./laws/exact.ts";
import { fixationCases } from "./laws/fixation.ts";
import { idleCases } from "./laws/idle.ts";
import { logoutCases } from "./laws/logout.ts";
import { mergeCases } from "./laws/merge.ts";
import { outageCases } from "./laws/outage.ts";
import { readCases } from "./laws/reads.ts";
import { savedFirstCases } from "./laws/saved-first.ts";
import { silenceCases } from "./laws/silence.ts";
import { timeoutCases } from "./laws/timeouts.ts";
import { totalCases } from "./laws/total.ts";
import { type LawOptions, type LawSetting, settingOf } from "./laws/stage.ts";

/** L1 to L13. */
const laws: readonly ((setting: LawSetting) => ConformanceCase[])[] = [
  mergeCases,
  logoutCases,
  barrierCases,
  fixationCases,
  readCases,
  idleCases,
  savedFirstCases,
  silenceCases,
  outageCases,
  timeoutCases,
  atRestCases,
  totalCases,
  exactCases,
];

/** The cases of all laws. */
export function lawCases(options: LawOptions): ConformanceCase[] {
  const setting = settingOf(options);
  return laws.flatMap((cases) => cases(setting));
}
