// `npm run bench -- seal`: what it costs to seal a session into a cookie value and to open it, as a
// ratio to raw AES-256-GCM in the same round, on this Node and on Node 24.
import { Child } from "../lib/child.ts";
import type { Size } from "../lib/data.ts";
import { versionsOf } from "../lib/load.ts";
import type { Settings } from "../lib/settings.ts";
import { spread, type Spread } from "../lib/stats.ts";
import { loadSubjects } from "../lib/subject.ts";
import type { SealAnswer, SealOrder } from "./child.ts";

/** One scheme with one size of session. */
export interface SealRow {
  readonly subject: string;
  readonly kind: string;
  readonly versions: string;
  readonly note: string;
  readonly size: Size;
  /** Of the cookie's value. */
  readonly bytes: number;
  /** CPU microseconds. */
  readonly seal: Spread;
  readonly open: Spread;
  /** Seal and open together, as a ratio to the limit's a moment before. */
  readonly ratio: Spread;
}

/** The result of one Node. */
export interface SealResult {
  readonly node: string;
  readonly openssl: string;
  readonly rows: readonly SealRow[];
}

/** Runs it on one Node after the other. */
export async function runSeal(settings: Settings): Promise<SealResult[]> {
  const results: SealResult[] = [];
  for (const node of settings.nodes) results.push(await runOn(node, settings));
  return results;
}

async function runOn(node: string, { quick, rounds }: Settings): Promise<SealResult> {
  const pace = quick
    ? { rounds: 3, budget: 20, warmup: 100 }
    : { rounds: rounds ?? 15, budget: 100, warmup: 700 };
  const rows: SealRow[] = [];
  const versions = { node: "", openssl: "" };
  for (const { kind, name, note = "", packages, seal } of (await loadSubjects()).values()) {
    if (seal === undefined) continue;
    for (const size of ["small", "large"] as const) {
      const child = new Child("seal/child", { node });
      await child.next();
      const order: SealOrder = { subject: name, size, ...pace };
      const answer = await child.ask<SealAnswer>(order);
      await child.stop();
      versions.node = answer.node;
      versions.openssl = answer.openssl;
      const cost = { seal: spread(answer.seal), open: spread(answer.open) };
      const what = { subject: name, kind, versions: versionsOf(packages), note, size };
      rows.push({ ...what, bytes: answer.bytes, ...cost, ratio: spread(answer.ratio) });
    }
  }
  return { ...versions, rows };
}

/** A line for each row, for the terminal. */
export function printSeal(results: readonly SealResult[]): void {
  for (const { node, rows } of results) {
    console.log(`\nseal + open on Node ${node}`);
    for (const size of ["small", "large"] as const) {
      const ofSize = rows.filter((row) => row.size === size);
      ofSize.sort((one, other) => one.ratio.median - other.ratio.median);
      for (const { subject, bytes, ratio, seal, open } of ofSize) {
        console.log(
          `  ${size.padEnd(6)}${subject.padEnd(30)}${ratio.median.toFixed(2).padStart(9)} x ` +
            `(${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)})`.padEnd(20) +
            `${seal.median.toFixed(1).padStart(9)} +${open.median.toFixed(1).padStart(9)} us ` +
            `${String(bytes).padStart(6)} bytes`,
        );
      }
    }
  }
}
