// Prevents a client that nobody has tried: better-sqlite3 compiles for minutes, so no `npm ci` has
// it; this run installs it beside the tests, and runs the SQLite store's on it too.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The last one that runs on Node 20. */
const VERSION = "12.11.1";
const folder = resolve(".tmp/better-sqlite3");
const manifest = join(folder, "package.json");

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    ...options,
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(join(folder, "node_modules/better-sqlite3/build/Release/better_sqlite3.node"))) {
  mkdirSync(folder, { recursive: true });
  // npm may ask before it runs an install script, and without this one there is nothing to load.
  const content = { private: true, allowScripts: { "better-sqlite3": true } };
  writeFileSync(manifest, JSON.stringify(content));
  run("npm", ["install", `better-sqlite3@${VERSION}`], { cwd: folder });
}
run("npx", ["--no-install", "vitest", "run", "tests/stores/sqlite.test.ts"], {
  env: { ...process.env, BETTER_SQLITE3: manifest },
});
