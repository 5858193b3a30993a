// The table of what a session costs on each host, which the README and docs/performance.md both show:
// made from the results, so that neither says anything else. It measures nothing.
import type { HttpResult, HttpRow } from "../http/run.ts";
import { type HostName, hostNames, type Mode } from "../lib/subject.ts";
import { table } from "./table.ts";

const OURS = "kocha-session";
const NATIVE = "@fastify/secure-session";
const titles: Readonly<Record<HostName, string>> = {
  node: "node:http",
  express: "Express",
  fastify: "Fastify",
  koa: "Koa",
  hono: "Hono",
  h3: "h3",
  fetch: "fetch",
};
/** What a request does, in the reader's words. */
const jobs: readonly (readonly [mode: Mode, words: string])[] = [
  ["read", "the same cookie again"],
  ["fresh", "a new cookie each time"],
  ["write", "a write"],
];

/** Microseconds of processor time; "-" where nothing was measured. */
export function costs({ rows }: Pick<HttpResult, "rows">): string {
  const added = (mode: Mode, matches: (row: HttpRow) => boolean): string[] =>
    hostNames.map((host) => {
      const found = rows.filter((row) => row.host === host && row.mode === mode && matches(row));
      return cell(found.map((row) => row.added.median));
    });
  const none = hostNames.map((host) =>
    cell(
      rows.filter((row) => row.host === host && row.kind === "none").map(({ cpu }) => cpu.median),
    ),
  );
  return table(
    ["", ...hostNames.map((host) => titles[host])],
    [
      ["a request without a session", ...none],
      ...jobs.flatMap(([mode, words]) => [
        [`**kocha-session** adds: ${words}`, ...added(mode, ({ subject }) => subject === OURS)],
        [`the cheapest other: ${words}`, ...added(mode, ({ kind }) => kind === "peer")],
        [`${NATIVE}: ${words}`, ...added(mode, ({ subject }) => subject === NATIVE)],
      ]),
    ],
  );
}

function cell(found: readonly number[]): string {
  return found.length === 0 ? "-" : Math.round(Math.min(...found)).toLocaleString("en-US");
}

const begin = "<!-- by npm run bench: -->";
const end = "<!-- until here -->";

/** The README with this table in the place of the one that it has. */
export function withCosts(readme: string, result: Pick<HttpResult, "rows">): string {
  const [before, rest] = readme.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error(`README.md has no ${begin}`);
  return `${before}${begin}\n\n${costs(result)}\n\n${end}${after}`;
}
