// The join as algebra (claim C1), and the bytes of parts: what `joinStates` gives for random states of
// one session, and that a part says the same after it was written and read.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinStates, type State } from "../../src/merge/join.ts";
import {
  decodePart,
  encodePart,
  encodeTombstone,
  type Entry,
  type Part,
  suffixOf,
} from "../../src/merge/part.ts";
import { compareKeys } from "../../src/crypto/pairs.ts";
import { encodeBase64url } from "#crypto";
import { randomBytes } from "node:crypto";

const numRuns = Number(process.env["FC_RUNS"] ?? 2000);
const seed = Number(process.env["FC_SEED"] ?? 42);
const created = Date.UTC(2026, 5, 1);
const nonces = ["", "B".repeat(21) + "A", "C".repeat(21) + "A"];
const id = encodeBase64url(randomBytes(16));

/** Few keys, stamps and floors, so that everything collides. */
const stateArbitrary: fc.Arbitrary<State> = fc
  .record({
    rev: fc.integer({ min: 1, max: 2 }),
    nonce: fc.constantFrom(...nonces),
    floor: fc.integer({ min: 0, max: 6 }),
    idle: fc.integer({ min: 1, max: 3 }),
    entries: fc.uniqueArray(
      fc.record({
        key: fc.constantFrom("a", "b", "c", "é"),
        stamp: fc.integer({ min: 0, max: 8 }),
        value: fc.constantFrom(undefined, "", "1", "2"),
      }),
      { selector: ({ key }) => key, maxLength: 4 },
    ),
  })
  .map(({ rev, nonce, floor, idle, entries }) => {
    const sorted = entries.toSorted((one, other) => compareKeys(one.key, other.key));
    const data = sorted.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]]));
    return {
      session: {
        id,
        rev,
        created,
        issued: 0,
        idleExpires: created + idle * 1000,
        deadline: Infinity,
        data: new Map(data as [string, string][]),
      },
      nonce,
      floor,
      entries: new Map(
        sorted.map(({ key, value, stamp }): [string, Entry] => [key, { value, stamp }]),
      ),
    };
  });

/** A state without the order of its keys, which says nothing. */
function plain({ session, nonce, floor, entries }: State): unknown {
  return { ...session, data: undefined, nonce, floor, entries: Object.fromEntries(entries) };
}

const check = (property: fc.IRawProperty<unknown>): void =>
  fc.assert(property as fc.IProperty<unknown>, { numRuns, seed });

describe("C1 the join", () => {
  test("is idempotent", () => {
    check(
      fc.property(stateArbitrary, (one) => {
        const once = joinStates([one]);
        expect(plain(joinStates([one, one]))).toEqual(plain(once));
        expect(plain(joinStates([once, once]))).toEqual(plain(once));
        expect(plain(joinStates([once, one]))).toEqual(plain(once));
      }),
    );
  });

  test("is commutative", () => {
    check(
      fc.property(
        fc.array(stateArbitrary, { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        (states, dice) => {
          const shuffled = states
            .map((state) => ({ state, at: dice.next().value ?? 0 }))
            .toSorted((one, other) => one.at - other.at)
            .map(({ state }) => state);
          expect(plain(joinStates(shuffled))).toEqual(plain(joinStates(states)));
        },
      ),
    );
  });

  test("is associative: groups may be joined first", () => {
    check(
      fc.property(stateArbitrary, stateArbitrary, stateArbitrary, (one, two, three) => {
        const together = plain(joinStates([one, two, three]));
        expect(plain(joinStates([joinStates([one, two]), three]))).toEqual(together);
        expect(plain(joinStates([one, joinStates([two, three])]))).toEqual(together);
      }),
    );
  });
});

/** A part: a state and what it covers. */
const partArbitrary: fc.Arbitrary<Part> = fc
  .tuple(stateArbitrary, fc.uniqueArray(fc.uint8Array({ minLength: 4, maxLength: 4 })))
  .map(([state, covers]) => ({ ...state, covers: covers.map(encodeBase64url) }));

describe("the bytes", () => {
  test("of a part say what it said, and equal parts are equal bytes", () => {
    check(
      fc.property(partArbitrary, (part) => {
        const bytes = encodePart(part);
        const read = decodePart(bytes);
        expect(read).toMatchObject({ nonce: part.nonce, floor: part.floor, covers: part.covers });
        expect(read && "entries" in read && new Map(read.entries)).toEqual(part.entries);
        expect(read && "session" in read && read.session.data).toEqual(part.session.data);
        expect(read && "session" in read ? encodePart(read) : undefined).toEqual(bytes);
      }),
    );
  });

  test("of a tombstone say what it said", () => {
    const ids = fc.uniqueArray(fc.uint8Array({ minLength: 16, maxLength: 16 }), { maxLength: 16 });
    check(
      fc.property(ids, fc.nat(), fc.option(fc.nat(), { nil: Infinity }), (bytes, at, life) => {
        const revs = [Infinity, 2, 300];
        const dead = new Map(bytes.map((one, n) => [encodeBase64url(one), revs[n % 3] ?? 1]));
        const until = life === Infinity ? Infinity : (at + 1 + life) * 1000;
        const tombstone = { at: at * 1000, until, dead };
        expect(decodePart(encodeTombstone(tombstone))).toEqual(tombstone);
      }),
    );
  });

  test("that nobody wrote are a part, a tombstone or nothing, and never throw", () => {
    check(
      fc.property(
        partArbitrary,
        fc.nat(),
        fc.nat({ max: 255 }),
        fc.nat(),
        (part, at, byte, end) => {
          const bytes = encodePart(part);
          bytes[at % bytes.length] = byte;
          const read = decodePart(bytes.subarray(0, end % (bytes.length + 1)));
          expect(read === undefined || "entries" in read || "dead" in read).toBe(true);
          if (read === undefined || !("entries" in read)) return;
          for (const { stamp } of read.entries.values())
            expect(Number.isSafeInteger(stamp)).toBe(true);
        },
      ),
    );
    check(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodePart(bytes);
        expect(read === undefined || "entries" in read || "dead" in read).toBe(true);
      }),
    );
  });

  test.each([
    ["s.AAAAAA", "AAAAAA"],
    ["s.-_-_-w", "-_-_-w"],
    ["s.split1", undefined],
    ["s.AAAAAB", undefined],
    ["s.AAAAA", undefined],
    ["s.AAAAAAA", undefined],
    ["s.AAAA A", undefined],
    ["sxAAAAAA", undefined],
    ["t.AAAAAA", undefined],
    ["s", undefined],
  ])("the name %s has the suffix %s", (name, suffix) => {
    expect(suffixOf(name, "s")).toBe(suffix);
  });
});
