// `npm run race:same-key`: real processes that share a store race for one key, and every step has to
// count once. Each store's row goes into docs/results/same-key.md with the commit that it ran on.
import { option, readArguments } from "../lib/arguments.ts";
import { writeRow } from "../lib/report.ts";
import { conclude, fault, progress } from "../lib/verdict.ts";
import type { Outcome } from "./exact/rounds.ts";
import { runExactly } from "./exact/run.ts";

/** How many processes share each store, as docs/results/same-key.md says. */
const stores = { redis: 4, postgres: 4, sqlite: 3, mysql: 3, memcached: 3 } as const;
const FULL = { racers: 50, each: 10, takers: 20, rounds: 200, barriers: 20 } as const;
const names = Object.keys(stores) as (keyof typeof stores)[];

const values = readArguments("race:same-key", {
  store: option.choice(names, "races on this store only"),
  seed: option.seed,
  processes: option.number(undefined, "server processes; the store's own number unless given"),
});
const { seed } = values;
for (const store of values.store === undefined ? names : [values.store]) {
  const processes = values.processes ?? stores[store];
  progress(`${store}, ${processes} processes, seed ${seed}`);
  const outcomes = await runExactly(store, processes, FULL, seed, say);
  writeRow({ document: "same-key", name: store, seed }, processes, ...outcomes.map(cellOf));
}
conclude("races for one key");

function say(outcome: Outcome): void {
  progress(`  ${outcome.race}: ${cellOf(outcome)}`);
  for (const one of outcome.faults.slice(0, 10)) fault(`${outcome.race}: ${one}`);
}

/** What a race found, and in parentheses the loads and saves for each step. */
function cellOf({ found, faults, costs }: Outcome): string {
  if (faults.length > 0) return `WRONG: ${faults.slice(0, 3).join("; ")}`;
  const cost = costs && ` (${costs.loads.toFixed(2)}, ${costs.saves.toFixed(2)})`;
  return `${found}${cost ?? ""}`;
}
