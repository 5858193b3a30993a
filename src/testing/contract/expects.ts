// What an update expects of its keys: clause S9, also where many expect the same at once.
import type { SavedSession } from "../../store/contract.ts";
import { type ConformanceCase, must, mustEqual } from "../case.ts";
import { type ContractSetting, entriesOf, hostile, Row } from "./setting.ts";

/** How many race. */
const RACERS = 32;
/** How many raise one counter at once, until each has. */
const COUNTERS = 12;

type Expectation = ReadonlyMap<string, string | undefined>;

/** Values, each with others that some engine's comparison takes for the same. */
const lookalikes: readonly (readonly [string, readonly string[]])[] = [
  ["value", ["VALUE", "value ", " value", "value\0", "value\0more", "valu", "values", ""]],
  ["1", ["01", "1.0", "+1", "1 ", "true"]],
  ["é", ["e\u0301", "e", "É", "\u{1F36A}"]],
  ["stra\u00DFe", ["strasse", "STRASSE"]],
  ["", ["\0", " ", "null", "undefined"]],
  ["null", ["", "NULL", "nil"]],
  ["a%", ["ab", "a_", "a\\%"]],
];

/** Its cases. */
export function expectCases({
  define,
  applies: { expects, counted },
}: ContractSetting): ConformanceCase[] {
  return [
    define(
      "L13 values: an update applies only while its key holds what it names",
      "S9",
      expects,
      async (store) => {
        const stored = entriesOf({ full: "1", empty: "" });
        const row = new Row(store);
        const rev = (await row.create({ full: "1", empty: "" }))?.rev ?? 0;
        const attempt = (expect: Expectation): Promise<SavedSession | undefined> =>
          row.save({ rev, expect, del: ["empty"], set: entriesOf({ full: "2", new: "3" }) });
        const wrong: Expectation[] = [
          entriesOf({ full: "2" }),
          entriesOf({ full: "" }),
          entriesOf({ absent: "" }),
          entriesOf({ absent: "1" }),
          new Map([["full", undefined]]),
          new Map([["empty", undefined]]),
        ];
        for (const expect of wrong) {
          const what = `an update that expects ${describe(expect)}`;
          mustEqual(await attempt(expect), undefined, what);
          mustEqual(await row.data(), stored, `the data after ${what}`);
        }
        const right: Expectation[] = [
          new Map(),
          entriesOf({ full: "1" }),
          entriesOf({ empty: "" }),
          new Map([["absent", undefined]]),
        ];
        for (const expect of right) {
          const what = `an update that expects ${describe(expect)}`;
          must((await attempt(expect)) !== undefined, `${what} was refused`);
          mustEqual(await row.data(), entriesOf({ full: "2", new: "3" }), `the data after ${what}`);
          await row.save({ rev, del: ["new"], set: stored });
        }
      },
    ),
    define(
      "L13 bytes: what a key holds is compared byte for byte",
      "S9",
      expects,
      async (store) => {
        const row = new Row(store);
        const rev = (await row.create())?.rev ?? 0;
        const passes = async (key: string, value: string | undefined): Promise<boolean> =>
          (await row.save({ rev, expect: new Map([[key, value]]) })) !== undefined;
        for (const [value, others] of lookalikes) {
          await row.save({ rev, set: entriesOf({ key: value }) });
          for (const other of others) {
            must(!(await passes("key", other)), `${quoted(value)} passed for ${quoted(other)}`);
          }
          must(await passes("key", value), `${quoted(value)} passed not for itself`);
        }
        await row.save({ rev, clear: true, set: entriesOf({ key: "1" }) });
        const next = (await row.load())?.rev ?? 0;
        for (const other of ["KEY", "key ", "ke", "key\0", "k%"]) {
          const expect = new Map([[other, undefined]]);
          const saved = await row.save({ rev: next, expect });
          must(saved !== undefined, `"key" passed for the key ${quoted(other)}`);
        }
        for (const [index, key] of hostile.entries()) {
          const value = hostile.at(-1 - index) ?? "";
          const absent = await row.save({
            rev: next,
            expect: new Map([[key, undefined]]),
            set: new Map([[key, value]]),
          });
          must(absent !== undefined, `the key ${quoted(key)} passed not for absent`);
          const present = await row.save({
            rev: next,
            expect: new Map([[key, value]]),
            del: [key],
          });
          must(present !== undefined, `the key ${quoted(key)} passed not for what it holds`);
          must(!(await row.data())?.has(key), `the key ${quoted(key)} is still there`);
        }
      },
    ),
    define(
      "L13 keys: every key that is named counts, and no other",
      "S9",
      expects,
      async (store) => {
        const row = new Row(store);
        const rev = (await row.create({ a: "1", b: "2" }))?.rev ?? 0;
        const right: Expectation = new Map([
          ["a", "1"],
          ["b", "2"],
          ["c", undefined],
          ["d", undefined],
        ]);
        for (const [key, wrong] of [
          ["a", "2"],
          ["b", undefined],
          ["c", ""],
          ["d", "1"],
        ] as const) {
          const saved = await row.save({ rev, expect: new Map([...right, [key, wrong]]) });
          mustEqual(saved, undefined, `an update of which only ${key} is wrong`);
        }
        await row.save({ rev, set: entriesOf({ other: "changed meanwhile" }) });
        const saved = await row.save({ rev, expect: right, set: entriesOf({ a: "3" }) });
        must(saved !== undefined, "another key's change refused an update");
      },
    ),
    define(
      "L13 step: it is looked at beside the revision, in the data before the change",
      "S9",
      expects === true ? counted : expects,
      async (store) => {
        const row = new Row(store);
        const { rev = 0, generation = 0 } = (await row.create({ a: "1", b: "2" })) ?? {};
        const expect: Expectation = new Map([["a", "1"]]);
        for (const wrong of [rev + 1, rev - 1]) {
          const saved = await row.save({ rev: wrong, expect, set: entriesOf({ a: "no" }) });
          mustEqual(saved, undefined, `an update at revision ${wrong} that expects what is there`);
        }
        const taken = await row.save({ rev, expect, del: ["a"] });
        mustEqual([taken?.rev, taken?.generation], [rev, generation], "what the update raised");
        mustEqual(await row.data(), entriesOf({ b: "2" }), "the data after its key was deleted");
        const clearing = { rev, clear: true, bump: true, set: entriesOf({ c: "3" }) };
        mustEqual(await row.save({ ...clearing, expect }), undefined, "a clear that expects a");
        const cleared = await row.save({ ...clearing, expect: entriesOf({ b: "2" }) });
        must(cleared !== undefined, "a clear that expects what it clears was refused");
        mustEqual(await row.data(), entriesOf({ c: "3" }), "the data after the clear");
      },
    ),
    define("L13 winner: of many that expect the same one applies", "S9", expects, async (store) => {
      for (const before of [undefined, "0"]) {
        const row = new Row(store);
        const rev = (await row.create(before === undefined ? {} : { a: before }))?.rev ?? 0;
        const expect: Expectation = new Map([["a", before]]);
        const racers = Array.from({ length: RACERS }, (_, index) => `racer ${index}`);
        const saved = await Promise.all(
          racers.map((name) => row.save({ rev, expect, set: entriesOf({ a: name }) })),
        );
        const winners = racers.filter((_, index) => saved[index] !== undefined);
        mustEqual(winners.length, 1, `how many of ${RACERS} applied`);
        mustEqual((await row.data())?.get("a"), winners[0], "whose value is there");
      }
    }),
    define(
      "L13 counter: raised by many at once, it loses nothing",
      "S9",
      expects,
      async (store) => {
        const row = new Row(store);
        const rev = (await row.create())?.rev ?? 0;
        const raise = async (): Promise<void> => {
          const value = (await row.data())?.get("n");
          const set = entriesOf({ n: String(Number(value ?? 0) + 1) });
          const saved = await row.save({ rev, expect: new Map([["n", value]]), set });
          if (saved === undefined) await raise();
        };
        await Promise.all(Array.from({ length: COUNTERS }, raise));
        mustEqual((await row.data())?.get("n"), String(COUNTERS), `the counter of ${COUNTERS}`);
      },
    ),
  ];
}

function describe(expect: Expectation): string {
  const parts = [...expect].map(
    ([key, value]) => `${key} ${value === undefined ? "absent" : `= ${quoted(value)}`}`,
  );
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
