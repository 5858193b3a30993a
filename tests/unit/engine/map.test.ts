// The string map and its record: limits at their exact byte, and the record against a plain replay.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  composeChanges,
  type MapLimits,
  type RecordedChange,
  SessionMap,
} from "../../../src/engine/map.ts";
import { findLargestKeys } from "../../../src/base/text.ts";
import { LimitError } from "../../../src/errors.ts";
import { thrownBy } from "../../support/thrown.ts";

const limits: MapLimits = { maxKeyBytes: 8, maxKeys: 3, maxSessionBytes: 40 };

function mapOf(entries: Record<string, string> = {}, its: MapLimits = limits): SessionMap {
  const map = new SessionMap(its);
  map.load(new Map(Object.entries(entries)));
  return map;
}

describe("limits", () => {
  test.each(["aaaaaaaa", "éééé", "€€bb", "🦆🦆"])(
    "a key may have its exact bytes and no more: %s",
    (key) => {
      const map = mapOf();
      expect(map.set(key, "")).toBe(true);
      const error = thrownBy(() => map.set(`${key}b`, ""));
      expect(error).toBeInstanceOf(LimitError);
      expect(error).toMatchObject({ code: "ERR_SESSION_LIMIT_KEY", limit: 8, largestKeys: [] });
      expect((error as LimitError).actual).toBe(9);
    },
  );

  test("as many keys as are allowed, and replacing one is not one more", () => {
    const map = mapOf();
    for (const key of "abc") map.set(key, "");
    expect(thrownBy(() => map.set("d", ""))).toMatchObject({
      code: "ERR_SESSION_LIMIT_KEYS",
      actual: 4,
      limit: 3,
    });
    expect(map.set("a", "x")).toBe(true);
    map.del("b");
    expect(map.set("d", "")).toBe(true);
  });

  test.each([
    ["x", 39, 40],
    ["é", 19, 20],
    ["€", 13, 14],
    ["🦆", 9, 10],
  ])("all bytes together: %s", (character, fits, tooMany) => {
    const map = mapOf();
    expect(map.set("k", character.repeat(fits))).toBe(true);
    const error = thrownBy(() => map.set("k", character.repeat(tooMany)));
    const actual = 1 + Buffer.byteLength(character) * tooMany;
    expect(error).toMatchObject({ code: "ERR_SESSION_LIMIT_SESSION", actual, limit: 40 });
    expect(map.view.get("k")).toBe(character.repeat(fits));
  });

  test("the three largest keys are named, largest first, with the one that was too much", () => {
    const map = mapOf({ small: "", "€€": "12345", b: "1234567" }, { ...limits, maxKeys: 9 });
    const error = thrownBy(() => map.set("new", "x".repeat(20)));
    expect(error).toMatchObject({
      actual: 5 + 11 + 8 + 23,
      largestKeys: [
        { key: "new", bytes: 23 },
        { key: "€€", bytes: 11 },
        { key: "b", bytes: 8 },
      ],
    });
    expect(map.changed).toBe(false);
  });

  test("what raced past the limit may shrink, and only shrink", () => {
    const map = mapOf({ a: "x".repeat(60), b: "y".repeat(10) });
    expect(thrownBy(() => map.set("c", ""))).toMatchObject({ actual: 73 });
    expect(map.set("a", "x".repeat(50))).toBe(true);
    expect(thrownBy(() => map.set("a", "x".repeat(51)))).toMatchObject({ actual: 63 });
    map.del("a");
    expect(map.set("c", "z")).toBe(true);
  });

  test("findLargestKeys counts bytes, not characters", () => {
    const data = new Map([
      ["ascii", "12345"],
      ["€", "€€€"],
      ["", ""],
      ["🦆", "🦆🦆"],
    ]);
    expect(findLargestKeys(data)).toEqual([
      { key: "€", bytes: 12 },
      { key: "🦆", bytes: 12 },
      { key: "ascii", bytes: 10 },
    ]);
  });
});

describe("the record", () => {
  test("load and take are where discard goes back to", () => {
    const map = mapOf({ a: "1" });
    map.set("a", "2");
    expect(map.settle()).toEqual({ clear: false, set: new Map([["a", "2"]]), del: [] });
    expect(map.changed).toBe(false);
    map.set("b", "3");
    map.del("a");
    map.discard();
    expect(map.view).toEqual(new Map([["a", "2"]]));
    map.del("a");
    map.clear(true);
    map.discard();
    expect(map.changed).toBe(false);
    expect(map.view).toEqual(new Map([["a", "2"]]));
  });

  test("a barrier is recorded also when there is nothing to remove", () => {
    const map = mapOf();
    expect(map.clear(false)).toBe(false);
    expect(map.changed).toBe(false);
    expect(map.clear(true)).toBe(true);
    expect(map.change).toEqual({ clear: true, set: new Map(), del: [] });
    map.set("a", "1");
    map.del("a");
    expect(map.change).toEqual({ clear: true, set: new Map(), del: [] });
  });

  test("clear without a barrier drops what was set", () => {
    const map = mapOf();
    map.set("a", "1");
    expect(map.clear(false)).toBe(true);
    expect(map.changed).toBe(false);
  });

  test("what was loaded is never changed, and neither is what was taken", () => {
    const base = new Map([["a", "1"]]);
    const map = new SessionMap(limits);
    map.load(base);
    map.set("b", "2");
    map.del("a");
    expect(base).toEqual(new Map([["a", "1"]]));
    const taken = map.settle();
    map.set("c", "3");
    map.clear(true);
    expect(taken.set).toEqual(new Map([["b", "2"]]));
    expect(taken.del).toEqual(["a"]);
  });

  test("replayed on the base, all that was taken and the record give the view; the record is empty when nothing differs", () => {
    const key = fc.constantFrom("a", "b", "c", "__proto__");
    const value = fc.constantFrom("", "1", "2");
    const step = fc.oneof(
      fc.record({ op: fc.constant("set" as const), key, value }),
      fc.record({ op: fc.constant("del" as const), key }),
      fc.record({ op: fc.constant("clear" as const) }),
      fc.record({ op: fc.constant("discard" as const) }),
      fc.record({ op: fc.constant("take" as const) }),
    );
    const wide: MapLimits = { maxKeyBytes: 99, maxKeys: 99, maxSessionBytes: 999 };
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), fc.array(step), (entries, steps) => {
        const base = new Map<string, string>(entries);
        const map = new SessionMap(wide);
        map.load(base);
        let taken: RecordedChange = { clear: false, set: new Map(), del: [] };
        const model = { view: new Map(base), taken: new Map(base), cleared: false };
        for (const one of steps) {
          if (one.op === "set") map.set(one.key, one.value);
          else if (one.op === "del") map.del(one.key);
          else if (one.op === "clear") map.clear(true);
          else if (one.op === "discard") map.discard();
          else taken = composeChanges(taken, map.settle());
          if (one.op === "set") model.view.set(one.key, one.value);
          if (one.op === "del") model.view.delete(one.key);
          if (one.op === "clear") {
            model.view.clear();
            model.cleared = true;
          }
          if (one.op === "discard") {
            model.view = new Map(model.taken);
            model.cleared = false;
          }
          if (one.op === "take") {
            model.taken = new Map(model.view);
            model.cleared = false;
          }
          expect(new Map(map.view)).toEqual(model.view);
          expect(map.change.clear).toBe(model.cleared);
          const { clear, set, del } = composeChanges(taken, map.change);
          const replayed = new Map(clear ? [] : base);
          for (const gone of del) replayed.delete(gone);
          for (const [setKey, setValue] of set) replayed.set(setKey, setValue);
          expect(replayed).toEqual(model.view);
          const differs = !sameMap(model.view, model.taken);
          expect(map.changed).toBe(differs || model.cleared);
        }
      }),
      {
        seed: Number(process.env["FC_SEED"] ?? 42),
        numRuns: Number(process.env["FC_RUNS"] ?? 300),
      },
    );
  });
});

function sameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
