// The results of a run, and their table for the documentation.
import { type ConformanceCase, type Law, laws } from "./case.ts";

/** The result of a case. */
export interface CaseResult {
  readonly case: ConformanceCase;
  /** Absent: it held, or doesn't apply. */
  readonly error?: unknown;
}

/** The results of one store or host. */
export interface SubjectResults {
  /** The column's heading. */
  readonly subject: string;
  readonly results: readonly CaseResult[];
}

/** Runs the cases that apply, one after the other. */
export async function runCases(cases: readonly ConformanceCase[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) {
    if (one.applies !== true) {
      results.push({ case: one });
      continue;
    }
    try {
      await one.run();
      results.push({ case: one });
    } catch (error) {
      results.push({ case: one, error });
    }
  }
  return results;
}

/**
 * The laws as a Markdown table, a column for each subject: "holds", "BROKEN", or the first reason
 * why a part of it doesn't apply.
 */
export function report(subjects: readonly SubjectResults[]): string {
  const head = ["law", ...subjects.map(({ subject }) => subject)];
  const reasons: string[] = [];
  const rows = (Object.keys(laws) as Law[]).map((law) => [
    `${law} ${laws[law].slice(0, laws[law].indexOf(":"))}`,
    ...subjects.map(({ results }) => cell(law, results, reasons)),
  ]);
  const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const notes = reasons.map((reason, index) => `${index + 1}. ${reason}`);
  return [...table, "", ...notes].join("\n");
}

function cell(law: Law, results: readonly CaseResult[], reasons: string[]): string {
  const own = results.filter((result) => result.case.law === law);
  const broken = own.filter(({ error }) => error !== undefined);
  if (broken.length > 0) return `BROKEN: ${broken.map((result) => result.case.id).join(", ")}`;
  const applied = own.filter((result) => result.case.applies === true);
  const left = new Set(own.flatMap(({ case: { applies } }) => (applies === true ? [] : [applies])));
  const marks = [...left].map((reason) => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return reasons.indexOf(reason) + 1;
  });
  const suffix = marks.length === 0 ? "" : ` (but: ${marks.join(", ")})`;
  if (applied.length === 0) return marks.length === 0 ? "-" : `- (${marks.join(", ")})`;
  return `holds, ${applied.length} ${applied.length === 1 ? "case" : "cases"}${suffix}`;
}
