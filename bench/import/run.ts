// `npm run bench -- import`: what a cold start pays for the core, above an empty module.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Cost } from "../lib/clock.ts";
import { peerUrl, root } from "../lib/load.ts";
import type { Settings } from "../lib/settings.ts";
import { interleave, spread, type Spread } from "../lib/stats.ts";

interface ImportRow {
  readonly subject: string;
  /** Milliseconds on the wall above an empty module in the same round. */
  readonly wall: Spread;
  /** The same in processor time, of all threads. */
  readonly cpu: Spread;
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

async function importOnce(url: string): Promise<Cost> {
  const { stdout } = await run(process.execPath, [child, url]);
  return JSON.parse(stdout) as Cost;
}

/** Runs it, a fresh process for each import. */
export async function runImport({
  quick,
  rounds = quick ? 5 : 25,
}: Settings): Promise<ImportResult> {
  const names = Object.keys(modules);
  const costs = new Map<string, Cost[]>(names.map((name) => [name, []]));
  await interleave(names, rounds, async (name) => {
    const empty = await importOnce(EMPTY);
    const { cpu, wall } = await importOnce(modules[name]?.() ?? EMPTY);
    costs.get(name)?.push({ cpu: (cpu - empty.cpu) / 1000, wall: (wall - empty.wall) / 1000 });
  });
  const rows = names.map((subject) => ({
    subject,
    wall: spread((costs.get(subject) ?? []).map(({ wall }) => wall)),
    cpu: spread((costs.get(subject) ?? []).map(({ cpu }) => cpu)),
  }));
  return { node: process.versions.node, rows };
}

/** A line for each row, for the terminal. */
export function printImport({ rows }: ImportResult): void {
  console.log("\ncold import, above an empty module");
  for (const { cpu, subject, wall } of rows) {
    console.log(
      `  ${subject.padEnd(32)}${wall.median.toFixed(1).padStart(7)} ms ` +
        `(${wall.low.toFixed(1)}..${wall.high.toFixed(1)})`.padEnd(18) +
        `${cpu.median.toFixed(1).padStart(7)} ms of processor time`,
    );
  }
}
