// docs/results/faults.md: a table of one whole run.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Sight } from "./ledger.ts";
import type { Outcome, Scenario } from "./scenario.ts";

/** One row. */
export interface Row {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

const file = "docs/results/faults.md";

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
export function describeSeen(seen: Outcome["seen"]): string {
  return Object.entries(names)
    .flatMap(([kind, name]) => {
      const count = seen.get(kind as Sight["kind"]) ?? 0;
      return count === 0 ? [] : [`${name} ${count}`];
    })
    .join(", ");
}

/** Writes the document. */
export function recordResults(rows: readonly Row[]): void {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const commit = git("describe", "--always", "--dirty");
  const date = new Date().toISOString().slice(0, 10);
  const text = `# Faults: the last whole run

\`npm run faults\`, ${date}, commit ${commit}, Node.js ${process.version}. Two application processes and twelve users at work: six write, three log out and in, three regenerate. In the middle comes the fault; afterwards everything that a user was told is held against what is there. What was not answered may have been done or not, and is held against nobody.

In every row: no cookie was deleted or replaced, no outage looked like a logout (L9), and no session held half of a save. Anything else, and anything lost where the last column doesn't say why it may be, fails the run.

- **writes lost**: acknowledged writes that are not there, of all acknowledged. **sessions lost**: of all that were created. **logouts undone**: sessions that can be used again, of all acknowledged logouts. **regenerates undone**: credentials of before one that read the session again, of all acknowledged.
- **serves again**: from the end of the fault (in a failover, from the fault) to the last answer that was none. One machine with two busy cores: take it as an order of magnitude.
- **users saw**: answers from the fault on. \`onStoreError\` is "fail" where nothing else is said.

| engine | setting | fault | writes lost | sessions lost | logouts undone | regenerates undone | serves again | users saw | why |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map(rowOf).join("\n")}
`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function rowOf({ scenario, outcome }: Row): string {
  const { audit, downMs, seen } = outcome;
  const cells = [
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
  return `| ${cells.join(" | ")} |`;
}
