// The pure parts around a store: applyChange clause by clause, the engine's notes, the look at a
// row, and the words for what a value is.
import { describe, expect, test } from "vitest";
import { applyChange, toSaved } from "../../../src/store/change.ts";
import {
  decodeMeta,
  encodeMeta,
  isLifetime,
  type SessionMeta,
} from "../../../src/engine/ticketed/meta.ts";
import { checkRow, isSavedSession } from "../../../src/engine/ticketed/row.ts";
import { isSealed, type SessionChange, type StoredSession } from "../../../src/store/contract.ts";
import { kindOf, utf8Length } from "../../../src/base/text.ts";
import { makeStore, Clock } from "../engine/client.ts";

const now = 1_000_000;
const stored: StoredSession = {
  data: new Map([
    ["a", "1"],
    ["b", "2"],
  ]),
  rev: 3,
  generation: 2,
  expires: now + 50_000,
  meta: "notes",
};
const change = (overrides: Partial<SessionChange>): SessionChange => ({
  op: "update",
  rev: 3,
  set: new Map(),
  del: [],
  ttl: 0,
  deadline: Infinity,
  ...overrides,
});

describe("applyChange", () => {
  test("S2 clear, then del, then set", () => {
    const set = new Map([["b", "new"]]);
    const { stored: next } = applyChange(stored, change({ del: ["b"], set }), now);
    expect(next?.data).toEqual(
      new Map([
        ["a", "1"],
        ["b", "new"],
      ]),
    );
    expect(applyChange(stored, change({ clear: true, set }), now).stored?.data).toEqual(set);
    expect(stored.data.get("b")).toBe("2");
  });

  test.each([
    ["the value that is there", new Map([["a", "1"]]), true],
    ["absence of what is absent", new Map([["c", undefined]]), true],
    ["nothing", new Map(), true],
    [
      "several keys",
      new Map([
        ["a", "1"],
        ["b", "2"],
        ["c", undefined],
      ]),
      true,
    ],
    ["another value", new Map([["a", "2"]]), false],
    ["absence of what is there", new Map([["a", undefined]]), false],
    ["an empty value of what is absent", new Map([["c", ""]]), false],
    [
      "several keys, the last of them wrong",
      new Map([
        ["a", "1"],
        ["b", "3"],
      ]),
      false,
    ],
  ])("S9 an update that expects %s", (_, expected, applies) => {
    const set = new Map([["c", "3"]]);
    const outcome = applyChange(stored, change({ expect: expected, set }), now);
    expect(outcome.refused).toBe(!applies);
    expect(outcome.stored).toEqual(
      applies ? { ...stored, data: new Map([...stored.data, ...set]) } : stored,
    );
  });

  test("S9 looks at the data before the change, and only besides S4", () => {
    const set = new Map([["a", "2"]]);
    const cleared = change({ clear: true, set, expect: new Map([["a", "1"]]) });
    expect(applyChange(stored, cleared, now).stored).toMatchObject({ data: set, rev: 4 });
    const stale = change({ rev: 2, set, expect: new Map([["a", "1"]]) });
    expect(applyChange(stored, stale, now).refused).toBe(true);
  });

  test("S3 create never overwrites, update never inserts, destroy is never refused", () => {
    expect(applyChange(stored, change({ op: "create" }), now)).toEqual({ refused: true, stored });
    expect(applyChange(undefined, change({}), now)).toEqual({ refused: true, stored: undefined });
    for (const at of [stored, undefined]) {
      expect(applyChange(at, change({ op: "destroy", rev: 99 }), now)).toEqual({
        refused: false,
        stored: undefined,
      });
    }
    const { stored: created } = applyChange(
      undefined,
      change({ op: "create", ttl: 1000, meta: "m" }),
      now,
    );
    expect(created).toMatchObject({ rev: 1, generation: 1, expires: now + 1000, meta: "m" });
    const bare = applyChange(
      undefined,
      change({ op: "create", ttl: 1000, deadline: now + 7 }),
      now,
    );
    expect(bare.stored).toMatchObject({ meta: "", expires: now + 7 });
  });

  test("S4 an update applies only to the rev that it loaded", () => {
    for (const rev of [2, 4, undefined]) {
      const other = {
        ...change({}),
        ...(rev === undefined ? { rev: undefined as never } : { rev }),
      };
      expect(applyChange(stored, other, now)).toEqual({ refused: true, stored });
    }
  });

  test.each([
    [{}, 3, 2],
    [{ set: new Map([["a", "x"]]) }, 3, 2],
    [{ clear: true }, 4, 2],
    [{ bump: true }, 4, 3],
    [{ clear: true, bump: true, meta: "m", subject: "s" }, 4, 3],
    [{ meta: "m" }, 4, 2],
    [{ subject: "s" }, 4, 2],
    [{ subject: null }, 4, 2],
  ])("S5 %o gives rev %d and generation %d", (overrides, rev, generation) => {
    expect(applyChange(stored, change(overrides), now).stored).toMatchObject({ rev, generation });
  });

  test.each([
    ["a shorter ttl", { ttl: 10_000 }, 50_000],
    ["a longer ttl", { ttl: 60_000 }, 60_000],
    ["a deadline before both", { ttl: 60_000, deadline: now + 20_000 }, 20_000],
    ["a barrier with a shorter ttl", { ttl: 10_000, clear: true }, 10_000],
    ["a barrier with a deadline", { ttl: 60_000, bump: true, deadline: now + 5 }, 5],
    ["no idle timeout", { ttl: Infinity }, Infinity],
  ])("S6 the end after %s", (_, overrides, left) => {
    expect(applyChange(stored, change(overrides), now).stored?.expires).toBe(now + left);
  });

  test("S7 an expired session is absent, to the millisecond", () => {
    const at = stored.expires;
    expect(applyChange(stored, change({}), at - 1).refused).toBe(false);
    expect(applyChange(stored, change({}), at)).toEqual({ refused: true, stored: undefined });
    expect(applyChange(stored, change({ op: "create", ttl: 5 }), at).refused).toBe(false);
  });

  test("toSaved tells what is stored; after a destroy all numbers are 0", () => {
    expect(toSaved(stored)).toEqual({
      rev: 3,
      generation: 2,
      expires: stored.expires,
    });
    expect(toSaved(undefined)).toEqual({ rev: 0, generation: 0, expires: 0 });
  });
});

const meta: SessionMeta = { created: 1, deadline: Infinity, barriers: 0, barrierAt: 0, boundAt: 0 };

describe("the engine's notes", () => {
  test.each([
    meta,
    {
      ...meta,
      deadline: 5,
      barriers: 3,
      barrierAt: 6,
      subject: "alice",
      boundAt: 7,
      label: "laptop",
    },
    { ...meta, subject: "", label: "", cookieExpires: -1 },
    { ...meta, cookieExpires: 0 },
    { ...meta, sessionExpires: 1800 },
    { ...meta, subject: "alice", boundAt: 7, cookieExpires: -1, sessionExpires: 1 },
  ])("%o comes back as it was", (notes) => {
    expect(decodeMeta(encodeMeta(notes))).toEqual(notes);
  });

  test.each([
    "",
    "{",
    "null",
    "{}",
    '"text"',
    "[]",
    "[3,1,null,0,null,0,null,null,0,null]",
    "[1,1,null,0,null,0,null,null]",
    "[2,1,null,0,null,0,null,null]",
    "[2,1,null,0,null,0,null,null,0,null,0]",
    "[2,-1,null,0,null,0,null,null,0,null]",
    "[2,1.5,null,0,null,0,null,null,0,null]",
    '[2,"1",null,0,null,0,null,null,0,null]',
    "[2,1,-5,0,null,0,null,null,0,null]",
    '[2,1,"x",0,null,0,null,null,0,null]',
    "[2,1,null,null,null,0,null,null,0,null]",
    "[2,1,null,0,5,0,null,null,0,null]",
    "[2,1,null,0,null,null,null,null,0,null]",
    "[2,1,null,0,null,0,{},null,0,null]",
    "[2,1,null,0,null,0,null,-2,0,null]",
    '[2,1,null,0,null,0,null,"60",0,null]',
    "[2,1,null,0,null,0,null,1e99,0,null]",
    "[2,1,null,0,null,0,null,null,null,null]",
    "[2,1,null,0,null,0,null,null,-1,null]",
    "[2,1,null,0,null,0,null,null,0.5,null]",
    "[2,1,null,0,null,0,null,null,0]",
    "[2,1,null,0,null,0,null,null,0,0]",
    "[2,1,null,0,null,0,null,null,0,-1]",
    '[2,1,null,0,null,0,null,null,0,"60"]',
  ])("%s is no notes of ours", (text) => {
    expect(decodeMeta(text)).toBeUndefined();
  });

  test("a lifetime is whole seconds, 0 or -1", () => {
    const values = [-2, -1, 0, 1, 1.5, NaN, Infinity, 3_155_760_000, 3_155_760_001, "1", null];
    expect(values.filter(isLifetime)).toEqual([-1, 0, 1, 3_155_760_000]);
  });
});

const row = { ...stored, meta: encodeMeta(meta) };
describe("a row from a store", () => {
  test("is taken when it is whole, with its notes read", () => {
    expect(checkRow({ ...row, extra: 1 })).toEqual({ ...row, notes: meta });
  });

  test.each([
    undefined,
    null,
    "row",
    7,
    {},
    { ...row, data: { a: "1" } },
    { ...row, data: [["a", "1"]] },
    { ...row, data: new Map([["a", 1]]) },
    { ...row, data: new Map([[1, "a"]]) },
    { ...row, data: undefined },
    { ...row, rev: 0 },
    { ...row, rev: 1.5 },
    { ...row, rev: "1" },
    { ...row, generation: 0 },
    { ...row, generation: 2 ** 32 },
    { ...row, expires: NaN },
    { ...row, expires: -1 },
    { ...row, expires: "soon" },
    { ...row, expires: new Date() },
    { ...row, meta: 5 },
    { ...row, meta: "no notes" },
  ])("%o is nothing", (wrong) => {
    expect(checkRow(wrong)).toBeUndefined();
  });

  test("a row that throws when it is looked at is nothing", () => {
    const { rev, generation, expires, meta: text } = row;
    const throwing = {
      rev,
      generation,
      expires,
      meta: text,
      get data(): never {
        throw new Error("a row that throws");
      },
    };
    expect(checkRow(throwing)).toBeUndefined();
  });

  test.each([
    undefined,
    null,
    true,
    {},
    { rev: 0, generation: 1, expires: 1 },
    { rev: 1, generation: 0, expires: 1 },
    { rev: 1, generation: 1, expires: NaN },
  ])("%o is no answer to a save", (wrong) => {
    expect(isSavedSession(wrong)).toBe(false);
  });

  test("an answer to a save", () => {
    expect(isSavedSession({ rev: 1, generation: 1, expires: Infinity })).toBe(true);
  });
});

test("a store is sealed when it says so", () => {
  expect(isSealed(makeStore("cookie", new Clock()))).toBe(true);
  expect(isSealed(makeStore("memory", new Clock()))).toBe(false);
});

test("utf8Length is the length of what TextEncoder writes", () => {
  const texts = ["", "a", "\x7f", "\x80", "߿", "ࠀ", "￿", "🦆", "aé€🦆\0", "\u{10ffff}"];
  for (const text of texts) expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
});

test("kindOf names a kind and no value", () => {
  const values = [null, undefined, [], {}, "x", 1, 1n, true, Symbol("s"), () => 1, new Date()];
  expect(values.map(kindOf)).toEqual([
    "null",
    "undefined",
    "an array",
    "an object",
    "a string",
    "a number",
    "a bigint",
    "a boolean",
    "a symbol",
    "a function",
    "an object",
  ]);
});
