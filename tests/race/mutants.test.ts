// The checker is tested itself: each broken store must be convicted by name, and one that keeps the
// laws by nothing. The races here are as short as each fault allows; `npm run race -- --mutants` runs
// them all at full length, whatever the seed.
import { describe, expect, test } from "vitest";
import { checkHistory, countByRule } from "../../trials/race/checker.ts";
import { ruleNames } from "../../trials/race/violation.ts";
import { brokenStores } from "./broken-stores.ts";
import { PlainStore } from "./plain-store.ts";
import { raceVirtually, type SlowStore } from "./virtual.ts";

/** The seed that each store's `brief` is known for: the same history every time. */
const SEED = 1;
/** Requests of a race that convicts nobody. */
const SHORT = 600;

const briefly = brokenStores.filter(({ brief }) => brief !== undefined);

describe("a store that keeps the laws", () => {
  const make: SlowStore = (time, random) => new PlainStore(time, random);

  test.each([1])("passes, seed %i", async (seed) => {
    expect(checkHistory(await raceVirtually(make, { seed, operations: SHORT }))).toEqual([]);
  });

  test("gives the same history for the same seed", async () => {
    const raceOnce = () => raceVirtually(make, { seed: SEED, operations: SHORT });
    expect(await raceOnce()).toEqual(await raceOnce());
  });
});

describe("a store that", () => {
  test.each(briefly)("$fault is convicted of $convictedOf", async (store) => {
    const operations = store.brief ?? 0;
    const history = await raceVirtually(store.make, { ...store.race, seed: SEED, operations });
    expect(history.requests.length).toBeGreaterThanOrEqual(operations);
    const found = countByRule(checkHistory(history)).map(([rule]) => rule);
    expect(found).toEqual(expect.arrayContaining([...store.convictedOf]));
  });

  test("is there for every rule", () => {
    const caught = new Set(briefly.flatMap(({ convictedOf }) => convictedOf));
    expect(ruleNames.filter((name) => !caught.has(name))).toEqual([]);
  });
});
