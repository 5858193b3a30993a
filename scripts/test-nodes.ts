// `npm run test:nodes`: the test suite on every line of Node.js that is promised, the hosts' laws on
// Bun and Deno, cookies between all of them and workerd; writes docs/results/nodes.md. Names on the
// command line choose: "22 26", "foreign".
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { repository } from "../tests/support/cli.ts";
import { type Row, testForeignRuntimes } from "./foreign-runtimes.ts";
import { runtime, versions } from "./runtimes.ts";

const chosen = process.argv.slice(2);
const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();

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
  console.log(`\n> the test suite on Node.js ${version}`);
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

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ where, what, crypto, passed, failed }) =>
      `| ${where} | ${what} | ${crypto} | ${passed} | ${failed.length} |`,
  );
  return [
    "| runtime | what ran | crypto | passed | failed |",
    "| --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

const commit = git("rev-parse", "--short", "HEAD");
const isClean = git("status", "--porcelain", "--untracked-files=no") === "";
const folder = mkdtempSync(join(tmpdir(), "kocha-session-nodes-"));
const rows: Row[] = [];
for (const version of versions.nodes) {
  if (isChosen(version.split(".", 1)[0] ?? "")) rows.push(testNode(version, folder));
}
if (isChosen("foreign")) rows.push(...(await testForeignRuntimes(join(folder, "foreign"))));
rmSync(folder, { recursive: true, force: true });
const failures = rows.flatMap(({ where, what, failed }) =>
  failed.map((failure) => `${where}, ${what}: ${failure}`),
);
console.log(`\n${tableOf(rows)}\n`);
for (const failure of failures) console.error(failure);
if (chosen.length === 0 && isClean) {
  const list =
    failures.length === 0
      ? ""
      : `\nWhat failed:\n\n${failures.map((one) => `- ${one.replaceAll("\n", " ")}`).join("\n")}\n`;
  writeFileSync(
    join(repository, "docs", "results", "nodes.md"),
    `# Runtimes: the last run

\`npm run test:nodes\` on commit ${commit}, ${new Date().toISOString().slice(0, 10)}. Every program comes from npm, pinned. Vitest ${viaPackage("vitest")} runs on each of these lines of Node.js. On Bun and Deno the conformance kit runs inside the runtime, over its own server, on the packed package; "crypto" is what the package's conditions gave there. "without node:crypto" is the package where no condition names a runtime, on a process that has no node:crypto to give; workerd has it with nodejs_compat. The cancelled requests are those of a worker that another worker in workerd gave up; the sessions in PostgreSQL are over TCP, by the package postgres. TypeScript ${versions.typescripts.join(" and ")} compile the packed package's declarations in the run on Node.js 22.

${tableOf(rows)}
${list}`,
  );
} else {
  console.log("a part of the run, or of uncommitted files: docs/results/nodes.md stays as it is");
}
const passed = rows.reduce((sum, row) => sum + row.passed, 0);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

function viaPackage(name: string): string {
  const path = join(repository, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
