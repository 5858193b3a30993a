// The kit is tested itself: each broken store and host must fail the case that its fault breaks.
import {
  fakeClock,
  hostLaws,
  runCases,
  storeLaws,
  type ConformanceCase,
  type MakeStore,
} from "kocha-session/testing";
import type { SavedSession, SessionChange } from "kocha-session";
import { describe, expect, test } from "vitest";
import { handmadeHost, hostMutants } from "./mutants/hosts.ts";
import { PlainStore } from "./mutants/plain-store.ts";
import { storeMutants } from "./mutants.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);

async function failures(cases: readonly ConformanceCase[]): Promise<string[]> {
  const results = await runCases(cases);
  return results.flatMap((result) => (result.error === undefined ? [] : [result.case.id]));
}

/** Makes stores of one kind, whose saves can be made to hang. */
function makerOf(make: () => PlainStore): MakeStore {
  return async () => {
    const store = make();
    return { store, hang: () => store.hang(), close: () => undefined };
  };
}

describe("stores with a fault", () => {
  test("the store that they are made of has none", async () => {
    const clock = fakeClock();
    const makeStore = makerOf(() => new PlainStore(clock.now));
    expect(await failures(await storeLaws(makeStore, { clock, seed }))).toEqual([]);
  });

  test.each(storeMutants)("$fault fails: $caughtBy", async ({ fault, caughtBy, make }) => {
    const clock = fakeClock();
    const makeStore = makerOf(() => make(clock));
    const cases = await storeLaws(makeStore, { clock, seed, name: `a store with ${fault}` });
    const one = cases.filter(({ id }) => id === caughtBy);
    expect(one).toHaveLength(1);
    expect(one[0]?.applies).toBe(true);
    // Whoever reads the failure learns the store and the law.
    await expect(one[0]?.run()).rejects.toThrow(`a store with ${fault} breaks ${caughtBy}`);
  });

  test("each case of the contract has a fault that only it is there for", async () => {
    const clock = fakeClock();
    const makeStore = makerOf(() => new PlainStore(clock.now));
    const cases = (await storeLaws(makeStore, { clock, seed })).filter(
      ({ clause }) => clause !== undefined,
    );
    const sorted = (ids: readonly string[]): string[] =>
      [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
    expect(sorted(storeMutants.map(({ caughtBy }) => caughtBy))).toEqual(
      sorted(cases.map(({ id }) => id)),
    );
  });
});

describe("a store of another library's rows", () => {
  /** It keeps data and an end, and counts nothing. */
  class ForeignStore extends PlainStore {
    override async save(
      ...[selector, change]: Parameters<PlainStore["save"]>
    ): Promise<SavedSession | undefined> {
      const { bump: _bump, meta: _meta, ...rest } = change;
      const saved = await super.save(selector, { ...rest, ...this.twist(rest) });
      const row = this.rows.get(selector);
      if (saved === undefined || row === undefined) return saved;
      this.rows.set(selector, { ...row, rev: 1, generation: 1 });
      return { ...saved, rev: 1, generation: 1 };
    }
    twist(_change: SessionChange): Partial<SessionChange> {
      return {};
    }
  }
  class Forgetful extends ForeignStore {
    override twist = ({ del }: SessionChange): Partial<SessionChange> => ({ del: del.slice(1) });
  }
  class Everlasting extends ForeignStore {
    override twist = ({ ttl }: SessionChange): Partial<SessionChange> => ({ ttl: 2 * ttl });
  }

  const contractOf = async (Store: new (now: () => number) => PlainStore) => {
    const clock = fakeClock();
    const makeStore = makerOf(() => new Store(clock.now));
    const cases = await storeLaws(makeStore, { clock, seed, foreignRows: true });
    return failures(
      cases.filter(({ clause, applies }) => clause !== undefined && applies === true),
    );
  };

  test("passes where nothing else is asked for, and only there", async () => {
    expect(await contractOf(ForeignStore)).toEqual([]);
    const clock = fakeClock();
    const makeStore = makerOf(() => new ForeignStore(clock.now));
    expect(await failures(await storeLaws(makeStore, { clock, seed }))).not.toEqual([]);
  });

  test.each([
    ["forgets a deletion", Forgetful],
    ["lets a session live on", Everlasting],
  ])("that %s fails by its histories", async (_, Store) => {
    expect(await contractOf(Store)).toContain("L8 histories: random ones agree with applyChange");
  });
});

describe("hosts with a fault", () => {
  test("the host that they are made of fails only where it has no error path of its own", async () => {
    expect(await failures(hostLaws(handmadeHost))).toEqual([]);
  });

  test.each(hostMutants)("one that $fault fails the law", async ({ caughtBy, makeServer }) => {
    const cases = hostLaws(makeServer).filter(({ id }) => caughtBy.includes(id));
    expect(await failures(cases)).toEqual(caughtBy);
  });
});
