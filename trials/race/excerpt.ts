// A breach in readable form: its message, and the few requests that prove it, one a line, in the order of
// their starts.
import {
  COUNTER,
  isTombstone,
  type RaceRequest,
  type Save,
  type SignOut,
  TOKEN,
} from "./history.ts";
import type { Violation } from "./violation.ts";

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
  return [`${rule}, session ${session}: ${message}`, ...lines].join("\n");
}

function lineOf(request: RaceRequest, session: number, origin: number): string[] {
  const { id, client, startMs, endMs, generation, seen, answered } = request;
  const span = `${Math.round(startMs - origin)}..${Math.round(endMs - origin)} ms`;
  const came = request.session === session ? `credential ${generation}` : "no credential";
  const entries = [...(seen ?? [])].filter(([key]) => !isTombstone(key));
  const found =
    seen === undefined ? "found nothing" : entries.map(([key, mark]) => `${key}=${mark}`);
  const saves = request.saves.filter((save) => save.session === session).map(describeSave);
  if (request.signOut !== undefined) saves.push(describeSignOut(request.signOut));
  const what = answered ? [`saw ${[found].flat().join(" ")}`, ...saves] : ["no answer", ...saves];
  return [span, `client ${client}`, `#${id}`, came, what.join("; ")];
}

function describeSave({ mark, kind, set, del, outcome, subject, count, taken }: Save): string {
  const keys = set.filter((key) => !isTombstone(key)).map((key) => `${key}=${mark}`);
  const whose = subject === undefined ? [] : [`as ${subject}'s`];
  const steps = count === undefined ? [] : [`${COUNTER} raised to ${count}`];
  if (taken !== undefined) steps.push(`took ${TOKEN}=${taken}`);
  const changes = [kind, ...keys, ...del.map((key) => `-${key}`), ...steps, ...whose];
  return `${changes.join(" ")}: ${outcome}`;
}

function describeSignOut({ subject, except, listed }: SignOut): string {
  const some = listed === undefined ? "" : `, listed ${listed.join(" ") || "none"}`;
  return `signed ${subject} out${except === undefined ? "" : ` but for session ${except}`}${some}`;
}
