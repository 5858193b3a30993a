// The packages of this folder, which are too large for the root: installed once for each lockfile.
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { progress } from "../lib/verdict.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Installs them where that hasn't been done. */
export function installPlatforms(): void {
  const installed = join(folder, "node_modules", ".package-lock.json");
  const lockfile = join(folder, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs > statSync(lockfile).mtimeMs) return;
  progress("installing the platforms");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
