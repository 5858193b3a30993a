// The one test command: makes the machine ready, builds, runs every test once with a seed, and ends
// with the line "N passed, N failed". It prevents a green run in which something was left out.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensure } from "./ensure.mjs";

let passed = 0;
let failed = 0;

/** Runs one step and counts it as one test; what it says is printed whole when it ends. */
async function step(title, command, args) {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  }
  const status = await new Promise((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", resolve);
  });
  console.log(`\n> ${title}\n${output}`);
  if (typeof status === "string") console.error(status);
  if (status === 0) passed++;
  else failed++;
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
/** The package is checked as it was built. */
async function checkPackage() {
  await step("build", "npm", ["run", "--silent", "build"]);
  for (const check of ["exports", "package", "size"]) {
    await step(check, "npm", ["run", "--silent", `check:${check}`]);
  }
}

await Promise.all([
  step("format", ...npx("oxfmt", "--check")),
  step("lint", "npm", ["run", "--silent", "lint"]),
  step("types", ...npx("tsc", "-p", "tsconfig.json")),
  step("unused", "npm", ["run", "--silent", "check:unused"]),
  checkPackage(),
]);
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
