// The model check of merging cookies, seeded and short (`npm run model` is the long one), and one
// schedule for each loss that the documentation excuses: that it can be, and that it is only that.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runSchedule } from "../../trials/merge/model/browser.ts";
import type { Outcome } from "../../trials/merge/model/outcome.ts";
import { families, type Schedule, type Visit } from "../../trials/merge/model/schedule.ts";

const numRuns = Number(process.env["FC_RUNS"] ?? 60);
const seed = Number(process.env["FC_SEED"] ?? 42);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("random schedules against a plain log", () => {
  test.each(families)("$name", (family) => {
    const property = fc.property(family.schedules, (schedule) => {
      expect(runSchedule(schedule, family).faults).toEqual([]);
    });
    fc.assert(property, { numRuns, seed });
  });
});

function run(
  ttl: number,
  ...visits: readonly (Partial<Visit> & Pick<Visit, "at" | "step">)[]
): Outcome {
  const quick = { takes: 10, travels: 100, server: 0, key: 0, fate: "arrives", cut: 0 } as const;
  const schedule: Schedule = {
    visits: visits.map((visit) => ({ ...quick, ...visit })),
    evictions: [],
    skews: [0, 0, 0],
    subsets: [],
    ttl,
    padding: 0,
  };
  const family = families.at(-1);
  if (family === undefined || family.isPrompt)
    throw new Error("the last family has late responses");
  return runSchedule(schedule, family);
}

describe("what is lost when it is too late", () => {
  /** A key is deleted, and its mark is dropped; another write of before that is on its way. */
  const straggler = (travels: number): Outcome =>
    run(
      24 * HOUR,
      { at: 0, step: "set" },
      { at: MINUTE, step: "set", key: 1, travels },
      { at: 2 * MINUTE, step: "delete" },
      { at: 13 * MINUTE, step: "set", key: 2 },
      { at: 14 * MINUTE, step: "set", key: 3 },
      { at: 15 * MINUTE, step: "set", key: 4 },
    );

  test("a write, when its response is over 10 minutes late and a key was deleted meanwhile", () => {
    const { faults, excused } = straggler(20 * MINUTE);
    expect(faults).toEqual([]);
    expect(excused).toContain("a write or a deletion");
  });

  test("not when the response is 9 minutes late", () => {
    expect(straggler(9 * MINUTE)).toMatchObject({ faults: [], excused: [] });
  });

  test("nothing, however long the request took before its commit", () => {
    const outcome = run(
      24 * HOUR,
      { at: 0, step: "set" },
      { at: MINUTE, step: "set", key: 1, takes: 5 * HOUR },
      { at: 2 * MINUTE, step: "delete" },
      { at: 13 * MINUTE, step: "set", key: 2 },
      { at: 14 * MINUTE, step: "set", key: 3 },
      { at: 15 * MINUTE, step: "set", key: 4 },
    );
    expect(outcome).toMatchObject({ faults: [], excused: [] });
  });

  test("a logout, when a request that was under way takes longer than the tombstone lingers", () => {
    const slow = (takes: number): Outcome =>
      run(
        6 * HOUR,
        { at: 0, step: "set" },
        { at: MINUTE, step: "set", key: 1, takes },
        { at: 2 * MINUTE, step: "logout" },
      );
    expect(slow(3 * HOUR)).toMatchObject({ faults: [] });
    expect(slow(3 * HOUR).excused).toContain("a logout");
    expect(slow(59 * MINUTE)).toMatchObject({ faults: [], excused: [] });
  });
});
