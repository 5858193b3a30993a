// Prevents a package that installs but can't be imported: what publint and are-the-types-wrong say
// of the packed tarball.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "kocha-session-pack-"));
const run = (command, ...args) =>
  spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
let isGood = run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder);
const tarball = join(folder, readdirSync(folder)[0] ?? "");
isGood = isGood && run("npx", "--no-install", "publint", "run", tarball, "--strict");
isGood = isGood && run("npx", "--no-install", "attw", tarball, "--profile", "esm-only", "--quiet");
rmSync(folder, { recursive: true, force: true });
process.exit(isGood ? 0 : 1);
