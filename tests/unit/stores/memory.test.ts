// The memory store's bounds: what goes when there is no room, and what is told of it; and that a
// session packed into one string comes back as it was.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SessionChange } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { packPairs, unpackPairs } from "../../../src/stores/packed.ts";
import { thrownBy } from "../../support/thrown.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const create = (value: string, ttl = 60_000): SessionChange => ({
  op: "create",
  set: new Map([["a", value]]),
  del: [],
  ttl,
  deadline: Infinity,
});

describe("the memory store's bounds", () => {
  test("it keeps no more than maxEntries, and says which had to go", () => {
    const gone: string[] = [];
    const store = new SessionMemoryStore({ maxEntries: 10, onEvict: (id) => gone.push(id) });
    for (let index = 0; index < 100; index++) {
      store.save(`id${index}`, create("1"));
      expect(store.size).toBeLessThanOrEqual(10);
      expect(store.load(`id${index}`)?.data.get("a")).toBe("1");
    }
    expect(gone).toHaveLength(90);
    for (const id of gone) expect(store.load(id)).toBeUndefined();
    store.close();
  });

  test("what is used stays, what isn't goes", () => {
    const store = new SessionMemoryStore({ maxEntries: 10 });
    store.save("kept", create("1"));
    for (let index = 0; index < 1000; index++) {
      store.save(`id${index}`, create("1"));
      expect(store.load("kept")).toBeDefined();
    }
    store.close();
  });

  test("it keeps no more than maxBytes, whatever grows or shrinks", () => {
    const maxBytes = 20_000;
    const sizes = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 3000 })), { maxLength: 60 });
    const property = fc.property(sizes, (writes) => {
      const store = new SessionMemoryStore({ maxBytes });
      for (const [index, size] of writes) {
        const change = create("x".repeat(size));
        const known = store.load(`id${index}`);
        store.save(`id${index}`, known ? { ...change, op: "update", rev: known.rev } : change);
        expect(store.load(`id${index}`)?.data.get("a")?.length).toBe(size);
      }
      const kept = Array.from({ length: 31 }, (_, index) => store.load(`id${index}`));
      const units = kept.map((stored) => stored?.data.get("a")?.length ?? 0);
      expect(2 * units.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(maxBytes);
      store.close();
    });
    fc.assert(property, { seed, numRuns: 100 });
  });

  test("a session that doesn't fit by itself is an error, and what was there stays", () => {
    const store = new SessionMemoryStore({ maxBytes: 2000 });
    store.save("id", create("1"));
    const error = thrownBy(() => store.save("other", create("x".repeat(2000))));
    expect(error).toMatchObject({ code: "ERR_SESSION_LIMIT_SESSION", limit: 2000 });
    expect(store.load("id")).toBeDefined();
    store.close();
  });

  test("an expired session makes room first, and nobody hears of it", () => {
    let now = 1000;
    const gone: string[] = [];
    const onEvict = (id: string): number => gone.push(id);
    const store = new SessionMemoryStore({ maxEntries: 2, onEvict, now: () => now });
    store.save("short", create("1", 10));
    store.save("long", create("1"));
    now += 20;
    store.save("new", create("1"));
    expect(gone).toEqual([]);
    expect(store.load("long")).toBeDefined();
    store.close();
  });
});

describe("packed pairs", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "\0", "__proto__", "\u{10FFFF}", "\u00ff"),
    fc.constantFrom(127, 128, 129, 16_383, 16_384, 70_000).map((length) => "x".repeat(length)),
  );

  test("come back as they were, in their order", () => {
    const pairs = fc.array(fc.tuple(text, text), { maxLength: 20 });
    const property = fc.property(pairs, (entries) => {
      const data = new Map(entries);
      expect([...unpackPairs(packPairs(data))]).toEqual([...data]);
    });
    fc.assert(property, { seed, numRuns: 500 });
  });
});
