// What a session holds comes back as it was: clause S8, and S1 to S9 in random histories.
import { type ConformanceCase, defineCase, must, mustEqual } from "../case.ts";
import { checkHistories } from "../history.ts";
import { type ContractSetting, entriesOf, hostile, Row, storeOf } from "./setting.ts";

/** Its cases. */
export function contentCases({ define, makeStore, options }: ContractSetting): ConformanceCase[] {
  const makeOne = async () => {
    const { store, close } = await makeStore();
    return { store: storeOf(store, options.clock), close };
  };
  return [
    define(
      "L8 bytes: hostile keys and values come back as they were",
      "S8",
      true,
      async (store) => {
        const row = new Row(store);
        const data = new Map(hostile.map((text, index) => [text, hostile.at(-1 - index) ?? ""]));
        const created = await row.create({}, { set: data });
        mustEqual(await row.data(), data, "hostile keys and values, created");
        await row.save({
          rev: created?.rev ?? 0,
          set: new Map([...data].map(([key]) => [key, `${key}!`])),
        });
        mustEqual(
          await row.data(),
          new Map([...data].map(([key]) => [key, `${key}!`])),
          "the same, updated",
        );
        await row.save({ rev: created?.rev ?? 0, del: ["__proto__", "", "\0"] });
        mustEqual(
          (await row.data())?.size,
          data.size - 3,
          "how many are left after three were removed",
        );
        must(!("polluted" in {}), "Object.prototype was reached");
      },
    ),
    define(
      "L8 sizes: a key and a value at their limits, and a thousand keys",
      "S8",
      options.sealed ? "a cookie is smaller than that" : true,
      async (store) => {
        const row = new Row(store);
        const data = new Map([["k".repeat(256), "é".repeat(30_000)]]);
        for (let index = 0; index < 999; index++) data.set(`key ${index}`, String(index));
        must((await row.create({}, { set: data })) !== undefined, "it was refused");
        mustEqual(await row.data(), data, "the largest session");
      },
    ),
    define(
      "L8 copies: what was handed out or in is nobody's way into the store",
      "S8",
      true,
      async (store) => {
        const row = new Row(store);
        const given = entriesOf({ a: "1" });
        await row.create({}, { set: given });
        given.set("a", "changed after it was saved");
        const loaded = await row.data();
        if (loaded instanceof Map) loaded.set("a", "changed after it was loaded");
        mustEqual(await row.data(), entriesOf({ a: "1" }), "the stored session");
      },
    ),
    defineCase(options.name, {
      id: "L8 histories: random ones agree with applyChange",
      clause: "S1 to S9",
      run: () =>
        checkHistories(makeOne, {
          ...options,
          canWait: options.hasFakeClock,
          expects: options.capabilities.expects === true,
        }),
    }),
  ];
}
