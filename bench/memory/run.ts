// `npm run bench -- memory`: 200,000 small sessions in each store in memory: heap bytes a session,
// and what a read and a change cost.
import { Child } from "../lib/child.ts";
import { versionsOf } from "../lib/load.ts";
import type { Settings } from "../lib/settings.ts";
import { spread, type Spread } from "../lib/stats.ts";
import { loadSubjects } from "../lib/subject.ts";
import type { MemoryAnswer, MemoryOrder } from "./child.ts";

interface MemoryRow {
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  /** Heap bytes a session, its id not counted. */
  readonly bytes: number;
  /** CPU nanoseconds. */
  readonly get: Spread;
  readonly change: Spread;
}

/** The result. */
export interface MemoryResult {
  readonly sessions: number;
  readonly rows: readonly MemoryRow[];
}

/** Runs it, one process after the other. */
export async function runMemory({ quick, rounds = 3 }: Settings): Promise<MemoryResult> {
  const order: MemoryOrder = { sessions: quick ? 20_000 : 200_000, rounds: quick ? 1 : rounds };
  const rows: MemoryRow[] = [];
  for (const { kind, memory, name, note = "", packages } of (await loadSubjects()).values()) {
    if (memory === undefined) continue;
    const child = new Child("memory/child", { args: [name], flags: ["--expose-gc"] });
    try {
      await child.next();
      const { bytes, change, get } = await child.ask<MemoryAnswer>(order);
      const figures = { bytes: Math.round(bytes), get: spread(get), change: spread(change) };
      rows.push({ subject: name, kind, versions: versionsOf(packages), note, ...figures });
    } finally {
      await child.stop();
    }
  }
  return { sessions: order.sessions, rows };
}

/** A line for each row, for the terminal. */
export function printMemory({ rows, sessions }: MemoryResult): void {
  console.log(`\n${sessions} small sessions in memory`);
  for (const { bytes, change, get, subject } of rows) {
    console.log(
      `  ${subject.padEnd(32)}${String(bytes).padStart(6)} bytes ` +
        `get ${get.median.toFixed(0).padStart(6)} ns  change ${change.median.toFixed(0).padStart(6)} ns`,
    );
  }
}
