// `npm run race`: a small race of real processes on each store, in about a minute. With `--store X` a
// full one on that store, and the checker's verdict; it is written into docs/results/race.md with the
// commit that it ran on. With `--mutants` the checker itself is on trial.
import { writeFileSync } from "node:fs";
import { option, readArguments } from "../lib/arguments.ts";
import { conclude, elapsed, fault, progress } from "../lib/verdict.ts";
import { raceBriefly } from "./brief.ts";
import { checkHistory, countByRule } from "./checker.ts";
import { race } from "./driver.ts";
import { excerpt } from "./excerpt.ts";
import type { History } from "./history.ts";
import { sweepMutants } from "./sweep.ts";
import { recordResult } from "./results.ts";
import { type Subject, subjects } from "./subjects.ts";
import { ToldTrack } from "./told-track.ts";
import { openTrack } from "./track.ts";

/** Requests of a full race, and the least of a race that is recorded. */
const FULL = 100_000;
const RECORDED = 20_000;
/** How many breaches of each rule are shown. */
const SHOWN = 2;

const values = readArguments("race", {
  store: option.choice(Object.keys(subjects), "a full race on this store"),
  mutants: option.flag("the checker on every broken store, at full length, instead of a race"),
  operations: option.number(FULL, "requests of a full race"),
  seed: option.seed,
  processes: option.number(undefined, "server processes; the store's own number unless given"),
  sessions: option.number(16, "sessions at once"),
  clients: option.number(4, "clients that share each session"),
  idle: option.number(3, "the idle timeout in seconds"),
  history: option.text("a file for the whole history, one request a line"),
});
const { seed } = values;
const chosen = values.store === undefined ? undefined : subjects[values.store];
if (values.mutants) {
  await sweepMutants(seed);
  conclude(`the checker on every broken store, seed ${seed}`);
} else if (values.store === undefined || chosen === undefined) await raceAll();
else await raceFully(values.store, chosen);

async function raceAll(): Promise<void> {
  progress(`small races on every store, seed ${seed}`);
  for (const name of Object.keys(subjects)) {
    const faults = await raceBriefly(name, seed);
    for (const one of faults) fault(`${name}: ${one}`);
    progress(`${name}: done`);
  }
  conclude("small races on every store");
}

async function raceFully(store: string, subject: Subject): Promise<void> {
  const { operations, sessions, clients, processes = subject.processes } = values;
  const idleMs = values.idle * 1000;
  const absoluteMs = idleMs * 10;
  progress(
    `race on ${store}: ${operations} requests, seed ${seed}, ${processes} server processes, ` +
      `${sessions} sessions at once with ${clients} clients each`,
  );
  const server = await subject.start();
  const track = await openTrack({
    subject: store,
    address: server.address,
    processes,
    idleMs,
    absoluteMs,
  });
  const told = new ToldTrack(track, operations);
  let history: History;
  try {
    history = await race(told, {
      seed,
      operations,
      sessions,
      clientsEach: clients,
      idleMs,
      absoluteMs,
    });
  } finally {
    told.stop();
    await track.close();
    await server.close();
  }
  const seconds = elapsed();
  progress(`${history.requests.length} requests are over; checking their history`);
  if (values.history !== undefined) writeHistory(values.history, history);
  const violations = checkHistory(history);
  const counts = countByRule(violations);
  for (const [rule, count] of counts) {
    console.log(`\n${rule}: ${count} times`);
    const some = violations.filter((violation) => violation.rule === rule).slice(0, SHOWN);
    for (const violation of some) console.log(excerpt(violation));
  }
  console.log(`\n${tally(history)}`);
  if (operations >= RECORDED) {
    recordResult({ store, seed, processes, clients: sessions * clients, seconds, history, counts });
  }
  if (subject.atomic) for (const [rule, count] of counts) fault(`${rule}: ${count} times`);
  else if (violations.length === 0) {
    fault("the checker saw nothing of a store that is known to race: is it blind?");
  }
  conclude(`${history.requests.length} requests on ${store}, seed ${seed}`);
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
