// The store's contract, clause by clause, on the store itself: what one call must do, and what many
// at once must not.
import type { SessionConfig } from "../core/config.ts";
import {
  isSealed,
  type SavedSession,
  type SessionChange,
  type SessionStore,
  type StoredSession,
} from "../core/store.ts";
import { type ConformanceCase, defineCase, must, mustEqual } from "./case.ts";
import type { TestClock } from "./clock.ts";
import { checkHistories, newSelector } from "./history.ts";

/** Makes a fresh, empty store and says how to let go of it. */
export type MakeStore = () => Promise<{
  readonly store: SessionStore;
  /** What else the laws' configuration needs for it, such as revocations of its own. */
  readonly config?: Omit<SessionConfig, "store">;
  /**
   * Lets the driver's call by which the next update writes not go out before the function that it
   * gives back is called. With it, what a call that hangs must not do is tested too.
   */
  readonly hang?: () => () => void;
  readonly close: () => Promise<void> | void;
}>;

/** What the contract's cases are run with. */
export interface ContractOptions {
  readonly name: string;
  readonly clock: TestClock;
  readonly hasFakeClock: boolean;
  readonly seed: number;
  readonly runs: number;
  /** How long a ttl must be for the store to keep it apart from the next: milliseconds. */
  readonly resolutionMs: number;
  readonly sealed: boolean;
  readonly capabilities: NonNullable<SessionStore["capabilities"]>;
  readonly sweeps: boolean;
}

const HOUR = 3_600_000;
const WRITERS = 32;
const forever = { deadline: Infinity } as const;

/** Keys and values that have broken stores before. */
const hostile: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "a'b\"c`d\\e",
  "; DROP TABLE",
  "${x}",
  "%00",
  "\0",
  "a\0b",
  "\n\r\t",
  "\u{1F36A}",
  "\u{10FFFF}",
  "\uFEFF",
  "\uFFFD",
  "é",
  "e\u0301",
  "null",
  "undefined",
  "{}",
  "[]",
  "\u2028",
];

/** A session in a store, by whatever key it has now. */
export class Row {
  readonly store: SessionStore;
  key: string;

  constructor(store: SessionStore) {
    this.store = store;
    this.key = isSealed(store) ? "" : newSelector();
  }

  async save(change: Partial<SessionChange>): Promise<SavedSession | undefined> {
    const base = { op: "update", set: new Map(), del: [], ttl: HOUR, ...forever } as const;
    const saved = await this.store.save(this.key, { ...base, ...change });
    if (saved !== undefined && saved.key !== "") this.key = saved.key;
    return saved;
  }

  create(
    entries: Record<string, string> = {},
    more: Partial<SessionChange> = {},
  ): Promise<SavedSession | undefined> {
    return this.save({ op: "create", set: new Map(Object.entries(entries)), meta: "m", ...more });
  }

  async load(): Promise<StoredSession | undefined> {
    return this.store.load(this.key);
  }

  async data(): Promise<ReadonlyMap<string, string> | undefined> {
    return (await this.load())?.data;
  }
}

const entries = (pairs: Record<string, string>): Map<string, string> =>
  new Map(Object.entries(pairs));

/** The cases of the contract. */
export function contractCases(makeStore: MakeStore, options: ContractOptions): ConformanceCase[] {
  const { name, clock, sealed, capabilities, resolutionMs } = options;
  const cases: ConformanceCase[] = [];
  const add = (
    id: string,
    clause: string,
    applies: true | string,
    test: (store: SessionStore) => Promise<void>,
  ): void => {
    const run = async (): Promise<void> => {
      const { store, close } = await makeStore();
      try {
        await test(store);
      } finally {
        await close();
      }
    };
    cases.push(defineCase(name, { id, clause, applies, run }));
  };
  const atRest = sealed ? "a cookie session is not at rest anywhere: its client holds it" : true;
  const atomic = sealed
    ? atRest
    : capabilities.atomic === true
      ? true
      : "the store says that it isn't atomic";

  add("L12 total: a key that stands for nothing loads nothing", "S1", true, async (store) => {
    for (const key of [newSelector(), ...hostile, "../../etc/passwd", "x".repeat(100_000)]) {
      mustEqual(await store.load(key), undefined, "what load gives for a key that was never saved");
    }
  });
  add("L8 order: clear, then del, then set, as one step", "S2", true, async (store) => {
    const row = new Row(store);
    const created = await row.create({ a: "1", b: "2", c: "3" });
    await row.save({
      rev: created?.rev ?? 0,
      del: ["a", "b", "nowhere"],
      set: entries({ b: "4", d: "5" }),
    });
    mustEqual(await row.data(), entries({ b: "4", c: "3", d: "5" }), "after del and set");
    const rev = (await row.load())?.rev ?? 0;
    await row.save({ rev, clear: true, del: ["x"], set: entries({ x: "6" }) });
    mustEqual(await row.data(), entries({ x: "6" }), "after clear and set");
  });
  add("L4 create: a live session is never overwritten", "S3", atRest, async (store) => {
    const row = new Row(store);
    await row.create({ mine: "1" });
    mustEqual(await row.create({ theirs: "2" }), undefined, "a second create");
    mustEqual(await row.data(), entries({ mine: "1" }), "the first session");
  });
  add("L2 update: it never inserts", "S3", true, async (store) => {
    const row = new Row(store);
    const key = sealed ? "A".repeat(90) : row.key;
    const saved = await store.save(key, {
      op: "update",
      rev: 1,
      set: entries({ a: "1" }),
      del: [],
      ttl: HOUR,
      ...forever,
    });
    mustEqual(saved, undefined, "an update of what isn't there");
    mustEqual(await store.load(key), undefined, "what it left");
  });
  add("L2 destroy: it is never refused, and final", "S3", atRest, async (store) => {
    const row = new Row(store);
    const created = await row.create({ a: "1" });
    must((await row.save({ op: "destroy" })) !== undefined, "destroy was refused");
    mustEqual(await row.load(), undefined, "after destroy");
    must((await row.save({ op: "destroy" })) !== undefined, "a second destroy was refused");
    const late = await row.save({ rev: created?.rev ?? 0, set: entries({ a: "late" }) });
    mustEqual(late, undefined, "an update after destroy");
    const renewal = await row.save({ rev: created?.rev ?? 0, ttl: 24 * HOUR });
    mustEqual(renewal, undefined, "a renewal after destroy");
    mustEqual(await row.load(), undefined, "after the late update");
  });
  add(
    "L3 fence: a change applies only at the revision that it loaded",
    "S4",
    true,
    async (store) => {
      const row = new Row(store);
      const rev = (await row.create({ a: "1" }))?.rev ?? 0;
      const stale = [rev + 1, rev - 1];
      for (const wrong of stale) {
        mustEqual(
          await row.save({ rev: wrong, set: entries({ a: "no" }) }),
          undefined,
          `an update at revision ${wrong}`,
        );
      }
      mustEqual(await row.data(), entries({ a: "1" }), "after refused updates");
      const barrier = await row.save({ rev, clear: true, set: entries({ b: "2" }) });
      must(barrier !== undefined, "a clear at the right revision was refused");
      mustEqual(
        await row.save({ rev, set: entries({ c: "3" }) }),
        undefined,
        "an update from before the clear",
      );
      mustEqual(await row.data(), entries({ b: "2" }), "after the barrier");
    },
  );
  add(
    "L3 counters: barriers raise the revision, bump alone the generation",
    "S5",
    true,
    async (store) => {
      const row = new Row(store);
      let { rev, generation } = (await row.create({ a: "1" })) ?? { rev: 0, generation: 0 };
      const expectStep = async (
        change: Partial<SessionChange>,
        byRev: number,
        byGeneration: number,
      ): Promise<void> => {
        const saved = await row.save({ rev, ...change });
        const wanted = [rev + byRev, sealed ? generation : generation + byGeneration];
        mustEqual(
          [saved?.rev, saved?.generation],
          wanted,
          `revision and generation after ${Object.keys(change).join()}`,
        );
        const loaded = await row.load();
        mustEqual([loaded?.rev, loaded?.generation], wanted, "the same, loaded");
        rev = saved?.rev ?? 0;
        generation = saved?.generation ?? 0;
      };
      await expectStep({ set: entries({ b: "2" }) }, 0, 0);
      await expectStep({ clear: true }, 1, 0);
      await expectStep({ bump: true }, 1, 1);
      if (sealed) return;
      await expectStep({ meta: "new" }, 1, 0);
      mustEqual((await row.load())?.meta, "new", "meta");
      await expectStep({ subject: "alice" }, 1, 0);
      await expectStep({ subject: null }, 1, 0);
    },
  );
  add("L5 renewal: the end never shrinks but at a barrier", "S6", true, async (store) => {
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
  });
  add(
    "L10 lifetime: a change that sets one may end the session earlier, and keeps its data",
    "S6",
    true,
    async (store) => {
      const row = new Row(store);
      const created = await row.create({ a: "1" }, { ttl: 10 * HOUR });
      const change = { shrinks: true, ttl: HOUR, set: entries({ b: "2" }) } as const;
      const noted = sealed ? change : { ...change, meta: "a lifetime of its own" };
      const saved = await row.save({ rev: created?.rev ?? 0, ...noted });
      const latest = (created?.expires ?? 0) - 8 * HOUR;
      must((saved?.expires ?? Infinity) <= latest, "the end of before it was kept");
      const loaded = await row.load();
      must((loaded?.expires ?? Infinity) <= latest, "the end of before it was kept, loaded");
      mustEqual(loaded?.data, entries({ a: "1", b: "2" }), "the data");
      const late = { rev: saved?.rev ?? 0, shrinks: true, ttl: 20 * HOUR };
      const longer = await row.save(sealed ? late : { ...late, meta: "a longer one" });
      must((longer?.expires ?? 0) >= latest + 18 * HOUR, "a longer lifetime did not lengthen it");
    },
  );
  add("L10 deadline: nothing goes past it", "S6", true, async (store) => {
    const row = new Row(store);
    const deadline = clock.now() + 2 * HOUR;
    const created = await row.create({ a: "1" }, { ttl: 10 * HOUR, deadline });
    must((created?.expires ?? Infinity) <= deadline + 1000, "a new session outlives its deadline");
    const renewed = await row.save({ rev: created?.rev ?? 0, ttl: Infinity, deadline });
    must(
      (renewed?.expires ?? Infinity) <= deadline + 1000,
      "a renewed session outlives its deadline",
    );
  });
  add("L10 idle: an expired session is absent", "S7", true, async (store) => {
    const row = new Row(store);
    const rev = (await row.create({ a: "1" }, { ttl: 2 * resolutionMs }))?.rev ?? 0;
    must((await row.load()) !== undefined, "a session is gone before its end");
    await clock.advance(3 * resolutionMs + 1000);
    mustEqual(await row.load(), undefined, "an expired session");
    mustEqual(await row.save({ rev, ttl: HOUR }), undefined, "a renewal of an expired session");
    mustEqual(
      await row.save({ rev, set: entries({ a: "2" }) }),
      undefined,
      "an update of an expired session",
    );
    if (sealed) return;
    must(
      (await row.create({ b: "2" })) !== undefined,
      "a create over an expired session was refused",
    );
    mustEqual(await row.data(), entries({ b: "2" }), "the session that came after it");
  });
  add("L8 bytes: hostile keys and values come back as they were", "S8", true, async (store) => {
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
  });
  add(
    "L8 sizes: a key and a value at their limits, and a thousand keys",
    "S8",
    sealed ? "a cookie is smaller than that" : true,
    async (store) => {
      const row = new Row(store);
      const data = new Map([["k".repeat(256), "é".repeat(30_000)]]);
      for (let index = 0; index < 999; index++) data.set(`key ${index}`, String(index));
      must((await row.create({}, { set: data })) !== undefined, "it was refused");
      mustEqual(await row.data(), data, "the largest session");
    },
  );
  add(
    "L8 copies: what was handed out or in is nobody's way into the store",
    "S8",
    true,
    async (store) => {
      const row = new Row(store);
      const given = entries({ a: "1" });
      await row.create({}, { set: given });
      given.set("a", "changed after it was saved");
      const loaded = await row.data();
      if (loaded instanceof Map) loaded.set("a", "changed after it was loaded");
      mustEqual(await row.data(), entries({ a: "1" }), "the stored session");
    },
  );
  cases.push(
    defineCase(name, {
      id: "L8 histories: random ones agree with applyChange",
      clause: "S1 to S8",
      run: () => checkHistories(makeStore, { ...options, canWait: options.hasFakeClock }),
    }),
  );
  add("L1 writers: different keys at once all survive", "S2", atomic, async (store) => {
    const row = new Row(store);
    const rev = (await row.create({ base: "0" }))?.rev ?? 0;
    const writers = Array.from({ length: WRITERS }, (_, index) => String(index));
    const saved = await Promise.all(
      writers.map((id) =>
        store.save(row.key, {
          op: "update",
          rev,
          set: entries({ [id]: id }),
          del: [],
          ttl: HOUR,
          ...forever,
        }),
      ),
    );
    must(!saved.includes(undefined), "a writer at the right revision was refused");
    const wanted = new Map([["base", "0"], ...writers.map((id) => [id, id] as const)]);
    mustEqual(await row.data(), wanted, `after ${WRITERS} writers`);
  });
  add("L1 writers: of one key one value survives, whole", "S2", atomic, async (store) => {
    const row = new Row(store);
    const rev = (await row.create({ a: "0" }))?.rev ?? 0;
    const values = Array.from({ length: WRITERS }, (_, index) => `${index} `.repeat(50));
    await Promise.all(
      values.map((value) =>
        store.save(row.key, {
          op: "update",
          rev,
          set: entries({ a: value, b: value }),
          del: [],
          ttl: HOUR,
          ...forever,
        }),
      ),
    );
    const data = await row.data();
    must(values.includes(data?.get("a") ?? ""), "the value is none that was written");
    mustEqual(data?.get("a"), data?.get("b"), "two keys of one change");
  });
  add("L2 race: writers can't bring a destroyed session back", "S3", atomic, async (store) => {
    for (let round = 0; round < 8; round++) {
      const row = new Row(store);
      const rev = (await row.create({ a: "0" }))?.rev ?? 0;
      const write = (index: number) =>
        store.save(row.key, {
          op: "update",
          rev,
          set: entries({ a: String(index) }),
          del: [],
          ttl: HOUR,
          ...forever,
        });
      const before = Array.from({ length: 8 }, (_, index) => write(index));
      const destroy = store.save(row.key, {
        op: "destroy",
        set: new Map(),
        del: [],
        ttl: 0,
        ...forever,
      });
      const after = Array.from({ length: 8 }, (_, index) => write(index));
      await Promise.all([...before, destroy, ...after]);
      mustEqual(await row.load(), undefined, "after a destroy that raced 16 writers");
      mustEqual(await write(99), undefined, "a late write");
      mustEqual(await row.load(), undefined, "after the late write");
    }
  });
  add("L3 race: nothing of before a clear comes after it", "S4", atomic, async (store) => {
    for (let round = 0; round < 8; round++) {
      const row = new Row(store);
      const rev = (await row.create({ old: "0" }))?.rev ?? 0;
      const write = (index: number) =>
        store.save(row.key, {
          op: "update",
          rev,
          set: entries({ [`w${index}`]: "1" }),
          del: [],
          ttl: HOUR,
          ...forever,
        });
      const clear = {
        op: "update",
        rev,
        clear: true,
        bump: true,
        set: entries({ fresh: "1" }),
        del: [],
        ttl: HOUR,
        ...forever,
      } as const;
      const barriers = await Promise.all([
        ...[0, 1, 2, 3].map(write),
        store.save(row.key, clear),
        ...[4, 5, 6, 7].map(write),
        store.save(row.key, clear),
      ]);
      mustEqual(
        [barriers[4], barriers[9]].filter((saved) => saved !== undefined).length,
        1,
        "how many of two barriers applied",
      );
      mustEqual(await row.data(), entries({ fresh: "1" }), "after a barrier that raced 8 writers");
    }
  });
  const lists =
    capabilities.lists === true && !sealed ? true : "the store says that it doesn't list";
  add("L2 lists: a subject's sessions are listed and ended", "S3", lists, async (store) => {
    const subject = `subject ${newSelector()}`;
    const rows = [0, 1, 2].map(() => new Row(store));
    const other = new Row(store);
    for (const [index, row] of rows.entries()) await row.create({ n: String(index) }, { subject });
    await other.create({ n: "other" }, { subject: `${subject}!` });
    const listed = new Map<string, StoredSession>();
    for await (const { id, stored } of store.list?.(subject) ?? []) listed.set(id, stored);
    mustEqual(
      [...listed.keys()].toSorted(),
      rows.map(({ key }) => key).toSorted(),
      "the listed ids",
    );
    const [first, second] = rows;
    await second?.save({ rev: 1, subject: null });
    const destroyed = await store.destroyAll?.(subject, { except: first?.key ?? "" });
    mustEqual(destroyed, 1, "how many destroyAll ended");
    mustEqual(await rows[2]?.load(), undefined, "a session that destroyAll ended");
    must((await first?.load()) !== undefined, "the excepted session is gone");
    must((await second?.load()) !== undefined, "a session that was unbound is gone");
    must((await other.load()) !== undefined, "another subject's session is gone");
  });
  const sweeps = options.sweeps ? true : "the store has no sweep: it expires by itself";
  add(
    "L10 sweep: it removes what is expired, nothing else, and no more than its limit",
    "S7",
    sweeps,
    async (store) => {
      const dying = Array.from({ length: 5 }, () => new Row(store));
      const living = new Row(store);
      for (const row of dying) await row.create({}, { ttl: 2 * resolutionMs });
      await living.create({ a: "1" });
      await clock.advance(3 * resolutionMs + 1000);
      mustEqual(await store.sweep?.(2), 2, "how many a sweep of two removed");
      mustEqual(await store.sweep?.(100), 3, "how many the next one removed");
      must((await living.load()) !== undefined, "a live session was swept");
    },
  );
  return cases;
}
