// Prevents a package that installs but can't be imported, and one that grows unseen: what publint and
// are-the-types-wrong say of the packed tarball, and its size.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes of the tarball, with the documents. What would go over it needs a reason, or stays out. */
const LIMIT = 1.7 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "kocha-session-pack-"));
const run = (command, ...args) =>
  spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
let isGood = run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder);
const tarball = join(folder, readdirSync(folder)[0] ?? "");
if (isGood) {
  const { size } = statSync(tarball);
  console.log(`the tarball: ${size} bytes, limit ${LIMIT}`);
  isGood = size <= LIMIT;
}
isGood = isGood && run("npx", "--no-install", "publint", "run", tarball, "--strict");
isGood = isGood && run("npx", "--no-install", "attw", tarball, "--profile", "esm-only", "--quiet");
rmSync(folder, { recursive: true, force: true });
process.exit(isGood ? 0 : 1);
