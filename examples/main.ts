// `npm run examples`: builds each example for production with the packed package, starts it, and drives
// it as a browser does; writes docs/results/examples.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "../tests/package/packed.ts";
import { repository } from "../tests/support/cli.ts";
import { readArguments } from "../trials/lib/arguments.ts";
import { type Cells, replaceRow, stamp } from "../trials/lib/report.ts";
import { conclude, fault, progress } from "../trials/lib/verdict.ts";
import type { Built } from "./tests/lib/project.ts";

/** The parts of Vitest's JSON report that are counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

const tests = join(repository, "examples", "tests");
const of = readdirSync(tests)
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => file.replace(".test.ts", ""));
const { names } = readArguments("examples", {}, { about: "only these", of });
const folder = mkdtempSync(join(tmpdir(), "kocha-session-examples-"));
progress("packing");
const { tarball } = await pack(folder);

for (const name of names.length === 0 ? of : names) {
  progress(name);
  const report = join(folder, `${name}.json`);
  const built = join(folder, `${name}.built.json`);
  const vitest = join(repository, "node_modules", "vitest", "vitest.mjs");
  const config = join(repository, "examples", "vitest.config.ts");
  const output = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`];
  const file = join("examples", "tests", `${name}.test.ts`);
  spawnSync(process.execPath, [vitest, "run", "--config", config, ...output, file], {
    cwd: repository,
    stdio: "inherit",
    env: { ...process.env, EXAMPLE_TARBALL: tarball, EXAMPLE_BUILT: built },
  });
  record(name, read(report) as Report | undefined, (read(built) ?? []) as readonly Built[]);
}
rmSync(folder, { recursive: true, force: true });
conclude("examples");

function read(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Writes the example's row, in place of its last one. */
function record(name: string, report: Report | undefined, built: readonly Built[]): void {
  if (report?.success !== true || report.numPassedTests === 0) fault(`${name} failed`);
  // A skipped test is a failure: nothing is left out in silence.
  const failed = report === undefined ? 1 : report.numFailedTests + report.numPendingTests;
  const [date, commit] = stamp();
  const list = (key: keyof Built): string => [...new Set(built.map((one) => one[key]))].join("; ");
  const row: Cells = [
    name,
    date,
    commit,
    list("packages"),
    list("runtime"),
    list("what"),
    report?.numPassedTests ?? 0,
    failed,
  ];
  const page = join(repository, "docs", "results", "examples.md");
  writeFileSync(page, replaceRow(readFileSync(page, "utf8"), "run", row));
}
