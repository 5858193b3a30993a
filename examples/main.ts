// `npm run examples`: builds each example for production with the packed package, starts it, and drives
// it as a browser does; writes docs/results/examples.md.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "../tests/package/packed.ts";
import { repository } from "../tests/support/cli.ts";
import { readArguments } from "../trials/lib/arguments.ts";
import { replaceRow, stamp } from "../trials/lib/report.ts";
import { conclude, fault, progress } from "../trials/lib/verdict.ts";
import { type Outcome, runTestFile } from "../trials/lib/vitest.ts";
import type { Built } from "./tests/lib/project.ts";

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
  const built = join(folder, `${name}.built.json`);
  const outcome = runTestFile("examples/vitest.config.ts", `examples/tests/${name}.test.ts`, {
    EXAMPLE_TARBALL: tarball,
    EXAMPLE_BUILT: built,
  });
  record(name, outcome, existsSync(built) ? read(built) : []);
}
rmSync(folder, { recursive: true, force: true });
conclude("examples");

function read(built: string): readonly Built[] {
  return JSON.parse(readFileSync(built, "utf8")) as readonly Built[];
}

/** Writes the example's row, in place of its last one. */
function record(name: string, { passed, failed, isGood }: Outcome, built: readonly Built[]): void {
  if (!isGood) fault(`${name} failed`);
  const list = (key: keyof Built): string => [...new Set(built.map((one) => one[key]))].join("; ");
  const [date, commit] = stamp();
  const row = [name, date, commit, list("packages"), list("runtime"), list("what"), passed, failed];
  const page = join(repository, "docs", "results", "examples.md");
  writeFileSync(page, replaceRow(readFileSync(page, "utf8"), "run", row));
}
