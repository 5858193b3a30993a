// The one test command: makes the machine ready, builds, runs every test once with a seed, and ends
// with the line "N passed, N failed". It prevents a green run in which something was left out.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensure } from "./ensure.mjs";

let passed = 0;
let failed = 0;

/** Runs one step and counts it as one test. */
function step(title, command, args, env = {}) {
  console.log(`\n> ${title}`);
  const { status, error } = spawnSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
    shell: process.platform === "win32",
  });
  if (error !== undefined) console.error(error.message);
  if (status === 0) passed++;
  else failed++;
  return status === 0;
}

function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

try {
  ensure("chromium", "redis", "valkey", "memcached", "postgres", "mariadb");
} catch (error) {
  console.error(error.message);
  failed++;
  finish();
}
const folder = mkdtempSync(join(tmpdir(), "kocha-session-test-"));
const report = join(folder, "report.json");
const npx = (tool, ...args) => ["npx", ["--no-install", tool, ...args]];
step("format", ...npx("oxfmt", "--check"));
step("lint", ...npx("oxlint", "--type-aware", "--deny-warnings"));
step("types", ...npx("tsc", "-p", "tsconfig.json"));
step("build", "npm", ["run", "--silent", "build"]);
for (const check of ["exports", "package", "unused", "size"]) {
  step(check, "npm", ["run", "--silent", `check:${check}`]);
}
console.log("\n> tests");
const run = spawnSync(
  ...npx("vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`),
  { stdio: ["ignore", "inherit", "inherit"] },
);
try {
  const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  passed += numPassedTests;
  // A skipped test and an error outside any test are failures: nothing is left out in silence.
  failed += numFailedTests + numPendingTests;
  if (!success && numFailedTests === 0) failed++;
} catch {
  failed++;
}
if (run.status !== 0 && failed === 0) failed++;
rmSync(folder, { recursive: true, force: true });
finish();
