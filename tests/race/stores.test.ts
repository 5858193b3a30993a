// Small races on the real thing: server processes over HTTP, each store with its own server. The
// full ones are `npm run race`; what they found last is in docs/results/race.md.
import { describe, expect, test } from "vitest";
import { checkHistory, countByRule } from "../../race/checker.ts";
import { race } from "../../race/driver.ts";
import { excerpt } from "../../race/excerpt.ts";
import type { History } from "../../race/history.ts";
import { type Subject, subjects } from "../../race/subjects.ts";
import { openTrack } from "../../race/track.ts";

const seed = Number(process.env["RACE_SEED"] ?? 42);
/** How often a store that is known to race is raced before it counts as innocent. */
const MOST_ROUNDS = 12;
const [idleMs, absoluteMs] = [3000, 30_000];

async function raceOn(name: string, subject: Subject, raceSeed = seed): Promise<History> {
  const { address, close } = await subject.start();
  try {
    const processes = Math.min(subject.processes, 2);
    const track = await openTrack({ subject: name, address, processes, idleMs, absoluteMs });
    try {
      return await race(track, {
        seed: raceSeed,
        operations: 600,
        sessions: 8,
        clientsEach: 4,
        idleMs,
        absoluteMs,
        longestLife: 50,
        people: 4,
        // Nobody waits here for a session to expire: the tests in virtual time do.
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

const all = Object.entries(subjects);

describe("a store that claims the laws", () => {
  test.each(all.filter(([, { atomic }]) => atomic))(
    "%s keeps them in a small race",
    async (name, subject) => {
      const history = await raceOn(name, subject);
      expect(checkHistory(history).map((violation) => excerpt(violation))).toEqual([]);
      const saves = history.requests.flatMap((request) => request.saves);
      // A race in which nothing collided would prove nothing.
      expect(saves.filter(({ outcome }) => outcome === "saved").length).toBeGreaterThan(150);
      expect(saves.filter(({ outcome }) => outcome === "refused").length).toBeGreaterThan(5);
      expect(history.requests.filter(({ answered }) => !answered)).toEqual([]);
    },
    60_000,
  );
});

describe("a store that is known to race", () => {
  test.each(all.filter(([, { atomic }]) => !atomic))(
    "%s is convicted of lost updates, undone barriers and undone logouts",
    async (name, subject) => {
      // Which of its faults a small race meets is chance: it is raced until each was met, or no more.
      const missing = new Set(["L1 lost update", "L2 resurrection", "L3 barrier undone"]);
      for (let round = 0; missing.size > 0 && round < MOST_ROUNDS; round++) {
        const history = await raceOn(name, subject, seed + round);
        for (const [rule] of countByRule(checkHistory(history))) missing.delete(rule);
      }
      expect([...missing]).toEqual([]);
    },
    120_000,
  );
});
