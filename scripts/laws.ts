// Runs the laws on every store and every host (`npm run laws`) and writes what held as
// docs/results/laws.md, with the commit that it ran on. A law that is broken fails the run.
import {
  type CaseResult,
  hostLaws,
  report,
  runCases,
  storeLaws,
  type SubjectResults,
} from "kocha-session/testing";
import { hosts } from "../tests/support/hosts.ts";
import { option, readArguments } from "../trials/lib/arguments.ts";
import { writeRun } from "../trials/lib/report.ts";
import { conclude, fault, progress, verdict } from "../trials/lib/verdict.ts";
import { storeSubjects } from "./laws-subjects.ts";

const HOST_ALONE = "what only a host can get wrong";
const { seed, runs } = readArguments("laws", {
  seed: option.number(42, "of the random histories"),
  runs: option.number(100, "random histories a store"),
});

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
        seed,
        runs,
        ...(clock === undefined ? { resolutionMs: 10 } : { clock }),
      });
      columns.push({ subject, results: await runCases(cases) });
    } finally {
      await close?.();
    }
    progress(`${subject}: done`);
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
    progress(`${subject}: done`);
  }
  return tables;
}

const stores = await runStores();
const tables = await runHosts();
for (const { subject, results } of [...stores, ...[...tables.values()].flat()]) {
  for (const { error } of results) {
    if (error !== undefined)
      fault(`${subject}: ${error instanceof Error ? error.message : "it failed"}`);
  }
}
writeRun(
  { document: "laws", command: "laws", seed, verdict: verdict() },
  "## Stores",
  `Each on its real engine, behind node:http; ${runs} random histories a store. libsql is \`@libsql/client\` on a ` +
    "file. The clients of Neon and Upstash speak to PostgreSQL and to Redis through fronts of the tests' own, and " +
    "DynamoDB is dynalite: [what no run here has seen](../edge.md#what-no-run-here-has-seen).",
  report(stores).trim(),
  "The hosts run over real sockets, with a real client.",
  ...Array.from(tables, ([store, columns]) => `## Hosts: ${store}\n\n${report(columns).trim()}`),
);
conclude("the laws");
process.exit();
