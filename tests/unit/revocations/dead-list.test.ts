// The dead list: what two records say together, what is said of a session, and what is forgotten.
import fc from "fast-check";
import { mergeRecords, type RevocationRecord, toRecord } from "kocha-session/contract";
import { describe, expect, test } from "vitest";
import { DeadList } from "../../../src/revocations/dead-list.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const numRuns = Number(process.env["FC_RUNS"] ?? 1000);
const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

const ids = ["one", "other", "third"] as const;
/** Few instants and ids, so that they meet. */
const anyRecord: fc.Arbitrary<RevocationRecord> = fc
  .record({
    at: fc.integer({ min: 0, max: 9 }),
    life: fc.integer({ min: 1, max: 9 }),
    before: fc.integer({ min: 0, max: 9 }),
    except: fc.option(fc.constantFrom(...ids), { nil: undefined }),
  })
  .map(({ at, life, before, except }) =>
    // Before its own now, so that it means just what it says.
    toRecord({ kind: "subject", id: "alice", ttl: life, before, except }, at + 10),
  );

/** Every session that a subject's record can mean or spare. */
const sessions = [...ids, "else"].flatMap((id) =>
  Array.from({ length: 12 }, (_, boundAt) => ({ id, subject: "alice", boundAt })),
);

function dead(...records: readonly RevocationRecord[]): unknown[] {
  const list = new DeadList();
  for (const record of records) list.add(record, -1);
  return sessions.map((session) => list.verdict(session, 0));
}

describe("two records of one subject", () => {
  test("become one that says what both say", () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (one, other) => {
        const [first, second, merged] = [dead(one), dead(other), dead(mergeRecords(one, other))];
        const both = first.map((verdict, index) => verdict ?? second[index]);
        expect(merged).toEqual(both);
      }),
      { seed, numRuns },
    );
  });

  test("say the same in whatever order and however often they come", () => {
    const inAnyOrder = fc.array(anyRecord, { minLength: 1, maxLength: 6 }).chain((records) =>
      fc.tuple(
        fc.constant(records),
        fc.shuffledSubarray([...records, ...records], {
          minLength: records.length * 2,
          maxLength: records.length * 2,
        }),
      ),
    );
    fc.assert(
      fc.property(inAnyOrder, ([records, shuffled]) => {
        expect(dead(...shuffled)).toEqual(dead(...records));
        const [first, ...rest] = shuffled;
        expect(dead(rest.reduce(mergeRecords, first as RevocationRecord))).toEqual(
          dead(...records),
        );
      }),
      { seed, numRuns },
    );
  });

  test("live as long as the longer one", () => {
    const short = toRecord({ kind: "session", id: "one", ttl: 5 }, NOW);
    const long = toRecord({ kind: "session", id: "one", ttl: 9 }, NOW + 1);
    expect(mergeRecords(long, short)).toEqual({ ...short, until: NOW + 10 });
  });
});

describe("a session", () => {
  test("is dead by its own id, and no other is", () => {
    const list = new DeadList();
    list.add(toRecord({ kind: "session", id: "one", ttl: MINUTE }, NOW), NOW);
    expect(list.verdict({ id: "one" }, NOW)).toBe("revoked");
    expect(list.verdict({ id: "one", credential: "c" }, NOW)).toBe("revoked");
    expect(list.verdict({ id: "other" }, NOW)).toBeUndefined();
  });

  test("whose credential was replaced is in its grace for 60 s, then retired", () => {
    const list = new DeadList();
    list.add(toRecord({ kind: "credential", id: "one", ttl: 9 * MINUTE }, NOW), NOW);
    // The first credential of a session has the session's own id.
    expect(list.verdict({ id: "one" }, NOW)).toBe("grace");
    expect(list.verdict({ id: "one" }, NOW + MINUTE - 1)).toBe("grace");
    expect(list.verdict({ id: "one" }, NOW + MINUTE)).toBe("retired");
    expect(list.verdict({ id: "one", credential: "two" }, NOW)).toBeUndefined();
    list.add(toRecord({ kind: "credential", id: "two", ttl: 9 * MINUTE }, NOW), NOW + 2 * MINUTE);
    expect(list.verdict({ id: "one", credential: "two" }, NOW + 2 * MINUTE)).toBe("retired");
  });

  test("of a subject is dead when it was bound until then", () => {
    const list = new DeadList();
    list.add(toRecord({ kind: "subject", id: "alice", ttl: MINUTE, except: "kept" }, NOW), NOW);
    const of = (id: string, subject: string | undefined, boundAt: number): unknown =>
      list.verdict({ id, subject, boundAt }, NOW);
    const reach = NOW + 5 * MINUTE;
    expect(of("one", "alice", reach)).toBe("revoked");
    expect(of("one", "alice", reach + 1)).toBeUndefined();
    expect(of("kept", "alice", NOW - 1)).toBeUndefined();
    expect(of("one", "bob", NOW - 1)).toBeUndefined();
    expect(of("one", undefined, NOW - 1)).toBeUndefined();
    expect([list.recordOf("alice")?.before, list.recordOf("bob")]).toEqual([reach, undefined]);
  });

  test("never meets a name of Object.prototype", () => {
    const list = new DeadList();
    for (const id of ["__proto__", "constructor", "toString"]) {
      expect(list.verdict({ id, subject: id, boundAt: 0 }, NOW)).toBeUndefined();
      expect(list.recordOf(id)).toBeUndefined();
    }
  });
});

describe("what nothing needs any more", () => {
  test("is not taken in", () => {
    const list = new DeadList();
    list.add(toRecord({ kind: "session", id: "one", ttl: 5000 }, NOW), NOW + 5000);
    expect(list.size).toBe(0);
  });

  test("goes by steps, and what is needed stays", () => {
    const list = new DeadList();
    const kinds = ["session", "credential", "subject"] as const;
    for (let index = 0; index < 300; index++) {
      const kind = kinds[index % 3] ?? "session";
      const ttl = index % 2 === 0 ? 1000 : 1_000_000;
      list.add(toRecord({ kind, id: `id ${index}`, ttl }, NOW), NOW);
    }
    expect(list.size).toBe(300);
    list.sweep(NOW + 100_000, 10);
    expect(list.size).toBeGreaterThan(280);
    for (let round = 0; round < 32; round++) list.sweep(NOW + 100_000, 10);
    expect(list.size).toBe(150);
    expect(list.verdict({ id: "id 1" }, NOW + 100_000)).toBe("retired");
    expect(list.verdict({ id: "id 3" }, NOW + 100_000)).toBe("revoked");
    expect(list.verdict({ id: "id 0" }, NOW + 100_000)).toBeUndefined();
    // The walk begins anew: what expires later goes later.
    for (let round = 0; round < 32; round++) list.sweep(NOW + 10_000_000, 10);
    expect(list.size).toBe(0);
  });
});
