// `npm run test:edge`: the stores on the platforms at the edge, as far as they run on one machine; writes
// docs/results/edge.md.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { repository } from "../../tests/support/cli.ts";
import { readArguments } from "../lib/arguments.ts";
import { replaceRow, stamp } from "../lib/report.ts";
import { conclude, fault, progress } from "../lib/verdict.ts";
import { runTestFile } from "../lib/vitest.ts";
import { installPlatforms } from "./platforms.ts";

/** The packages that a test file runs on, whose versions its row names. */
const packages: Readonly<Record<string, readonly string[]>> = {
  d1: ["miniflare", "workerd"],
  "d1-worker": ["miniflare", "workerd"],
  "object-sql": ["miniflare", "workerd"],
  "durable-object": ["miniflare", "workerd"],
  "durable-isolates": ["miniflare", "workerd"],
  init: ["wrangler", "workerd"],
  workers: ["wrangler", "esbuild", "workerd"],
};

const folder = fileURLToPath(new URL(".", import.meta.url));
const of = readdirSync(folder)
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => file.replace(".test.ts", ""));
const { names } = readArguments("test:edge", {}, { about: "only these", of });
installPlatforms();
// The engines' types are found only here: the root's own check leaves this folder out.
execFileSync(join(repository, "node_modules", ".bin", "tsc"), ["-p", folder], { stdio: "inherit" });

for (const name of names.length === 0 ? of : names) {
  progress(name);
  const { passed, failed, isGood } = runTestFile(
    "trials/edge/vitest.config.ts",
    `trials/edge/${name}.test.ts`,
  );
  if (!isGood) fault(`${name} failed`);
  const engines = (packages[name] ?? []).map((one) => `${one} ${versionOf(one)}`).join(", ");
  const page = join(repository, "docs", "results", "edge.md");
  const row = [name, ...stamp(), engines, passed, failed];
  writeFileSync(page, replaceRow(readFileSync(page, "utf8"), "run", row));
}
conclude("the edge");

function versionOf(name: string): string {
  const file = join(folder, "node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
