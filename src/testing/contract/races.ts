// Concurrent changes: clauses S2 to S4 of an atomic store.
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { type ContractSetting, entriesOf, Row } from "./setting.ts";

/** The number of concurrent writers. */
const WRITERS = 32;

/** Its cases. */
export function raceCases({
  define,
  applies: { atomic, counted },
}: ContractSetting): ConformanceCase[] {
  const fenced = atomic === true ? counted : atomic;
  return [
    define("L1 writers: different keys at once all survive", "S2", atomic, async (store) => {
      const row = new Row(store);
      const rev = (await row.create({ base: "0" }))?.rev ?? 0;
      const writers = Array.from({ length: WRITERS }, (_, index) => String(index));
      const saved = await Promise.all(
        writers.map((id) => row.save({ rev, set: entriesOf({ [id]: id }) })),
      );
      must(!saved.includes(undefined), "a writer at the right revision was refused");
      const wanted = new Map([["base", "0"], ...writers.map((id) => [id, id] as const)]);
      mustEqual(await row.data(), wanted, `after ${WRITERS} writers`);
    }),
    define("L1 writers: of one key one value survives, whole", "S2", atomic, async (store) => {
      const row = new Row(store);
      const rev = (await row.create({ a: "0" }))?.rev ?? 0;
      const values = Array.from({ length: WRITERS }, (_, index) => `${index} `.repeat(50));
      await Promise.all(
        values.map((value) => row.save({ rev, set: entriesOf({ a: value, b: value }) })),
      );
      const data = await row.data();
      must(values.includes(data?.get("a") ?? ""), "the value is none that was written");
      mustEqual(data?.get("a"), data?.get("b"), "two keys of one change");
    }),
    define("L2 race: writers can't bring a destroyed session back", "S3", atomic, async (store) => {
      for (let round = 0; round < 8; round++) {
        const row = new Row(store);
        const rev = (await row.create({ a: "0" }))?.rev ?? 0;
        const write = (index: number) => row.save({ rev, set: entriesOf({ a: String(index) }) });
        const before = Array.from({ length: 8 }, (_, index) => write(index));
        const destroy = row.save({ op: "destroy", ttl: 0 });
        const after = Array.from({ length: 8 }, (_, index) => write(index));
        await Promise.all([...before, destroy, ...after]);
        mustEqual(await row.load(), undefined, "after a destroy that raced 16 writers");
        mustEqual(await write(99), undefined, "a late write");
        mustEqual(await row.load(), undefined, "after the late write");
      }
    }),
    define("L3 race: nothing of before a clear comes after it", "S4", fenced, async (store) => {
      for (let round = 0; round < 8; round++) {
        const row = new Row(store);
        const rev = (await row.create({ old: "0" }))?.rev ?? 0;
        const write = (index: number) => row.save({ rev, set: entriesOf({ [`w${index}`]: "1" }) });
        const clear = () =>
          row.save({ rev, clear: true, bump: true, set: entriesOf({ fresh: "1" }) });
        const writes = [0, 1, 2, 3].map(write);
        const first = clear();
        const laterWrites = [4, 5, 6, 7].map(write);
        const barriers = await Promise.all([first, clear()]);
        await Promise.all([...writes, ...laterWrites]);
        const applied = barriers.filter((saved) => saved !== undefined);
        mustEqual(applied.length, 1, "how many of two barriers applied");
        const data = await row.data();
        mustEqual(data, entriesOf({ fresh: "1" }), "after a barrier that raced 8 writers");
      }
    }),
  ];
}
