// `npm run fuzz`: a million hostile inputs, with Object.prototype frozen and the heap watched.
// FUZZ_RUNS and FUZZ_SEED choose others; the last result is committed in docs/results/fuzz.md.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fuzz, makeSubjects } from "./subjects.ts";
import { SeededRandom } from "./random.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 1_000_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 0x7fff_ffff);
const ROUNDS = 20;
/** A leak of one short string for each input would be ten times this. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

Object.freeze(Object.prototype);
const collect = globalThis.gc;
if (collect === undefined)
  throw new Error("run it as npm run fuzz: the heap check needs --expose-gc");
// At the start: what is committed while it runs is not what ran.
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
console.log(`fuzz: ${RUNS} inputs, seed ${SEED}`);
const subjects = await makeSubjects();
const random = new SeededRandom(SEED);
const heap: number[] = [];
const started = performance.now();
for (let round = 0; round < ROUNDS; round++) {
  await fuzz(subjects, random, Math.ceil(RUNS / ROUNDS));
  collect();
  heap.push(process.memoryUsage().heapUsed);
}
const seconds = (performance.now() - started) / 1000;
// The first rounds warm up caches and compiled code.
const settled = heap[4] ?? 0;
const growth = (heap.at(-1) ?? 0) - settled;
const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
const result =
  `| ${new Date().toISOString().slice(0, 10)} | ${commit} | ${process.version} | ${RUNS} | ${SEED} ` +
  `| ${seconds.toFixed(0)} s | ${megabytes(settled)} → ${megabytes(heap.at(-1) ?? 0)} MB |`;
console.log(result);
if (growth > MAX_GROWTH_BYTES) throw new Error(`the heap grew by ${megabytes(growth)} MB`);
writeFileSync(
  "docs/results/fuzz.md",
  "# Fuzzing: the last full run\n\n" +
    "Cookie headers, tokens and keys built from valid ones by flips, cuts, splices and swapped " +
    "names, split cookies, stored rows, and msgpack behind a good signature, through `open` " +
    "(`npm run fuzz`). Nothing threw; nothing was accepted that differs from what was sealed; " +
    "every row gave a Map of strings or nothing; the heap stayed flat.\n\n" +
    "| date | commit | Node.js | inputs | seed | time | heap after a fifth and at the end |\n" +
    `| --- | --- | --- | --- | --- | --- | --- |\n${result}\n`,
);
