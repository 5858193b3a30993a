// `npm run race`: a small race of real processes on each store, in about a minute. With `--store X` a
// full one on that store, and the checker's verdict; it is written into docs/results/race.md with the
// commit that it ran on.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { raceBriefly } from "./brief.ts";
import { checkHistory, countByRule } from "./checker.ts";
import { race } from "./driver.ts";
import { excerpt } from "./excerpt.ts";
import type { History } from "./history.ts";
import { recordResult } from "./results.ts";
import { subjects } from "./subjects.ts";
import { openTrack } from "./track.ts";

/** Requests of a full race, and the least of a race that is recorded. */
const FULL = 100_000;
const RECORDED = 20_000;
/** How many breaches of each rule are shown. */
const SHOWN = 2;

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    operations: { type: "string", default: String(FULL) },
    seed: { type: "string", default: String(Date.now() % 0x7fff_ffff) },
    processes: { type: "string" },
    sessions: { type: "string", default: "16" },
    clients: { type: "string", default: "4" },
    idle: { type: "string", default: "3" },
    history: { type: "string" },
  },
});
const seed = Number(values.seed);
await (values.store === undefined ? raceAll() : raceFully(values.store));

async function raceAll(): Promise<void> {
  console.log(`small races on every store, seed ${seed}`);
  for (const name of Object.keys(subjects)) {
    const started = performance.now();
    const faults = await raceBriefly(name, seed);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${faults.length === 0 ? "as it has to be" : "WRONG"}, ${seconds} s`);
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
  }
}

async function raceFully(store: string): Promise<void> {
  const subject = subjects[store];
  if (subject === undefined) {
    console.error(`--store must be one of: ${Object.keys(subjects).join(", ")}`);
    process.exit(2);
  }
  const processes = Number(values.processes ?? subject.processes);
  const [operations, sessions, clientsEach] = [
    values.operations,
    values.sessions,
    values.clients,
  ].map(Number) as [number, number, number];
  const idleMs = Number(values.idle) * 1000;
  const absoluteMs = idleMs * 10;
  console.log(
    `race on ${store}: ${operations} requests, seed ${seed}, ${processes} server processes, ` +
      `${sessions} sessions at once with ${clientsEach} clients each`,
  );
  const started = performance.now();
  const server = await subject.start();
  const track = await openTrack({
    subject: store,
    address: server.address,
    processes,
    idleMs,
    absoluteMs,
  });
  let history: History;
  try {
    history = await race(track, { seed, operations, sessions, clientsEach, idleMs, absoluteMs });
  } finally {
    await track.close();
    await server.close();
  }
  const seconds = (performance.now() - started) / 1000;
  if (values.history !== undefined) writeHistory(values.history, history);
  const violations = checkHistory(history);
  const counts = countByRule(violations);
  for (const [rule, count] of counts) {
    console.log(`\n${rule}: ${count} times`);
    const some = violations.filter((violation) => violation.rule === rule).slice(0, SHOWN);
    for (const violation of some) console.log(excerpt(violation));
  }
  const unanswered = history.requests.filter(({ answered }) => !answered).length;
  const result = {
    store,
    commit: execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim(),
    seed,
    processes,
    clients: sessions * clientsEach,
    seconds,
    history,
    unanswered,
    counts,
  };
  console.log(`\n${tally(history)}`);
  console.log(
    `\n${history.requests.length} requests in ${seconds.toFixed(0)} s, ${unanswered} unanswered: ` +
      (violations.length === 0 ? "no breach" : `${violations.length} breaches`),
  );
  if (operations >= RECORDED) recordResult(result);
  if (subject.atomic && violations.length > 0) {
    console.error(`${store} breaks the laws; the load was that of --seed ${seed}`);
    process.exitCode = 1;
  }
  if (!subject.atomic && violations.length === 0) {
    console.error("the checker saw nothing of a store that is known to race: is it blind?");
    process.exitCode = 1;
  }
}

/** How many saves of each kind there were, and what became of them. */
function tally({ requests }: History): string {
  const tallies = new Map<string, number>();
  const count = (what: string): void => void tallies.set(what, (tallies.get(what) ?? 0) + 1);
  for (const { saves, signOut, seen } of requests) {
    count(seen === undefined ? "found nothing" : "found a session");
    for (const { kind, outcome } of saves) count(`${kind} ${outcome}`);
    if (signOut !== undefined) count("signed out");
  }
  return Array.from(tallies, ([what, number]) => `${what}: ${number}`)
    .toSorted()
    .join(", ");
}

/** One request a line, for whoever wants to look for more. */
function writeHistory(file: string, { requests }: History): void {
  const lines = requests.map((request) =>
    JSON.stringify({ ...request, seen: request.seen && Object.fromEntries(request.seen) }),
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
}
