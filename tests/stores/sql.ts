// What must hold of every SQL store beyond the laws: rows that others wrote, keys that an engine's
// JSON could take for something else, large subjects, and nodes whose clocks disagree.
import fc from "fast-check";
import type { SessionChange, SessionStore, StoredSession } from "kocha-session";
import { storeLaws, type TestClock } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { freshKey } from "../support/keys.ts";
import { Visitor } from "../support/visitor.ts";

/** A client of a SQL store, and the means to look behind it. */
export interface SqlSubject {
  readonly name: string;
  /** The clock that the stores of `makeStore` go by. */
  readonly clock: TestClock;
  /** A store on this table, which it makes. */
  readonly makeStore: (table: string) => Promise<SqlStore>;
  /** Runs SQL on the same database. */
  readonly execute: (text: string) => Promise<unknown>;
  /** A table's name as it stands in SQL. */
  readonly quote: (table: string) => string;
  /** What a column can be set to that is no session any more, each an assignment in SQL. */
  readonly foreign: readonly string[];
  /** Inserts sessions without data for a subject that end then, by SQL. */
  readonly fill: (table: string, subject: string, count: number, expires: number) => string;
}

/** A store with all that a SQL store has. */
export type SqlStore = SessionStore & Required<Pick<SessionStore, "list" | "destroyAll" | "sweep">>;

export const HOUR = 3_600_000;
const SKEW = 300_000;
const seed = Number(process.env["FC_SEED"] ?? 42);
let tables = 0;

/** A table's name that no other test uses. */
export const newTable = (): string => `sessions_${++tables}`;

/** A change with nothing in it but what is given. */
export function change(more: Partial<SessionChange>): SessionChange {
  return { op: "update", rev: 1, set: new Map(), del: [], ttl: HOUR, deadline: Infinity, ...more };
}

/** A new session's change. */
export function creation(
  entries: Readonly<Record<string, string>>,
  more: Partial<SessionChange> = {},
): SessionChange {
  const { rev: _, ...rest } = change({ op: "create", set: new Map(Object.entries(entries)) });
  return { ...rest, meta: "", ...more };
}

/** The ids that a list gives. */
export async function idsOf(store: SqlStore, subject: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.list(subject)) ids.push(id);
  return ids;
}

/** Registers the laws for a client, and what its way with strings could break. */
export async function describeLaws(subject: SqlSubject, histories = 30): Promise<void> {
  const makeStore = async () => ({
    store: await subject.makeStore(newTable()),
    close: () => undefined,
  });
  const { name, clock } = subject;
  const cases = await storeLaws(makeStore, { name, clock, seed, runs: histories });
  describe(`the laws, ${name}`, () => {
    test("none is left out", () => {
      expect(cases.filter(({ applies }) => applies !== true)).toEqual([]);
    });
    test.each(cases)("$id", ({ run }) => run());

    test("random changes of hostile keys end where a Map ends", async () => {
      const store = await subject.makeStore(newTable());
      const text = fc.oneof(
        fc.array(fc.constantFrom(...hostilePieces), { maxLength: 4 }).map((all) => all.join("")),
        fc.string({ unit: "binary", maxLength: 5 }),
      );
      const step = fc.record({
        set: fc.array(fc.tuple(fc.nat(7), text, text), { maxLength: 4 }),
        del: fc.array(fc.tuple(fc.nat(7), text), { maxLength: 5 }),
      });
      const property = fc.asyncProperty(
        fc.array(fc.tuple(text, text), { maxLength: 8 }),
        fc.array(step, { minLength: 1, maxLength: 3 }),
        text,
        async (entries, steps, meta) => {
          const selector = newSelector();
          const expected = new Map(entries);
          await store.save(selector, change({ op: "create", set: new Map(entries), meta }));
          for (const { set, del } of steps) {
            // Most keys are ones that are there.
            const keyOf = (index: number, made: string): string => entries[index]?.[0] ?? made;
            const sets = new Map(set.map(([index, made, value]) => [keyOf(index, made), value]));
            const dels = del.map(([index, made]) => keyOf(index, made));
            const saved = await store.save(selector, change({ set: sets, del: dels }));
            expect(saved).toMatchObject({ rev: 1, generation: 1 });
            for (const gone of dels) expected.delete(gone);
            for (const [there, value] of sets) expected.set(there, value);
          }
          const stored = await store.load(selector);
          expect(sorted(stored)).toEqual(sorted({ data: expected }));
          expect(stored?.meta).toBe(meta);
        },
      );
      await fc.assert(property, { seed, numRuns: 2 * histories });
    });
  });
}

/** Registers what the statements make of rows, whichever client runs them. */
export function describeRows(subject: SqlSubject): void {
  const { makeStore, execute, quote } = subject;

  describe(`rows, ${subject.name}`, () => {
    test.each(subject.foreign)("a row that someone else wrote is no session: %s", async (set) => {
      const table = newTable();
      const store = await makeStore(table);
      const [selector, other] = [newSelector(), newSelector()];
      for (const id of [selector, other])
        await store.save(id, creation({ a: "1" }, { subject: "alice" }));
      await execute(`UPDATE ${quote(table)} SET ${set} WHERE id = '${selector}'`);
      expect(await store.load(selector)).toBeUndefined();
      expect(await idsOf(store, "alice")).toEqual([other]);
      for (const more of [{ set: new Map([["b", "2"]]) }, { del: ["a"] }, { ttl: 2 * HOUR }]) {
        // Refused, or healed where it takes away what wasn't ours: never thrown.
        await store.save(selector, change(more));
        await store.load(selector);
      }
      await store.save(selector, change({ op: "destroy" }));
      expect((await store.load(other))?.data.get("a")).toBe("1");
    });

    test("a subject of any characters is listed by itself alone", async () => {
      const store = await makeStore(newTable());
      const subjects = ["a", "A", "a ", "é", "e\u0301", "a\0", "~0", "\u{1F36A}", "a'b\\c\"d", "%"];
      for (const whose of subjects) {
        await store.save(newSelector(), creation({}, { subject: whose }));
      }
      for (const whose of subjects) expect(await idsOf(store, whose)).toHaveLength(1);
      expect(await idsOf(store, "")).toEqual([]);
      expect(await store.destroyAll("a\0", { except: "no\0id" })).toBe(1);
      expect(await idsOf(store, "a")).toHaveLength(1);
    });

    test("a subject with 10,000 sessions is listed whole and ended but for one", async () => {
      const table = newTable();
      const store = await makeStore(table);
      await execute(subject.fill(table, "crowd", 9_999, subject.clock.now() + HOUR));
      const selector = newSelector();
      await store.save(selector, creation({ mine: "1" }, { subject: "crowd" }));
      expect(new Set(await idsOf(store, "crowd")).size).toBe(10_000);
      expect(await store.destroyAll("crowd", { except: selector })).toBe(9_999);
      expect(await idsOf(store, "crowd")).toEqual([selector]);
      expect((await store.load(selector))?.data.get("mine")).toBe("1");
    });

    test("expired rows are swept in batches beside commits, and nothing else", async () => {
      const table = newTable();
      const store = await makeStore(table);
      await execute(subject.fill(table, "gone", 3000, subject.clock.now() - 1));
      const keys = Array.from({ length: 8 }, newSelector);
      for (const selector of keys) await store.save(selector, creation({}, { subject: "here" }));
      const sweep = { isOver: false };
      const commit = async (selector: string): Promise<number> => {
        let commits = 0;
        while (!sweep.isOver || commits === 0) {
          const set = new Map([[String(commits), "1"]]);
          expect(await store.save(selector, change({ set }))).toBeDefined();
          commits++;
          // The stores that answer at once have to let the others in.
          await new Promise((resolve) => setImmediate(resolve));
        }
        return commits;
      };
      const sweepAll = async (): Promise<number> => {
        let swept = 0;
        for (;;) {
          const removed = await store.sweep(250);
          expect(removed).toBeLessThanOrEqual(250);
          swept += removed;
          if (removed === 0) break;
        }
        sweep.isOver = true;
        return swept;
      };
      const [swept, ...commits] = await Promise.all([sweepAll(), ...keys.map(commit)]);
      expect(swept).toBe(3000);
      expect((await idsOf(store, "here")).toSorted()).toEqual(keys.toSorted());
      for (const [index, selector] of keys.entries()) {
        expect((await store.load(selector))?.data.size).toBe(commits[index]);
      }
    });

    test("a session is in the list from the moment that it is bound", async () => {
      const store = await makeStore(newTable());
      const keys = Array.from({ length: 16 }, newSelector);
      await Promise.all(
        keys.map(async (selector) => {
          await store.save(selector, creation({ a: "1" }));
          await store.save(selector, change({ subject: "bob", meta: "bound" }));
          expect(await idsOf(store, "bob")).toContain(selector);
          await store.save(selector, change({ rev: 2, bump: true, set: new Map([["b", "2"]]) }));
          expect(await idsOf(store, "bob")).toContain(selector);
        }),
      );
      expect((await idsOf(store, "bob")).toSorted()).toEqual(keys.toSorted());
    });

    test("an application whose clock is five minutes off keeps its sessions and ends them", async () => {
      const { clock } = subject;
      const signingKey = freshKey();
      const store = await makeStore(newTable());
      const engineAt = (skew: number): Visitor =>
        new Visitor(store, { signingKey, sessionExpires: 3600, now: () => clock.now() + skew });
      const nodes = [-SKEW, 0, SKEW].map(engineAt);
      for (const node of nodes) await node.visit((session) => session.set("made", "1"));
      for (const maker of nodes) {
        for (const node of nodes) {
          const { cookie } = node;
          node.cookie = maker.cookie;
          expect(await node.visit((session) => session.get("made"))).toBe("1");
          node.cookie = cookie;
        }
      }
      await clock.advance(HOUR + SKEW + 1000);
      for (const node of nodes) {
        expect(await node.visit((session) => session.get("made"))).toBe("");
      }
    });
  });
}

const hostilePieces = [
  ...Array.from("aAbßé~yxwz0\\\" '`$.*[]{}:,%@?"),
  "ss",
  "e\u0301",
  "\0",
  "\n",
  "\u007F",
  "\u0085",
  "\u2028",
  "\uFFFF",
  "\u{1F36A}",
  "\uD83C",
  "\uDF6A",
  "null",
  "__proto__",
];

function sorted(stored: Pick<StoredSession, "data"> | undefined): unknown {
  return [...(stored?.data ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
