// `npm run bench -- import`: what a cold start pays for the core, above an empty module.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { peerUrl, root } from "../lib/load.ts";
import type { Settings } from "../lib/settings.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";

interface ImportRow {
  readonly subject: string;
  /** Milliseconds. */
  readonly time: Spread;
  /** Above an empty module in the same round. */
  readonly above: Spread;
}

/** The result. */
export interface ImportResult {
  readonly node: string;
  readonly rows: readonly ImportRow[];
}

const run = promisify(execFile);
const child = fileURLToPath(new URL("child.js", import.meta.url));
const EMPTY = "data:text/javascript,";

/** What is imported, by the name in the table; the adapters with all that they bring. */
const modules: Readonly<Record<string, () => string>> = {
  "an empty module": () => EMPTY,
  "node:crypto": () => "node:crypto",
  "kocha-session": () => new URL("dist/index.js", root).href,
  "kocha-session/express": () => new URL("dist/hosts/express.js", root).href,
  "iron-session": () => peerUrl("iron-session"),
  "express-session": () => peerUrl("express-session"),
  "cookie-session": () => peerUrl("cookie-session"),
  "@fastify/secure-session": () => peerUrl("@fastify/secure-session"),
  jose: () => peerUrl("jose"),
};

async function importOnce(url: string): Promise<number> {
  const { stdout } = await run(process.execPath, [child, url]);
  return Number(stdout);
}

/** Runs it, a fresh process for each import. */
export async function runImport({
  quick,
  rounds = quick ? 5 : 25,
}: Settings): Promise<ImportResult> {
  const names = Object.keys(modules);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  const above = new Map<string, number[]>(names.map((name) => [name, []]));
  await interleave(names, rounds, async (name) => {
    const empty = await importOnce(EMPTY);
    const time = await importOnce(modules[name]?.() ?? EMPTY);
    times.get(name)?.push(time);
    above.get(name)?.push(time - empty);
  });
  const rows = names.map((subject) => ({
    subject,
    time: spread(times.get(subject) ?? []),
    above: spread(above.get(subject) ?? []),
  }));
  return { node: process.versions.node, rows };
}

/** A line for each row, for the terminal. */
export function printImport({ rows }: ImportResult): void {
  console.log("\ncold import");
  for (const { above, subject, time } of rows) {
    console.log(
      `  ${subject.padEnd(32)}${time.median.toFixed(1).padStart(7)} ms  ` +
        `${above.median.toFixed(1).padStart(7)} ms above an empty module (${above.low.toFixed(1)}..${above.high.toFixed(1)})`,
    );
  }
}
