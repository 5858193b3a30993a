// The results as they lie in bench/results, typed. It measures nothing and draws nothing.
import { existsSync, readFileSync } from "node:fs";
import type { LoopResult } from "../eventloop/run.ts";
import type { GrowthResult } from "../growth/run.ts";
import type { HttpResult } from "../http/run.ts";
import type { ImportResult } from "../import/run.ts";
import { root } from "../lib/load.ts";
import type { Machine } from "../lib/machine.ts";
import type { MemoryResult } from "../memory/run.ts";
import type { MergeResult } from "../merge/run.ts";
import type { RedisResult } from "../redis/run.ts";
import type { SealResult } from "../seal/run.ts";

/** What every part writes besides its own. */
interface Written {
  readonly machine: Machine;
}

/** What there is of each part; undefined: it has not been measured. */
export interface Results {
  readonly seal?: Written & { readonly nodes: readonly SealResult[] };
  readonly http?: Written & HttpResult;
  readonly redis?: Written & RedisResult;
  readonly memory?: Written & MemoryResult;
  readonly growth?: Written & GrowthResult;
  readonly import?: Written & ImportResult;
  readonly eventloop?: Written & LoopResult;
  readonly merge?: Written & MergeResult;
}

/** The parts, in the page's order. */
export const partNames = [
  "seal",
  "http",
  "redis",
  "memory",
  "growth",
  "import",
  "eventloop",
  "merge",
] as const satisfies readonly (keyof Results)[];

/** Reads what is there. */
export function readResults(): Results {
  const results: Record<string, unknown> = {};
  for (const part of partNames) {
    const file = new URL(`bench/results/${part}.json`, root);
    if (existsSync(file)) results[part] = JSON.parse(readFileSync(file, "utf8"));
  }
  return results;
}
