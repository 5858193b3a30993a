// docs/results/race.md: one row for the last full run of each store, put into its place without
// touching the others'.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { History } from "./history.ts";
import type { RuleName } from "./violation.ts";
import { subjects } from "./subjects.ts";

/** A full run. */
export interface RaceResult {
  readonly store: string;
  readonly commit: string;
  readonly seed: number;
  readonly processes: number;
  readonly clients: number;
  readonly seconds: number;
  readonly history: History;
  readonly unanswered: number;
  readonly counts: readonly (readonly [RuleName, number])[];
}

const file = "docs/results/race.md";

const head = `# Races: the last full run of each store

\`npm run race -- --store X\`: real server processes that share a store, and clients that share sessions, as the tabs of a browser do, with a seeded mix of reads, sets, removals, clears, regenerates and logouts, each request dawdling between what it loads and what it saves. Every request is recorded with its start, its end, what it saw and what became of its saves, and the whole history is checked ([how](../races.md)). The seed makes the same load again, not the same interleaving.

`;

const sections = {
  atomic: `## Stores that keep every law

A breach here is a bug. \`unanswered\` requests failed, and might have done anything; the rest is known.

| store | date | commit | Node.js | seed | processes | clients | requests | saves | refused | unanswered | seconds | breaches |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`,
  control: `## Controls: stores that are known to race

The checker must see it, or it is blind. The first two of these are the library and the stores that most Express sites use; the last ones are ours around storages that have no atomic step.

| store | date | commit | Node.js | seed | processes | clients | requests | saves | refused | unanswered | seconds | breaches |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`,
} as const;

/** Puts a run's row into the document. */
export function recordResult(result: RaceResult): void {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const rows = new Map(
    text.split("\n").flatMap((line) => {
      const store = /^\| (\S+) \| \d{4}-/.exec(line)?.[1];
      return store === undefined ? [] : [[store, line] as const];
    }),
  );
  rows.set(result.store, rowOf(result));
  const isControl = (store: string): boolean => subjects[store]?.atomic === false;
  const part = (section: keyof typeof sections): string => {
    const lines = [...rows].filter(([store]) => isControl(store) === (section === "control"));
    return `${sections[section]}${lines.map(([, line]) => `${line}\n`).join("")}`;
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${head}${part("atomic")}\n${part("control")}`);
}

function rowOf(result: RaceResult): string {
  const saves = result.history.requests.flatMap((request) => request.saves);
  const refused = saves.filter(({ outcome }) => outcome === "refused").length;
  const breaches = result.counts.map(([rule, count]) => `${rule}: ${count}`).join(", ");
  const cells = [
    result.store,
    new Date().toISOString().slice(0, 10),
    result.commit,
    process.version,
    result.seed,
    result.processes,
    result.clients,
    result.history.requests.length,
    saves.length,
    refused,
    result.unanswered,
    Math.round(result.seconds),
    breaches === "" ? "none" : breaches,
  ];
  return `| ${cells.join(" | ")} |`;
}
