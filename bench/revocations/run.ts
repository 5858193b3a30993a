// `npm run bench -- revocations`: a million revocations in each engine's log, followed by a new
// process: until when it may answer, what it holds, and what the list adds to a read.
import { Child } from "../lib/child.ts";
import type { Settings } from "../lib/settings.ts";
import { spread, type Spread } from "../lib/stats.ts";
import type { RevocationAnswer, RevocationOrder } from "./child.ts";
import { engines, fill, type LogEngine } from "./logs.ts";

interface RevocationRow {
  readonly engine: LogEngine;
  readonly entries: number;
  readonly catchUpMs: number;
  readonly catchUpCpuMs: number;
  /** Heap bytes an entry. */
  readonly bytes: number;
  /** CPU microseconds a second. */
  readonly followUs: number;
  /** CPU nanoseconds of a read. */
  readonly read: Readonly<Record<"none" | "empty" | "full", Spread>>;
  /** CPU nanoseconds that the list adds to a read, within each round. */
  readonly added: Readonly<Record<"empty" | "full", Spread>>;
}

/** The result. */
export interface RevocationResult {
  readonly rows: readonly RevocationRow[];
}

/** Runs it. */
export async function runRevocations({ quick, rounds = 9 }: Settings): Promise<RevocationResult> {
  const entries = quick ? 50_000 : 1_000_000;
  const order: RevocationOrder = {
    rounds: quick ? 3 : rounds,
    followMs: quick ? 2000 : 10_000,
  };
  const rows: RevocationRow[] = [];
  for (const engine of engines) {
    const log = await fill(engine, entries);
    const child = new Child("revocations/child", {
      args: [engine, log.at],
      flags: ["--expose-gc"],
    });
    try {
      await child.next();
      const answer = await child.ask<RevocationAnswer>(order);
      const { none, empty, full } = answer.reads;
      const added = (one: readonly number[]): Spread =>
        spread(one.map((cost, round) => cost - (none[round] ?? Number.NaN)));
      rows.push({
        engine,
        entries: answer.entries,
        catchUpMs: Math.round(answer.catchUp.wallMs),
        catchUpCpuMs: Math.round(answer.catchUp.cpuMs),
        bytes: Math.round(answer.bytes),
        followUs: Math.round(answer.followUs),
        read: { none: spread(none), empty: spread(empty), full: spread(full) },
        added: { empty: added(empty), full: added(full) },
      });
    } finally {
      await child.stop();
      await log.close();
    }
  }
  return { rows };
}

/** A line for each row, for the terminal. */
export function printRevocations({ rows }: RevocationResult): void {
  console.log("\nrevocations held and followed");
  for (const { added, bytes, catchUpMs, engine, entries, followUs, read } of rows) {
    console.log(
      `  ${engine.padEnd(10)}${entries} entries  ready after ${catchUpMs} ms  ${bytes} bytes each  ` +
        `following ${followUs} us/s  a read ${read.none.median.toFixed(0)} ns, ` +
        `with the list ${added.full.median.toFixed(0)} ns more (empty ${added.empty.median.toFixed(0)})`,
    );
  }
}
