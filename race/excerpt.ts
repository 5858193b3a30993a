// A breach for human eyes: what it is, and the few requests that prove it, in the order in which
// they began, one a line.
import { isTombstone, type RaceRequest, type Save } from "./history.ts";
import type { Violation } from "./rules.ts";

/** The requests that prove a breach, as a table in text. */
export function excerpt({ rule, session, message, evidence }: Violation): string {
  const requests = [...new Set(evidence)].toSorted((one, other) => one.start - other.start);
  const origin = requests[0]?.startMs ?? 0;
  const rows = requests.map((request) => lineOf(request, session, origin));
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  return [`${rule}: ${message}`, ...lines].join("\n");
}

function lineOf(request: RaceRequest, session: number, origin: number): string[] {
  const { id, client, startMs, endMs, generation, seen, answered } = request;
  const span = `${Math.round(startMs - origin)}..${Math.round(endMs - origin)} ms`;
  const came = request.session === session ? `credential ${generation}` : "no credential";
  const entries = [...(seen ?? [])].filter(([key]) => !isTombstone(key));
  const found =
    seen === undefined ? "found nothing" : entries.map(([key, mark]) => `${key}=${mark}`);
  const saves = request.saves.filter((save) => save.session === session).map(describeSave);
  const what = answered ? [`saw ${[found].flat().join(" ")}`, ...saves] : ["no answer", ...saves];
  return [span, `client ${client}`, `#${id}`, came, what.join("; ")];
}

function describeSave({ mark, kind, set, del, outcome }: Save): string {
  const keys = set.filter((key) => !isTombstone(key)).map((key) => `${key}=${mark}`);
  const changes = [...keys, ...del.map((key) => `-${key}`)].join(" ");
  return `${kind}${changes === "" ? "" : ` ${changes}`}: ${outcome}`;
}
