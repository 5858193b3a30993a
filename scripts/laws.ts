// Runs the laws on every store and every host (`npm run laws`) and writes what held as
// docs/results/laws.md, with the commit that it ran on. A law that is broken fails the run.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import {
  type CaseResult,
  hostLaws,
  report,
  runCases,
  storeLaws,
  type SubjectResults,
} from "kocha-session/testing";
import { hosts } from "../tests/support/hosts.ts";
import { storeSubjects } from "./laws-subjects.ts";

const SEED = Number(process.env["FC_SEED"] ?? 42);
const HOST_ALONE = "what only a host can get wrong";
const RUNS = Number(process.env["FC_RUNS"] ?? 100);

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}

async function runStores(): Promise<SubjectResults[]> {
  const columns: SubjectResults[] = [];
  for (const [subject, open] of Object.entries(storeSubjects)) {
    const { makeStore, makeConfig, clock, close } = await open();
    try {
      const makeOne = async () => {
        const made = { store: await makeStore(), close: () => undefined };
        return makeConfig === undefined ? made : { ...made, config: makeConfig() };
      };
      const cases = await storeLaws(makeOne, {
        name: subject,
        seed: SEED,
        runs: RUNS,
        ...(clock === undefined ? { resolutionMs: 10 } : { clock }),
      });
      columns.push({ subject, results: await runCases(cases) });
    } finally {
      await close?.();
    }
    console.log(`${subject}: done`);
  }
  return columns;
}

/** The hosts, a table for each store that their cases name; what names none is the host's alone. */
async function runHosts(): Promise<Map<string, SubjectResults[]>> {
  const tables = new Map<string, SubjectResults[]>();
  for (const [subject, makeServer] of Object.entries(hosts)) {
    const results = await runCases(hostLaws(makeServer, { name: subject }));
    const byStore = new Map<string, CaseResult[]>();
    for (const result of results) {
      const store = / \(((?:memory|cookie) store.*)\)$/.exec(result.case.id)?.[1] ?? HOST_ALONE;
      byStore.set(store, [...(byStore.get(store) ?? []), result]);
    }
    for (const [store, own] of byStore) {
      tables.set(store, [...(tables.get(store) ?? []), { subject, results: own }]);
    }
    console.log(`${subject}: done`);
  }
  return tables;
}

const dirty = git("status", "--porcelain", "--", "src", "tests/support", "scripts") !== "";
const commit = git("rev-parse", "--short", "HEAD") + (dirty ? " with changes" : "");
const stores = await runStores();
const tables = await runHosts();
const hostTables = Array.from(
  tables,
  ([store, columns]) => `## Hosts: ${store}\n\n${report(columns)}\n`,
);
const text = `# The laws: the last run

\`npm run laws\` on ${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node.js ${process.version}: the [conformance kit](../writing-a-store.md#is-it-right) on every store and every host. A cell says how many cases of the law ran, and that all of them held; behind it, by number, why others don't apply. What the laws say: [Stores and the laws](../stores.md).

## Stores

Each on its real engine, behind node:http; random histories with the seed ${SEED}, ${RUNS} a store.

${report(stores)}

The hosts run over real sockets, with a real client.

${hostTables.join("\n")}`;
mkdirSync("docs/results", { recursive: true });
writeFileSync("docs/results/laws.md", text);
const failures = [...stores, ...[...tables.values()].flat()].flatMap(({ subject, results }) =>
  results.flatMap(({ error }) =>
    error === undefined
      ? []
      : [`${subject}: ${error instanceof Error ? error.message : "it failed"}`],
  ),
);
for (const failure of failures) console.error(failure);
process.exit(failures.length === 0 ? 0 : 1);
