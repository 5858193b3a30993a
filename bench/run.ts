// `npm run bench`: makes everything ready (the peers, our build, the benchmarks as plain JavaScript,
// so that no loader runs in a measured process) and hands over to main.ts. It measures nothing.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { benchArguments } from "./arguments.ts";

benchArguments();
const bench = import.meta.dirname;
const root = dirname(bench);

function run(command: string, args: readonly string[], cwd = root): void {
  const shell = process.platform === "win32";
  const { status, error } = spawnSync(command, [...args], { stdio: "inherit", cwd, shell });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

/** As much of a lock as says what is installed. */
interface Lock {
  readonly packages: Record<string, { readonly version?: string; readonly optional?: boolean }>;
}

/** What npm wrote of its last install says whether it was this lock's. */
function isInstalled(): boolean {
  const installed = join(bench, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const read = (file: string): Lock["packages"] =>
    (JSON.parse(readFileSync(file, "utf8")) as Lock).packages;
  const [wanted, present] = [read(join(bench, "package-lock.json")), read(installed)];
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === "" || optional === true || present[path]?.version === version,
  );
}

if (!isInstalled())
  run("npm", ["ci", "--no-engine-strict", "--prefer-offline", "--loglevel=error"], bench);
run("npm", ["run", "--silent", "build"]);
run("npx", ["--no-install", "tsc", "-p", join(bench, "tsconfig.json")]);
// The servers are started as the tests start them; what finds their programs is JavaScript already.
cpSync(join(root, "scripts"), join(bench, ".out", "scripts"), {
  recursive: true,
  filter: (path) => !path.endsWith(".ts"),
});
// What the benchmarks compile of our sources, to measure it apart, finds its primitives there too.
writeFileSync(
  join(bench, ".out", "package.json"),
  JSON.stringify({ type: "module", imports: { "#crypto": "./src/crypto/primitives-node.js" } }),
);
const main = join(bench, ".out", "bench", "main.js");
run(process.execPath, ["--expose-gc", main, ...process.argv.slice(2)]);
