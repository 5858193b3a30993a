// `npm run fuzz`: a million hostile inputs, with Object.prototype frozen and the heap watched. Only a
// full run writes docs/results/fuzz.md.
import { option, readArguments } from "../lib/arguments.ts";
import { count, table, writeRun } from "../lib/report.ts";
import { conclude, elapsed, fault, progress, verdict } from "../lib/verdict.ts";
import { SeededRandom } from "./random.ts";
import { fuzz, type Tally } from "./subject.ts";
import { makeSubjects } from "./subjects.ts";

const FULL_RUNS = 1_000_000;
const ROUNDS = 20;
/** The rounds that warm up caches and compiled code. */
const WARM_UP = 4;
/** A leak of one short string for each input would be ten times this. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

const { runs, seed } = readArguments("fuzz", {
  runs: option.number(FULL_RUNS, "hostile inputs"),
  seed: option.seed,
});
Object.freeze(Object.prototype);
const collect = globalThis.gc;
if (collect === undefined)
  throw new Error("run it as npm run fuzz: the heap check needs --expose-gc");
progress(`${count(runs)} inputs, seed ${seed}`);
const subjects = await makeSubjects();
const random = new SeededRandom(seed);
const tallies = new Map<string, Tally>();
const heap: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  await fuzz(subjects, random, Math.ceil(runs / ROUNDS), tallies);
  collect();
  heap.push(process.memoryUsage().heapUsed);
  progress(`${((round + 1) * 100) / ROUNDS} %, heap ${megabytes(heap.at(-1))} MB`);
}
const [settled = 0, last = 0] = [heap[WARM_UP], heap.at(-1)];
for (const [name, { accepted, refused }] of tallies) {
  if (accepted === 0 || refused === 0)
    fault(`${name} tests nothing: ${accepted} accepted, ${refused} refused`);
}
if (last - settled > MAX_GROWTH_BYTES) fault(`the heap grew by ${megabytes(last - settled)} MB`);
const total = [...tallies.values()].reduce((sum, tally) => sum + tally.accepted + tally.refused, 0);
const rows = Array.from(tallies, ([name, { accepted, refused }]) => [
  name,
  accepted + refused,
  accepted,
  refused,
]);
const results = [
  `${count(total)} inputs in ${elapsed()} s. The heap after a collection: ${megabytes(settled)} MB after a quarter of the run, when caches and compiled code are warm, ${megabytes(last)} MB at its end (${heap.map(megabytes).join(", ")}).`,
  table(["what", "inputs", "accepted whole", "refused"], rows),
];
console.log(`\n${results.join("\n\n")}\n`);
conclude(`${count(total)} inputs, seed ${seed}`);
if (total >= FULL_RUNS && verdict() === "no fault") {
  writeRun({ document: "fuzz", command: "fuzz", seed, verdict: verdict() }, ...results);
}

function megabytes(bytes: number | undefined): string {
  return ((bytes ?? 0) / 1024 / 1024).toFixed(1);
}
