// docs/results/same-key.md: a row for the last run on each store, put into its place without touching
// the others'.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Outcome } from "./rounds.ts";
import type { ExactRun } from "./run.ts";

const file = "docs/results/same-key.md";

const head = `# Races for one key: the last run on each store

\`npm run race:same-key\`: real server processes share a store, every second one Express and the others plain node:http, and all requests come with one session's cookie. 50 clients raise a counter ten times each; 50 append to one value ten times each, by \`update\`; 50 add ten entries each to a collection; 20 at once take a value, 200 times. Then 12 increments, updates, adds or takes at a time dawdle between what they load and what they do, while a logout, a clear or a regenerate comes among them. A step must count once or be a 409 that the observer \`refused\` heard of, and nothing from before the barrier may be there after it. In parentheses: loads and saves at the store for each step.

| store | date | commit | Node.js | seed | processes | increments | cart updates | collection adds | takes | against barriers |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** Puts the rows of these runs into the document. */
export function writeExactResults(runs: readonly ExactRun[], commit: string): void {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const rows = new Map(
    text.split("\n").flatMap((line) => {
      const store = /^\| (\S+) \| \d{4}-/.exec(line)?.[1];
      return store === undefined ? [] : [[store, line] as const];
    }),
  );
  for (const { store, seed, processes, outcomes } of runs) {
    const date = new Date().toISOString().slice(0, 10);
    const cells = [store, date, commit, process.version, seed, processes, ...outcomes.map(cellOf)];
    rows.set(store, `| ${cells.join(" | ")} |`);
  }
  writeFileSync(file, `${head}${[...rows.values()].join("\n")}\n`);
}

function cellOf({ found, faults, costs }: Outcome): string {
  if (faults.length > 0) return `WRONG: ${faults.slice(0, 3).join("; ")}`;
  const cost = costs && ` (${costs.loads.toFixed(2)}, ${costs.saves.toFixed(2)})`;
  return `${found}${cost ?? ""}`;
}
