// A scenario as a row of docs/results/faults.md.
import type { Sight } from "./ledger.ts";
import type { Outcome, Scenario } from "./scenario.ts";

/** The columns. */
export const head: readonly string[] = [
  "engine",
  "setting",
  "fault",
  "writes lost",
  "sessions lost",
  "logouts undone",
  "regenerates undone",
  "serves again",
  "users saw",
  "why",
];

const names: Readonly<Record<Sight["kind"], string>> = {
  done: "served",
  refused: "refused",
  gone: "no session",
  anonymous: "anonymous",
  "503": "503",
  none: "no answer",
  other: "another error",
};

/** What users saw, in words. */
function describeSeen(seen: Outcome["seen"]): string {
  return Object.entries(names)
    .flatMap(([kind, name]) => {
      const count = seen.get(kind as Sight["kind"]) ?? 0;
      return count === 0 ? [] : [`${name} ${count}`];
    })
    .join(", ");
}

/** A row. */
export function rowOf(scenario: Scenario, { audit, downMs, seen }: Outcome): string[] {
  return [
    scenario.engine,
    scenario.setting,
    scenario.fault,
    `${audit.lostWrites} of ${audit.acknowledgedWrites}`,
    `${audit.lostSessions} of ${audit.sessions}`,
    `${audit.resurrected} of ${audit.acknowledgedLogouts}`,
    `${audit.oldCredentials} of ${audit.acknowledgedRotations}`,
    downMs === 0 ? "at once" : `${(downMs / 1000).toFixed(1)} s`,
    describeSeen(seen),
    scenario.because,
  ];
}
