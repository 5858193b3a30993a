// Small races of a few seconds each: a store that claims the laws must keep them in one, and a control must
// be convicted within a few. It writes no results.
import { checkHistory, countByRule } from "./checker.ts";
import { race } from "./driver.ts";
import { excerpt } from "./excerpt.ts";
import type { History } from "./history.ts";
import { type Subject, subjects } from "./subjects.ts";
import { openTrack } from "./track.ts";
import type { RuleName } from "./violation.ts";

/** The number of races before a store that is known to race counts as innocent. */
const MOST_ROUNDS = 12;
const [idleMs, absoluteMs] = [3000, 30_000];
/** What every control does sooner or later. */
const everySin: readonly RuleName[] = [
  "L1 lost update",
  "L2 resurrection",
  "L3 barrier undone",
  "L13 lost increment",
  "L13 double take",
];
/** A race with fewer saves or refusals had too few collisions. */
const LEAST = { saved: 150, refused: 5 } as const;

async function raceOn(name: string, subject: Subject, seed: number): Promise<History> {
  const { address, close } = await subject.start();
  try {
    const processes = Math.min(subject.processes, 2);
    const track = await openTrack({ subject: name, address, processes, idleMs, absoluteMs });
    try {
      return await race(track, {
        seed,
        operations: 600,
        sessions: 8,
        clientsEach: 4,
        idleMs,
        absoluteMs,
        longestLife: 50,
        people: 4,
        // No waiting for sessions to expire: the tests in virtual time cover that.
        leftAloneOneIn: 10_000,
        slowOneIn: 10_000,
      });
    } finally {
      await track.close();
    }
  } finally {
    await close();
  }
}

/**
 * Races a store of `subjects` briefly; gives what is wrong, nothing when all is as it has to be: of
 * a store that claims the laws its breaches, of a control the rules that it was not convicted of.
 * @param sins - the rules that a control must be convicted of. Default: all that each breaks.
 */
export async function raceBriefly(
  name: string,
  seed: number,
  sins: readonly RuleName[] = everySin,
): Promise<string[]> {
  const subject = subjects[name];
  if (subject === undefined)
    throw new Error(`there is no store ${name} in trials/race/subjects.ts`);
  return subject.atomic ? raceKeeper(name, subject, seed) : raceControl(name, subject, seed, sins);
}

async function raceKeeper(name: string, subject: Subject, seed: number): Promise<string[]> {
  const history = await raceOn(name, subject, seed);
  const saves = history.requests.flatMap((request) => request.saves);
  const count = (outcome: keyof typeof LEAST): number =>
    saves.filter((save) => save.outcome === outcome).length;
  const rare = (["saved", "refused"] as const).filter(
    (outcome) => count(outcome) <= LEAST[outcome],
  );
  const unanswered = history.requests.filter(({ answered }) => !answered).length;
  return [
    ...checkHistory(history).map((violation) => excerpt(violation)),
    ...rare.map((outcome) => `only ${count(outcome)} saves were ${outcome}: it proves nothing`),
    ...(unanswered === 0 ? [] : [`${unanswered} requests were not answered`]),
  ];
}

/** Which of its faults a small race meets is chance: it is raced until each was met, or no more. */
async function raceControl(
  name: string,
  subject: Subject,
  seed: number,
  sins: readonly RuleName[],
): Promise<string[]> {
  const missing = new Set<RuleName>(sins);
  for (let round = 0; missing.size > 0 && round < MOST_ROUNDS; round++) {
    const history = await raceOn(name, subject, seed + round);
    for (const [rule] of countByRule(checkHistory(history))) missing.delete(rule);
  }
  return Array.from(missing, (rule) => `${rule}: it was not convicted of it`);
}
