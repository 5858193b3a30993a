// `npm run bench -- merge`: bytes and processor time of merging cookies at one, two and eight parts,
// beside one plain cookie.
import { Child } from "../lib/child.ts";
import type { Settings } from "../lib/settings.ts";
import { spread, type Spread } from "../lib/stats.ts";
import type { MergeOrder, MergeSamples } from "./child.ts";

/** One way to keep the session. */
interface MergeRow {
  readonly subject: string;
  readonly parts: number;
  readonly cookieBytes: number;
  readonly setCookieBytes: number;
  /** CPU microseconds of a request, the engine alone. */
  readonly known: Spread;
  readonly fresh: Spread;
  readonly write: Spread;
}

/** The result. */
export interface MergeResult {
  readonly rows: readonly MergeRow[];
}

/** Runs it in a process of its own. */
export async function runMerge({ quick, rounds = quick ? 3 : 25 }: Settings): Promise<MergeResult> {
  const child = new Child("merge/child");
  try {
    await child.next();
    const order: MergeOrder = { rounds, requests: 200 };
    const { samples } = await child.ask<{ samples: readonly MergeSamples[] }>(order);
    const rows = samples.map(({ fresh, known, write, ...row }) => ({
      ...row,
      known: spread(known),
      fresh: spread(fresh),
      write: spread(write),
    }));
    return { rows };
  } finally {
    await child.stop();
  }
}

/** A line for each row, for the terminal. */
export function printMerge({ rows }: MergeResult): void {
  console.log("\nmerging cookies, the small session");
  for (const { cookieBytes, fresh, known, parts, setCookieBytes, subject, write } of rows) {
    console.log(
      `  ${subject.padEnd(18)}${parts} parts  Cookie ${cookieBytes}  Set-Cookie ${setCookieBytes} bytes  ` +
        `known ${known.median.toFixed(1)}  fresh ${fresh.median.toFixed(1)}  write ${write.median.toFixed(1)} us`,
    );
  }
}
