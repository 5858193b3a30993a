// Where the long runs leave their results: docs/results/<document>.md. The prose there is written by
// hand; between `<!-- begin X -->` and `<!-- end X -->` stands what the last run wrote.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";

/** The cells of a table's row. */
export type Cells = readonly (string | number)[];

const root = new URL("../../", import.meta.url);

/** A Markdown table. */
export function table(head: Cells, rows: readonly Cells[]): string {
  return [lineOf(head), lineOf(head.map(() => "---")), ...rows.map(lineOf)].join("\n");
}

/** A number as people read it. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** What ran, and where its result stands. */
interface Run {
  readonly document: string;
  /** The part of the document. Default "run". */
  readonly section?: string;
  readonly seed?: number;
}

/**
 * Writes what a whole run found in place of what the last one had, below a line that says what ran
 * where, and its verdict.
 */
export function writeRun(
  run: Run & { readonly command: string; readonly verdict?: string },
  ...blocks: readonly string[]
): void {
  const { document, section = "run", command, seed, verdict } = run;
  const [date, commit, node] = stamp();
  const machine = `${cpus().length} cores, ${platform()} ${arch()}`;
  const seeded = seed === undefined ? "" : `, seed ${seed}`;
  const judged = verdict === undefined ? "" : `: ${verdict}`;
  const head = `\`npm run ${command}\` on ${date}, commit ${commit}, Node.js ${node}, ${machine}${seeded}${judged}.`;
  edit(document, (page) => replaceSection(page, section, [head, ...blocks].join("\n\n")));
}

/**
 * Writes the row of a run on one store, in place of the same store's last one; the others stay.
 * After its name stand the date, the commit, Node.js and the seed.
 */
export function writeRow(
  { document, section = "run", seed, name }: Run & { readonly seed: number; readonly name: string },
  ...cells: Cells
): void {
  const row = [name, ...stamp(), seed, ...cells];
  edit(document, (page) => replaceRow(page, section, row));
}

/** A page with another text in one of its sections. */
export function replaceSection(page: string, section: string, body: string): string {
  const { before, after } = split(page, section);
  return `${before}\n${body.trim()}\n\n${after}`;
}

/** A page with one row of a section's table replaced or added, in the order of their first cells. */
export function replaceRow(page: string, section: string, row: Cells): string {
  const lines = split(page, section).body.trim().split("\n");
  const [head = "", rule = "", ...old] = lines;
  const cellsOf = (line: string): string[] => line.slice(2, -2).split(" | ");
  if (cellsOf(head).length !== row.length) {
    throw new Error(
      `the row has ${row.length} cells, the table has ${cellsOf(head).length} columns`,
    );
  }
  const rows = new Map(old.map((line) => [cellsOf(line)[0] ?? "", line]));
  rows.set(String(row[0]), lineOf(row));
  const sorted = [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return replaceSection(page, section, [head, rule, ...sorted.map(([, line]) => line)].join("\n"));
}

function lineOf(cells: Cells): string {
  const shown = cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " "));
  return `| ${shown.join(" | ")} |`;
}

function split(page: string, section: string): Record<"before" | "body" | "after", string> {
  const begin = `<!-- begin ${section} -->\n`;
  const from = page.indexOf(begin) + begin.length;
  const to = page.indexOf(`<!-- end ${section} -->`);
  if (!page.includes(begin) || to < from) throw new Error(`the page has no section ${section}`);
  return { before: page.slice(0, from), body: page.slice(from, to), after: page.slice(to) };
}

function edit(document: string, change: (page: string) => string): void {
  const file = new URL(`docs/results/${document}.md`, root);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** The date, the commit and Node.js; a result that was written is no change of what ran. */
export function stamp(): readonly [date: string, commit: string, node: string] {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const isClean = git("status", "--porcelain", "--", ".", ":!docs", ":!bench/results") === "";
  const commit = git("rev-parse", "--short", "HEAD");
  return [
    new Date().toISOString().slice(0, 10),
    isClean ? commit : `${commit} with changes`,
    process.version,
  ];
}
