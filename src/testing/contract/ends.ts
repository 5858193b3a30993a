// The expiry of a session: clauses S6 and S7.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { type ContractSetting, entriesOf, HOUR, Row } from "./setting.ts";

/** Its cases. */
export function endCases({
  define,
  options: { sealed, clock, resolutionMs },
}: ContractSetting): ConformanceCase[] {
  return [
    define("L5 renewal: the end never shrinks but at a barrier", "S6", true, async (store) => {
      const row = new Row(store);
      const created = await row.create({ a: "1" }, { ttl: 10 * HOUR });
      const rev = created?.rev ?? 0;
      const before = created?.expires ?? 0;
      for (const ttl of [0, HOUR]) {
        const saved = await row.save({ rev, ttl });
        must((saved?.expires ?? 0) >= before, `a renewal by ${ttl} ms shortened the session`);
      }
      const longer = await row.save({ rev, ttl: 20 * HOUR });
      must((longer?.expires ?? 0) >= before + 9 * HOUR, "a renewal did not lengthen the session");
      const barrier = await row.save({ rev, clear: true, ttl: HOUR });
      must((barrier?.expires ?? Infinity) < before, "a barrier kept the end of before it");
    }),
    define(
      "L10 lifetime: a change that sets one may end the session earlier, and keeps its data",
      "S6",
      true,
      async (store) => {
        const row = new Row(store);
        const created = await row.create({ a: "1" }, { ttl: 10 * HOUR });
        const change = { shrinks: true, ttl: HOUR, set: entriesOf({ b: "2" }) } as const;
        const noted = { ...change, meta: "a lifetime of its own" };
        const saved = await row.save({ rev: created?.rev ?? 0, ...noted });
        const latest = (created?.expires ?? 0) - 8 * HOUR;
        must((saved?.expires ?? Infinity) <= latest, "the end of before it was kept");
        const loaded = await row.load();
        must((loaded?.expires ?? Infinity) <= latest, "the end of before it was kept, loaded");
        mustEqual(loaded?.data, entriesOf({ a: "1", b: "2" }), "the data");
        const late = { rev: saved?.rev ?? 0, shrinks: true, ttl: 20 * HOUR, meta: "a longer one" };
        const longer = await row.save(late);
        must((longer?.expires ?? 0) >= latest + 18 * HOUR, "a longer lifetime did not lengthen it");
      },
    ),
    define("L10 deadline: nothing goes past it", "S6", true, async (store) => {
      const row = new Row(store);
      const deadline = clock.now() + 2 * HOUR;
      const created = await row.create({ a: "1" }, { ttl: 10 * HOUR, deadline });
      must(
        (created?.expires ?? Infinity) <= deadline + 1000,
        "a new session outlives its deadline",
      );
      const renewed = await row.save({ rev: created?.rev ?? 0, ttl: Infinity, deadline });
      must(
        (renewed?.expires ?? Infinity) <= deadline + 1000,
        "a renewed session outlives its deadline",
      );
    }),
    define("L10 idle: an expired session is absent", "S7", true, async (store) => {
      const row = new Row(store);
      const rev = (await row.create({ a: "1" }, { ttl: 2 * resolutionMs }))?.rev ?? 0;
      must((await row.load()) !== undefined, "a session is gone before its end");
      await clock.advance(3 * resolutionMs + 1000);
      mustEqual(await row.load(), undefined, "an expired session");
      mustEqual(await row.save({ rev, ttl: HOUR }), undefined, "a renewal of an expired session");
      mustEqual(
        await row.save({ rev, set: entriesOf({ a: "2" }) }),
        undefined,
        "an update of an expired session",
      );
      if (sealed) return;
      must(
        (await row.create({ b: "2" })) !== undefined,
        "a create over an expired session was refused",
      );
      mustEqual(await row.data(), entriesOf({ b: "2" }), "the session that came after it");
    }),
  ];
}
