// `npm run race:same-key`: real processes that share a store race for one key, and every step has to
// count once. `--store X` races on that store only. It is written into docs/results/same-key.md with
// the commit that it ran on.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type ExactRun, runExactly } from "./exact/run.ts";
import type { Outcome } from "./exact/rounds.ts";
import { writeExactResults } from "./exact/results.ts";

/** How many processes share each store, as docs/results/same-key.md says. */
const stores = { redis: 4, postgres: 4, sqlite: 3, mysql: 3, memcached: 3 } as const;
const FULL = { racers: 50, each: 10, takers: 20, rounds: 200, barriers: 20 } as const;

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 0x7fff_ffff) },
    processes: { type: "string" },
  },
});
const seed = Number(values.seed);
const runs: ExactRun[] = [];
for (const [store, usual] of Object.entries(stores)) {
  if (values.store !== undefined && values.store !== store) continue;
  const processes = Number(values.processes ?? usual);
  console.log(`${store}, ${processes} processes, seed ${seed}`);
  // oxlint-disable-next-line no-await-in-loop -- stores share a machine, and would disturb each other
  runs.push(await runExactly(store, processes, FULL, seed, say));
}
if (runs.length === 0) throw new Error(`--store must be one of: ${Object.keys(stores).join(", ")}`);
const commit = execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" });
writeExactResults(runs, commit.trim());

function say({ race, found, faults, costs }: Outcome): void {
  const cost =
    costs && `, ${costs.loads.toFixed(2)} loads and ${costs.saves.toFixed(2)} saves each`;
  console.log(`  ${race}: ${found}${cost ?? ""}${faults.length === 0 ? "" : ": WRONG"}`);
  for (const fault of faults.slice(0, 10)) console.error(`    ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
