// The list of a subject's sessions: what an application sees of it, and whose session it can end.
import { describe, expect, test } from "vitest";
import {
  destroySession,
  listSessions,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
  type AnySessionStore,
  type SessionStore,
  type SessionSummary,
} from "kocha-session";
import { freshKey, freshKeys } from "../../support/keys.ts";

const now = 1_790_000_000_000;

async function logIn(engine: SessionMiddleware, subject: string, label?: string): Promise<string> {
  const session = await engine.open(undefined);
  session.set("agent", `browser of ${subject}`);
  // The library's own, which a list doesn't show.
  session.flash.set("notice", "welcome");
  session.bind(subject, { label });
  await engine.commit(session);
  return session.id;
}

async function listOf(store: AnySessionStore, subject: string): Promise<SessionSummary[]> {
  const all: SessionSummary[] = [];
  for await (const one of listSessions(store, subject)) all.push(one);
  return all;
}

describe("the sessions of a subject", () => {
  const store = new SessionMemoryStore({ now: () => now });
  const engine = new SessionMiddleware({
    store,
    signingKey: freshKey(),
    sessionExpires: 60,
    now: () => now,
  });

  test("are listed with their times, their label and what they hold", async () => {
    const id = await logIn(engine, "ada", "phone");
    await logIn(engine, "bob");
    expect(await listOf(store, "ada")).toEqual([
      {
        id,
        createdAt: new Date(now),
        boundAt: new Date(now),
        expiresAt: new Date(now + 60_000),
        label: "phone",
        isDeviceBound: false,
        data: new Map([["agent", "browser of ada"]]),
      },
    ]);
    expect(await listOf(store, "nobody")).toEqual([]);
  });

  test("can be ended by their own subject alone", async () => {
    const id = await logIn(engine, "carol");
    expect(await destroySession(store, "bob", id)).toBe(false);
    expect(await destroySession(store, "carol", "AAAAAAAAAAAAAAAAAAAAAA")).toBe(false);
    expect(await listOf(store, "carol")).toHaveLength(1);
    expect(await destroySession(store, "carol", id)).toBe(true);
    expect(await listOf(store, "carol")).toEqual([]);
    expect(await destroySession(store, "carol", id)).toBe(false);
  });
});

test("a store that can't list says so", async () => {
  const store = new SessionCookieStore(freshKeys());
  await expect(listOf(store, "ada")).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG_STORE" });
});

test("a store that fails is a StoreError with its own error as the cause", async () => {
  const cause = new Error("down");
  const fail = async (): Promise<never> => {
    throw cause;
  };
  const store: SessionStore = {
    load: fail,
    save: fail,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
  };
  await expect(listOf(store, "ada")).rejects.toMatchObject({ operation: "list", cause });
  await expect(destroySession(store, "ada", "x")).rejects.toMatchObject({ status: 503, cause });
});

test("rows that someone else wrote are no sessions", async () => {
  const row = { data: new Map(), rev: 1, generation: 1, expires: Infinity, meta: "theirs" };
  const store: SessionStore = {
    load: () => row,
    save: () => undefined,
    async *list() {
      yield { id: "a", stored: row };
    },
  };
  expect(await listOf(store, "ada")).toEqual([]);
  expect(await destroySession(store, "ada", "a")).toBe(false);
});
