// Writes docs/performance.md, its plots and the README's table of costs from the results: what was measured, on what, and what
// became of the targets. Run by itself it only writes the page anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { root } from "../lib/load.ts";
import type { Machine } from "../lib/machine.ts";
import { withCosts } from "./costs.ts";
import { partNames, readResults, type Results } from "./results.ts";
import { sections } from "./sections.ts";
import { table } from "./table.ts";
import { judge } from "./targets.ts";

const title = `# Performance

Every figure on this page comes out of \`npm run bench\`, which compares kocha-session with other session libraries at their
current versions and with what nothing can beat; \`bench/README.md\` says how each is made. The page is written by
that command. Figures drift between machines, ratios hardly do: compare within a table, not between runs.`;

function describe({
  commit,
  cores,
  cpu,
  date,
  memoryGiB,
  node,
  openssl,
  system,
  v8,
}: Machine): string {
  return (
    `${date}, commit \`${commit}\`: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; ` +
    `Node.js ${node} (V8 ${v8}, OpenSSL ${openssl})`
  );
}

function machines(results: Results): string {
  const parts = new Map<string, string[]>();
  for (const part of partNames) {
    const machine = results[part]?.machine;
    if (machine === undefined) continue;
    const text = describe(machine);
    parts.set(text, [...(parts.get(text) ?? []), part]);
  }
  if (parts.size === 1) return `Measured on ${[...parts.keys()].join("")}.`;
  return [...parts].map(([text, of]) => `- ${of.join(", ")}: ${text}`).join("\n");
}

function targets(results: Results): string {
  const rows = judge(results).map(({ figure, met, reached, target }) => [
    figure,
    target,
    reached,
    met === undefined ? "" : met ? "yes" : "**no**",
  ]);
  return `## Targets and results\n\n${table(["figure", "target", "reached", "met"], rows, 4)}`;
}

/** Writes the page of what has been measured so far. */
export async function writePage(): Promise<void> {
  const results = readResults();
  mkdirSync(new URL("docs/performance/", root), { recursive: true });
  const notes = new URL("bench/notes.md", root);
  const parts = [
    title,
    machines(results),
    targets(results),
    ...(await sections(results)),
    // What was tried and kept or thrown out is told by people.
    ...(existsSync(notes) ? [readFileSync(notes, "utf8").trim()] : []),
  ];
  writeFileSync(new URL("docs/performance.md", root), `${parts.join("\n\n")}\n`);
  if (results.http !== undefined) {
    const readme = new URL("README.md", root);
    writeFileSync(readme, withCosts(readFileSync(readme, "utf8"), results.http));
  }
}
