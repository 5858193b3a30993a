// Installs other runtimes from npm into .tmp/runtimes, pinned, once: Node.js from the packages
// `node`, Bun from `bun`, Deno from `deno`, Cloudflare's from `workerd`. It prevents "works here".
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../tests/support/cli.ts";

/** What the tests run on: the oldest Node.js that is promised, and the newest of each line. */
export const versions = {
  nodes: ["20.19.0", "22.23.3", "24.21.0", "26.10.0"],
  bun: "1.4.5",
  deno: "2.9.6",
  workerd: "1.20260426.1",
  typescripts: ["5.9.3", "6.0.3"],
} as const;

/** The path of a runtime's program, installed if it isn't there. */
export function runtime(name: "node" | "bun" | "deno" | "workerd", version: string): string {
  const folder = join(repository, ".tmp", "runtimes", `${name}-${version}`);
  const program = join(folder, "node_modules", ".bin", name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  console.log(`installing ${name}@${version}`);
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--no-save"];
  execFileSync("npm", ["install", ...flags, `${name}@${version}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    // Each package brings its program by a script of its own.
    env: { ...process.env, npm_config_ignore_scripts: "false", npm_config_engine_strict: "false" },
  });
  return program;
}
