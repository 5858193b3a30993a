// Single changes to a session: clauses S1 to S5.
import type { SessionChange } from "../../store/contract.ts";
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { newSelector } from "../history.ts";
import { type ContractSetting, entriesOf, hostile, HOUR, Row } from "./setting.ts";

/** Its cases. */
export function changeCases({
  define,
  options: { sealed },
  applies: { atRest, counted },
}: ContractSetting): ConformanceCase[] {
  return [
    define(
      "L12 total: a selector that stands for nothing loads nothing",
      "S1",
      true,
      async (store) => {
        for (const selector of [
          newSelector(),
          ...hostile,
          "../../etc/passwd",
          "x".repeat(100_000),
        ]) {
          mustEqual(
            await store.load(selector),
            undefined,
            "what load gives for a selector that was never saved",
          );
        }
      },
    ),
    define("L8 order: clear, then del, then set, as one step", "S2", true, async (store) => {
      const row = new Row(store);
      const created = await row.create({ a: "1", b: "2", c: "3" });
      await row.save({
        rev: created?.rev ?? 0,
        del: ["a", "b", "nowhere"],
        set: entriesOf({ b: "4", d: "5" }),
      });
      mustEqual(await row.data(), entriesOf({ b: "4", c: "3", d: "5" }), "after del and set");
      const rev = (await row.load())?.rev ?? 0;
      await row.save({ rev, clear: true, del: ["x"], set: entriesOf({ x: "6" }) });
      mustEqual(await row.data(), entriesOf({ x: "6" }), "after clear and set");
    }),
    define("L4 create: a live session is never overwritten", "S3", atRest, async (store) => {
      const row = new Row(store);
      await row.create({ mine: "1" });
      mustEqual(await row.create({ theirs: "2" }), undefined, "a second create");
      mustEqual(await row.data(), entriesOf({ mine: "1" }), "the first session");
    }),
    define("L2 update: it never inserts", "S3", true, async (store) => {
      const row = new Row(store);
      const saved = await row.save({ rev: 1, set: entriesOf({ a: "1" }) });
      mustEqual(saved, undefined, "an update of what isn't there");
      mustEqual(await row.load(), undefined, "what it left");
    }),
    define("L2 destroy: it is never refused, and final", "S3", atRest, async (store) => {
      const row = new Row(store);
      const created = await row.create({ a: "1" });
      must((await row.save({ op: "destroy" })) !== undefined, "destroy was refused");
      mustEqual(await row.load(), undefined, "after destroy");
      must((await row.save({ op: "destroy" })) !== undefined, "a second destroy was refused");
      const late = await row.save({ rev: created?.rev ?? 0, set: entriesOf({ a: "late" }) });
      mustEqual(late, undefined, "an update after destroy");
      const renewal = await row.save({ rev: created?.rev ?? 0, ttl: 24 * HOUR });
      mustEqual(renewal, undefined, "a renewal after destroy");
      mustEqual(await row.load(), undefined, "after the late update");
    }),
    define(
      "L3 fence: a change applies only at the revision that it loaded",
      "S4",
      counted,
      async (store) => {
        const row = new Row(store);
        const rev = (await row.create({ a: "1" }))?.rev ?? 0;
        const stale = [rev + 1, rev - 1];
        for (const wrong of stale) {
          mustEqual(
            await row.save({ rev: wrong, set: entriesOf({ a: "no" }) }),
            undefined,
            `an update at revision ${wrong}`,
          );
        }
        mustEqual(await row.data(), entriesOf({ a: "1" }), "after refused updates");
        const barrier = await row.save({ rev, clear: true, set: entriesOf({ b: "2" }) });
        must(barrier !== undefined, "a clear at the right revision was refused");
        mustEqual(
          await row.save({ rev, set: entriesOf({ c: "3" }) }),
          undefined,
          "an update from before the clear",
        );
        mustEqual(await row.data(), entriesOf({ b: "2" }), "after the barrier");
      },
    ),
    define(
      "L3 counters: barriers raise the revision, bump alone the generation",
      "S5",
      counted,
      async (store) => {
        const row = new Row(store);
        let { rev, generation } = (await row.create({ a: "1" })) ?? { rev: 0, generation: 0 };
        const expectStep = async (
          change: Partial<SessionChange>,
          byRev: number,
          byGeneration: number,
        ): Promise<void> => {
          const saved = await row.save({ rev, ...change });
          const wanted = [rev + byRev, sealed ? 0 : generation + byGeneration];
          mustEqual(
            [saved?.rev, saved?.generation],
            wanted,
            `revision and generation after ${Object.keys(change).join()}`,
          );
          const loaded = await row.load();
          mustEqual([loaded?.rev, loaded?.generation], wanted, "the same, loaded");
          rev = saved?.rev ?? 0;
          generation = saved?.generation ?? 0;
        };
        await expectStep({ set: entriesOf({ b: "2" }) }, 0, 0);
        await expectStep({ clear: true }, 1, 0);
        await expectStep({ bump: true }, 1, 1);
        await expectStep({ meta: "new" }, 1, 0);
        if (!sealed) mustEqual((await row.load())?.meta, "new", "meta");
        await expectStep({ subject: "alice" }, 1, 0);
        await expectStep({ subject: null }, 1, 0);
      },
    ),
  ];
}
