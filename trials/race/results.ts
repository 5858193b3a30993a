// docs/results/race.md: a row for the last full run of each store.
import { writeRow } from "../lib/report.ts";
import type { History } from "./history.ts";
import { subjects } from "./subjects.ts";
import type { RuleName } from "./violation.ts";

/** A full run. */
interface RaceResult {
  readonly store: string;
  readonly seed: number;
  readonly processes: number;
  readonly clients: number;
  readonly seconds: number;
  readonly history: History;
  readonly counts: readonly (readonly [RuleName, number])[];
}

/** Puts a run's row into the document. */
export function recordResult({ store, seed, history, counts, ...run }: RaceResult): void {
  const { requests } = history;
  const saves = requests.flatMap((request) => request.saves);
  const section = subjects[store]?.atomic === false ? "controls" : "keepers";
  writeRow(
    { document: "race", section, name: store, seed },
    run.processes,
    run.clients,
    requests.length,
    saves.length,
    saves.filter(({ outcome }) => outcome === "refused").length,
    requests.filter(({ answered }) => !answered).length,
    run.seconds,
    counts.map(([rule, count]) => `${rule}: ${count}`).join(", ") || "none",
  );
}
