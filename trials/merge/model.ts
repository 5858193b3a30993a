// `npm run model`: the real join and write code on random schedules, against a plain log.
// And the lives of one browser, hundreds each, on every kind of cookie store. The last result is in
// docs/results/merge.md.
import fc from "fast-check";
import { option, readArguments } from "../lib/arguments.ts";
import { count, table, writeRun } from "../lib/report.ts";
import { conclude, progress, verdict } from "../lib/verdict.ts";
import { runSchedule } from "./model/browser.ts";
import { type LivesKind, livesKinds, livesOf, runLives } from "./model/lives.ts";
import { families, type Family } from "./model/schedule.ts";

/** Sessions of one browser. */
const LIVES = 300;
/** The cost of a browser's whole life, in schedules. */
const BROWSER_SHARE = 4000;
const { runs, seed } = readArguments("model", {
  runs: option.number(200_000, "schedules"),
  seed: option.seed,
});

/** Runs a family's share; gives its row of the table. */
function check(family: Family): (string | number)[] {
  const losses = new Map<string, number>();
  let mostCookies = 0;
  let mostBytes = 0;
  let visits = 0;
  let collapses = 0;
  const property = fc.property(family.schedules, (schedule) => {
    const outcome = runSchedule(schedule, family);
    const [fault] = outcome.faults;
    if (fault !== undefined) throw new Error(fault);
    for (const kind of new Set(outcome.excused)) losses.set(kind, (losses.get(kind) ?? 0) + 1);
    mostCookies = Math.max(mostCookies, outcome.mostCookies);
    mostBytes = Math.max(mostBytes, outcome.mostBytes);
    collapses += outcome.collapses;
    visits += schedule.visits.length;
  });
  const numRuns = Math.ceil(runs / families.length);
  const { failed, counterexample, errorInstance } = fc.check(property, { numRuns, seed });
  if (failed) {
    console.error(JSON.stringify(counterexample, null, 1));
    throw new Error(`${family.name}, seed ${seed}: the schedule above`, { cause: errorInstance });
  }
  const lost = Array.from(losses, ([kind, times]) => `${kind}: ${count(times)}`).join("; ") || "0";
  const row = [
    family.name,
    count(numRuns),
    count(visits),
    lost,
    mostCookies,
    count(mostBytes),
    count(collapses),
  ];
  progress(row.join(" | "));
  return row;
}

/** Runs the lives of a kind of store; gives its row of the table. */
async function checkLives(kind: LivesKind): Promise<(string | number)[]> {
  let mostCookies = 0;
  let mostBytes = 0;
  const property = fc.asyncProperty(livesOf(LIVES), async (lives) => {
    const outcome = await runLives(lives, kind);
    const [fault] = outcome.faults;
    if (fault !== undefined) throw new Error(fault);
    mostCookies = Math.max(mostCookies, outcome.mostCookies);
    mostBytes = Math.max(mostBytes, outcome.mostBytes);
  });
  const numRuns = Math.ceil(runs / BROWSER_SHARE);
  await fc.assert(property, { numRuns, seed });
  const sessions = count(numRuns * LIVES);
  const row = [kind.name, count(numRuns), sessions, mostCookies, count(mostBytes)];
  progress(row.join(" | "));
  return row;
}

progress(`${count(runs)} schedules, seed ${seed}`);
const head = [
  "family",
  "schedules",
  "requests",
  "schedules with a loss that is excused",
  "most cookies",
  "most bytes of header",
  "collapses",
];
const rows = families.map(check);
const livesHead = ["kind of store", "browsers", "sessions", "most cookies", "most bytes of header"];
const livesRows: (string | number)[][] = [];
for (const kind of livesKinds) livesRows.push(await checkLives(kind));
conclude(`${count(runs)} schedules, seed ${seed}`);
writeRun(
  { document: "merge", section: "model", command: "model", seed, verdict: verdict() },
  `${count(runs)} schedules.`,
  table(head, rows),
  `Lives of one browser, ${LIVES} sessions after each other that end in every way:`,
  table(livesHead, livesRows),
);
