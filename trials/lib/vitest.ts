// Test files that a long run starts by a Vitest configuration of its own, and what they came to.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "../../tests/support/cli.ts";

/** The parts of Vitest's JSON report that are counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
}

/** What a test file came to. A skipped test is a failure: nothing is left out in silence. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** False also where no test ran. */
  readonly isGood: boolean;
}

/** Runs a test file, and shows its tests as they end. Both paths are relative to the repository. */
export function runTestFile(
  config: string,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Outcome {
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-tests-"));
  const output = join(folder, "report.json");
  const vitest = join(repository, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${output}`];
  try {
    spawnSync(process.execPath, [vitest, "run", "--config", config, ...reporters, file], {
      cwd: repository,
      stdio: "inherit",
      env: { ...process.env, ...env },
    });
    if (!existsSync(output)) return { passed: 0, failed: 1, isGood: false };
    const report = JSON.parse(readFileSync(output, "utf8")) as Report;
    const passed = report.numPassedTests;
    const failed = report.numFailedTests + report.numPendingTests;
    return { passed, failed, isGood: report.success && passed > 0 && failed === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
