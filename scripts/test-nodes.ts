// `npm run test:nodes`: the test suite on every line of Node.js that is promised, the hosts' laws on
// Bun and Deno, cookies between all of them and workerd; writes docs/results/nodes.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { repository } from "../tests/support/cli.ts";
import { readArguments } from "../trials/lib/arguments.ts";
import { table, writeRun } from "../trials/lib/report.ts";
import { conclude, fault, progress, verdict } from "../trials/lib/verdict.ts";
import { type Row, testForeignRuntimes } from "./foreign-runtimes.ts";
import { runtime, versions } from "./runtimes.ts";

const lineOf = (version: string): string => version.split(".", 1)[0] ?? "";
const { names: chosen } = readArguments(
  "test:nodes",
  {},
  {
    about: "run only these, and record nothing",
    of: [...versions.nodes.map(lineOf), "foreign"],
  },
);
const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);

/** The parts of Vitest's JSON report that are counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** The whole suite under one Node.js, which also starts whatever the tests start. */
function testNode(version: string, folder: string): Row {
  const program = runtime("node", version);
  const report = join(folder, `${version}.json`);
  const vitest = join(repository, "node_modules", "vitest", "vitest.mjs");
  progress(`the test suite on Node.js ${version}`);
  const args = [vitest, "run", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  spawnSync(program, args, {
    cwd: repository,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PATH: `${dirname(program)}${delimiter}${process.env["PATH"] ?? ""}`,
      // The older compilers once are enough.
      ...(version.startsWith("22.") && { TYPESCRIPTS: versions.typescripts.join(",") }),
    },
  });
  const where = `Node.js ${version}`;
  const row = { where, what: "the test suite", crypto: "node" };
  if (!existsSync(report)) return { ...row, passed: 0, failed: ["Vitest wrote no report"] };
  const { numPassedTests, numPendingTests, success, testResults } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as VitestReport;
  const failed = testResults.flatMap(({ name, message, assertionResults }) => {
    const names = assertionResults.filter(({ status }) => status === "failed");
    if (names.length > 0) return names.map(({ fullName }) => fullName);
    return message === "" ? [] : [`${name}: ${message}`];
  });
  // A skipped test and an error outside any test are failures: nothing is left out in silence.
  if (numPendingTests > 0) failed.push(`${numPendingTests} tests were skipped`);
  if (!success && failed.length === 0) failed.push("an error outside of any test");
  return { ...row, passed: numPassedTests, failed };
}

const folder = mkdtempSync(join(tmpdir(), "kocha-session-nodes-"));
const rows: Row[] = [];
for (const version of versions.nodes) {
  if (isChosen(lineOf(version))) rows.push(testNode(version, folder));
}
if (isChosen("foreign")) rows.push(...(await testForeignRuntimes(join(folder, "foreign"))));
rmSync(folder, { recursive: true, force: true });
const failures = rows.flatMap(({ where, what, failed }) =>
  failed.map((failure) => `${where}, ${what}: ${failure}`),
);
const results = table(
  ["runtime", "what ran", "crypto", "passed", "failed"],
  rows.map(({ where, what, crypto, passed, failed }) => [
    where,
    what,
    crypto,
    passed,
    failed.length,
  ]),
);
console.log(`\n${results}\n`);
for (const failure of failures) fault(failure);
if (chosen.length === 0) {
  const list = failures.map((one) => `- ${one.replaceAll("\n", " ")}`).join("\n");
  writeRun(
    { document: "nodes", command: "test:nodes", verdict: verdict() },
    `Vitest ${vitestVersion()}; TypeScript ${versions.typescripts.join(" and ")}.`,
    results,
    ...(failures.length === 0 ? [] : ["What failed:", list]),
  );
}
const passed = rows.reduce((sum, row) => sum + row.passed, 0);
conclude(`${passed} passed, ${failures.length} failed`);
process.exit();

function vitestVersion(): string {
  const path = join(repository, "node_modules", "vitest", "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
