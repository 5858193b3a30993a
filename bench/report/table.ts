// Markdown tables and the figures in them.

/** Digits that a reader needs: three, fewer for what is large. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A Markdown table; what begins with a name stands left, the rest right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  leftColumns = 1,
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => (index < leftColumns ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Ours stands out. */
export function subjectCell({ kind, subject }: { kind: string; subject: string }): string {
  return kind === "ours" ? `**${subject}**` : subject;
}
