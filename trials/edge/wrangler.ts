// wrangler's own bundler, as `wrangler deploy` runs it before it uploads anything.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { COMPATIBILITY_DATE } from "./workerd.ts";

const program = fileURLToPath(new URL("node_modules/wrangler/bin/wrangler.js", import.meta.url));
const execute = promisify(execFile);

/**
 * A worker's one module.
 * @param entry - a file of the folder, which has the packages that the worker imports.
 */
export async function bundleByWrangler(folder: string, entry: string): Promise<string> {
  const config = join(folder, `wrangler-${basename(entry)}.json`);
  const settings = { name: "worker", main: entry, compatibility_date: COMPATIBILITY_DATE };
  writeFileSync(config, JSON.stringify(settings));
  return dryRun(folder, ["--config", config]);
}

/** What `wrangler deploy` would upload from a folder. */
export async function dryRun(folder: string, args: readonly string[] = []): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), "kocha-session-wrangler-"));
  try {
    const { PATH = "" } = process.env;
    await execute(process.execPath, [program, "deploy", "--dry-run", "--outdir", out, ...args], {
      cwd: folder,
      env: { PATH, HOME: out, CI: "true", WRANGLER_SEND_METRICS: "false" },
    });
    const module = readdirSync(out).find((name) => name.endsWith(".js"));
    return readFileSync(join(out, module ?? ""), "utf8");
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
