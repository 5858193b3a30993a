// The checker is tested itself: each broken store must be convicted by name, and one that keeps the
// laws by nothing, whatever the seed.
import { describe, expect, test } from "vitest";
import { checkHistory, countByRule } from "../../trials/race/checker.ts";
import { type RuleName, ruleNames } from "../../trials/race/violation.ts";
import { type BrokenStore, brokenStores } from "./broken-stores.ts";
import { PlainStore } from "./plain-store.ts";
import { raceVirtually, type SlowStore } from "./virtual.ts";

const firstSeed = Number(process.env["RACE_SEED"] ?? 1);

async function rulesBroken({ make, race }: BrokenStore): Promise<RuleName[]> {
  const history = await raceVirtually(make, { seed: firstSeed, ...race });
  expect(history.requests.length).toBeGreaterThan(1400);
  return countByRule(checkHistory(history)).map(([rule]) => rule);
}

describe("a store that keeps the laws", () => {
  const make: SlowStore = (time, random) => new PlainStore(time, random);

  test.each([0, 1, 2, 3, 4].map((nth) => firstSeed + nth))("passes, seed %i", async (seed) => {
    expect(checkHistory(await raceVirtually(make, { seed }))).toEqual([]);
  });

  test("gives the same history for the same seed", async () => {
    const [one, other] = [await raceVirtually(make), await raceVirtually(make)];
    expect(one).toEqual(other);
  });
});

describe("a store that", () => {
  test.each(brokenStores)("$fault is convicted of $convictedOf", async (store) => {
    const found = await rulesBroken(store);
    expect(found).toEqual(expect.arrayContaining([...store.convictedOf]));
  });

  test("is there for every rule", () => {
    const caught = new Set(brokenStores.flatMap(({ convictedOf }) => convictedOf));
    expect(ruleNames.filter((name) => !caught.has(name))).toEqual([]);
  });
});
