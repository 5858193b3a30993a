// `npm run fuzz`: a million hostile inputs, with Object.prototype frozen and the heap watched.
// FUZZ_RUNS and FUZZ_SEED choose others; only a full run writes docs/results/fuzz.md.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { SeededRandom } from "./random.ts";
import { fuzz, type Tally } from "./subject.ts";
import { makeSubjects } from "./subjects.ts";

const FULL_RUNS = 1_000_000;
const RUNS = Number(process.env["FUZZ_RUNS"] ?? FULL_RUNS);
const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 0x7fff_ffff);
const ROUNDS = 20;
/** The rounds that warm up caches and compiled code. */
const WARM_UP = 4;
/** A leak of one short string for each input would be ten times this. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
const commit = git("rev-parse", "--short", "HEAD");
if (RUNS >= FULL_RUNS && git("status", "--porcelain", "--", "src", "fuzz") !== "")
  throw new Error("commit first: the result names the commit that it ran on");
Object.freeze(Object.prototype);
const collect = globalThis.gc;
if (collect === undefined)
  throw new Error("run it as npm run fuzz: the heap check needs --expose-gc");
console.log(`fuzz: ${RUNS} inputs, seed ${SEED}`);
const subjects = await makeSubjects();
const random = new SeededRandom(SEED);
const tallies = new Map<string, Tally>();
const heap: number[] = [];
const started = performance.now();
for (let round = 0; round < ROUNDS; round++) {
  await fuzz(subjects, random, Math.ceil(RUNS / ROUNDS), tallies);
  collect();
  heap.push(process.memoryUsage().heapUsed);
  console.log(`${(((round + 1) * 100) / ROUNDS).toFixed(0)} %, heap ${megabytes(heap.at(-1))} MB`);
}
const seconds = (performance.now() - started) / 1000;
const [settled = 0, last = 0] = [heap[WARM_UP], heap.at(-1)];
for (const [name, { accepted, refused }] of tallies) {
  if (accepted === 0 || refused === 0)
    throw new Error(`${name} tests nothing: ${accepted} accepted, ${refused} refused`);
}
const total = [...tallies.values()].reduce((sum, tally) => sum + tally.accepted + tally.refused, 0);
const rows = [...tallies].map(
  ([name, { accepted, refused }]) =>
    `| ${name} | ${accepted + refused} | ${accepted} | ${refused} |`,
);
const result = `# Fuzzing: the last full run

\`npm run fuzz\` on commit ${commit}, ${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, seed ${SEED}: ${total} inputs in ${seconds.toFixed(0)} s.

Nothing threw. Nothing was accepted but what one response of ours had sealed, all of its cookies whole and under their own names; of merging cookies, what the whole ones say without the rest. Every row gave a Map of strings or nothing. \`Object.prototype\` was frozen throughout.

The heap after a collection: ${megabytes(settled)} MB after a quarter of the run, when caches and compiled code are warm, ${megabytes(last)} MB at its end (${heap.map(megabytes).join(", ")}).

| what | inputs | accepted whole | refused |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
console.log(result);
if (last - settled > MAX_GROWTH_BYTES)
  throw new Error(`the heap grew by ${megabytes(last - settled)} MB`);
if (total >= FULL_RUNS) writeFileSync("docs/results/fuzz.md", result);

function megabytes(bytes: number | undefined): string {
  return ((bytes ?? 0) / 1024 / 1024).toFixed(1);
}
