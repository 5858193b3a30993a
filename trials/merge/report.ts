// Where the long runs of merging cookies leave their results: a section of docs/results/merge.md
// each, with the commit that it ran on.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

const FILE = "docs/results/merge.md";

/** Replaces the text between a section's two marks. */
export function writeSection(section: string, text: string): void {
  const begin = `<!-- begin ${section} -->\n`;
  const end = `<!-- end ${section} -->\n`;
  const before = readFileSync(FILE, "utf8");
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${FILE} has no section ${section}`);
  const head = before.slice(0, from + begin.length);
  writeFileSync(FILE, `${head}\n${stamp()}\n\n${text}\n\n${before.slice(to)}`);
}

/** Rows as a Markdown table; the first is its head. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** A number as people read it. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function stamp(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const isClean = git("status", "--porcelain", "src", "merge") === "";
  const commit = git("rev-parse", "--short", "HEAD") + (isClean ? "" : " with changes");
  const date = new Date().toISOString().slice(0, 10);
  return `Run on ${date}, commit ${commit}, Node.js ${process.version}, ${cpus().length} shared cores.`;
}
