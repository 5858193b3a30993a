// The store interface as somebody who writes a store meets it: what the compiler asks of them, and
// what it lets them leave out.
import {
  type AnySessionStore,
  applyChange,
  type Awaitable,
  type SavedSession,
  type SessionCookieStore,
  type SessionChange,
  type SessionConfig,
  SessionMemoryStore,
  type SessionStore,
  type StoredSession,
  toSaved,
} from "kocha-session";
import type {
  OpenedSession,
  SealedRemains,
  SealedSessionStore,
  SealedWrite,
} from "kocha-session/contract";
import { type MakeStore, storeLaws } from "kocha-session/testing";
import { describe, expectTypeOf, test } from "vitest";

declare const change: SessionChange;
declare const stored: StoredSession;

describe("a store of one's own", () => {
  test("two methods are enough, at once or later", () => {
    const now: SessionStore = { load: () => undefined, save: () => undefined };
    const later: SessionStore = { load: async () => undefined, save: async () => undefined };
    expectTypeOf(now.load).returns.toEqualTypeOf<Awaitable<StoredSession | undefined>>();
    expectTypeOf(later.save).returns.toEqualTypeOf<Awaitable<SavedSession | undefined>>();
  });

  test("the naive one, over applyChange, needs no cast", () => {
    const rows = new Map<string, StoredSession>();
    class Naive implements SessionStore {
      load(selector: string): StoredSession | undefined {
        return rows.get(selector);
      }
      save(selector: string, asked: SessionChange): SavedSession | undefined {
        const { refused, stored: next } = applyChange(rows.get(selector), asked, Date.now());
        if (refused) return undefined;
        if (next === undefined) rows.delete(selector);
        else rows.set(selector, next);
        return toSaved(next);
      }
    }
    expectTypeOf<Naive>().toExtend<SessionStore>();
    expectTypeOf(applyChange).parameters.toEqualTypeOf<
      [StoredSession | undefined, SessionChange, number]
    >();
  });

  test("what is missing or wrong is told", () => {
    // @ts-expect-error there is no save
    const half: SessionStore = { load: () => undefined };
    // @ts-expect-error a row is a Map in a frame, no plain object
    const plain: SessionStore = { load: () => ({ name: "alice" }), save: () => undefined };
    // @ts-expect-error "not there" is undefined
    const nullish: SessionStore = { load: () => null, save: () => undefined };
    // @ts-expect-error a save says what it saved
    const silent: SessionStore = { load: () => undefined, save: () => true };
    const number: SessionStore = {
      // @ts-expect-error a key is a string
      load: (key: number) => (key === 1 ? undefined : undefined),
      save: () => undefined,
    };
    void [half, plain, nullish, silent, number];
  });

  test("what it is given and what it keeps is read-only", () => {
    expectTypeOf(change.set).toEqualTypeOf<ReadonlyMap<string, string>>();
    expectTypeOf(change.del).toEqualTypeOf<readonly string[]>();
    expectTypeOf(change.op).toEqualTypeOf<"create" | "update" | "destroy">();
    // @ts-expect-error the request still looks at it
    change.set.set("a", "1");
    // @ts-expect-error and at this
    change.del.push("a");
    // @ts-expect-error the engine's copy
    stored.data.set("a", "1");
    // @ts-expect-error the fence is the store's answer
    stored.rev = 2;
  });

  test("capabilities and the optional methods", () => {
    const full: SessionStore = {
      load: () => undefined,
      save: () => undefined,
      capabilities: { atomic: true },
      async *list() {
        yield { id: "…", stored };
      },
      destroyAll: async (_subject, { except } = {}) => (except === undefined ? 0 : 1),
      sweep: async (limit) => limit,
    };
    const boastful: SessionStore = {
      load: () => undefined,
      save: () => undefined,
      // @ts-expect-error no such promise
      capabilities: { fast: true },
    };
    const listing: SessionStore = {
      load: () => undefined,
      save: () => undefined,
      // @ts-expect-error an iterable that is awaited, so that a store needs no memory for it
      list: () => [{ id: "…", stored }],
    };
    void [full, boastful, listing];
  });
});

describe("our own stores", () => {
  test("are stores; the cookie store is a sealed one", () => {
    expectTypeOf<SessionMemoryStore>().toExtend<SessionStore>();
    expectTypeOf<SessionCookieStore>().toExtend<SealedSessionStore>();
    expectTypeOf<SessionMemoryStore>().not.toExtend<SealedSessionStore>();
    expectTypeOf<SealedSessionStore>().not.toExtend<SessionStore>();
    expectTypeOf<SessionStore>().not.toExtend<SealedSessionStore>();
    expectTypeOf<SessionConfig["store"]>().toEqualTypeOf<AnySessionStore>();
    expectTypeOf<SessionMemoryStore["close"]>().toEqualTypeOf<() => void>();
  });

  test("a sealed store opens and writes at once, never later", () => {
    expectTypeOf<SealedSessionStore["open"]>().returns.toEqualTypeOf<
      OpenedSession | SealedRemains | undefined
    >();
    expectTypeOf<SealedSessionStore["write"]>().returns.toEqualTypeOf<SealedWrite | undefined>();
  });
});

describe("the conformance kit", () => {
  test("takes what makes a store, and gives cases", () => {
    const makeStore: MakeStore = async () => ({
      store: new SessionMemoryStore(),
      close: () => undefined,
    });
    expectTypeOf(storeLaws(makeStore)).resolves.items.toHaveProperty("run");
    // @ts-expect-error a fresh store for each case, with its close
    void storeLaws(new SessionMemoryStore());
  });
});
