// The store of Durable Objects, on its own classes in this process; trials/edge has them on workerd.
import { LimitError } from "kocha-session";
import {
  durableRevocations,
  type DurableNamespace,
  RevocationObject,
  SessionDurableStore,
  type SessionDurableStoreOptions,
  SessionObject,
  SubjectObject,
} from "kocha-session/durable-object";
import { fakeClock, storeLaws } from "kocha-session/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DurableRevocationLog } from "../../src/stores/durable/revocations.ts";
import { newSelector } from "../../src/testing/history.ts";
import { localNamespace, type LocalNamespace } from "../support/durable-objects.ts";
import { change, creation } from "./sql.ts";

const clock = fakeClock();

function bindings(): { readonly sessions: LocalNamespace; readonly subjects: LocalNamespace } {
  return { sessions: localNamespace(SessionObject), subjects: localNamespace(SubjectObject) };
}

describe("the laws", async () => {
  // The objects' own clock.
  beforeAll(() => void vi.spyOn(Date, "now").mockImplementation(clock.now));
  afterAll(() => vi.restoreAllMocks());

  const makeStore = async () => {
    const { sessions, subjects } = bindings();
    const hang = (): (() => void) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      sessions.before = async (body) => {
        if (!body.includes('"op":"update"')) return;
        sessions.before = () => undefined;
        await released;
      };
      return release;
    };
    return { store: new SessionDurableStore({ sessions, subjects }), hang, close: () => undefined };
  };
  const cases = await storeLaws(makeStore, { name: "Durable Objects", clock, seed: 42 });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());
});

describe("the calls", () => {
  test("of an unknown session, and of an unknown subject, write nothing", async () => {
    const { sessions, subjects } = bindings();
    const store = new SessionDurableStore({ sessions, subjects });
    const selector = newSelector();
    await store.load(selector);
    await store.save(selector, change({ rev: 1, subject: "alice" }));
    await store.save(selector, change({ op: "destroy" }));
    await store.destroyAll?.("bob");
    for (const { entries, alarm } of [...sessions.objects.values(), ...subjects.objects.values()]) {
      expect([entries.size, alarm]).toEqual([0, null]);
    }
    expect([sessions.objects.size, subjects.objects.size]).toEqual([1, 2]);
  });

  test("of a name that is no selector reach no object", async () => {
    const { sessions } = bindings();
    const store = new SessionDurableStore({ sessions });
    expect(await store.load("a b")).toBeUndefined();
    expect(await store.save("a b", creation({}))).toBeUndefined();
    expect(sessions.objects.size).toBe(0);
  });

  test("are refused with a version, a call or a field that the object doesn't know", async () => {
    const { sessions } = bindings();
    const ask = async (body: object): Promise<unknown> => {
      const stub = sessions.get(sessions.idFromName("x"));
      const answer = await stub.fetch("http://x/", { method: "POST", body: JSON.stringify(body) });
      return JSON.parse(await answer.text()) as unknown;
    };
    const plain = { op: "create", set: [["a", "1"]], del: [], ttl: 1000, deadline: null };
    const save = { v: 1, call: "save", lists: false };
    const refusals: readonly (readonly [object, string])[] = [
      [{ v: 2, call: "load" }, "version 2 of the calls, only 1"],
      [{ call: "load" }, "version undefined of the calls, only 1"],
      [{ v: 1, call: "toString" }, "the call toString"],
      [{ v: 1, call: "load", peek: true }, "the field peek of load"],
      [{ ...save, change: { ...plain, unless: [] } }, "the field unless of a change"],
      [{ ...save, change: plain, soon: 1 }, "the field soon of save"],
    ];
    for (const [body, refused] of refusals) {
      expect(await ask(body)).toEqual({
        v: 1,
        refused: `SessionObject doesn't know ${refused}; deploy the worker and its objects from one version of kocha-session`,
      });
    }
    expect(sessions.objects.get("x")?.entries.size).toBe(0);
    expect(await ask({ ...save, change: plain })).toMatchObject({ v: 1, answer: { rev: 1 } });
  });

  test("of an entry of the log, too", async () => {
    const log = new DurableRevocationLog(localNamespace(RevocationObject), "log");
    const entry = { kind: "session", id: newSelector(), ttl: 1000, scope: "all" } as const;
    await expect(log.append(entry)).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_FAILED",
      operation: "revoke",
      message: expect.stringContaining("doesn't know the field scope of an entry"),
    });
    expect((await log.read(undefined)).records).toEqual([]);
  });

  test.each([
    ["not JSON", "ERR_SESSION_STORE_ANSWER"],
    ['{"hello": 1}', "ERR_SESSION_STORE_ANSWER"],
    ['{"v": 2, "answer": null}', "ERR_SESSION_STORE_FAILED"],
    ['{"v": 1, "refused": "SessionObject is older"}', "ERR_SESSION_STORE_FAILED"],
  ])("that are answered with %s are errors", async (text, code) => {
    const sessions: DurableNamespace = {
      idFromName: (name) => name,
      get: () => ({ fetch: async () => new Response(text) }),
    };
    const store = new SessionDurableStore({ sessions });
    await expect(store.load(newSelector())).rejects.toMatchObject({ code, operation: "load" });
  });

  test("that are answered with an outcome of another version are errors, and no refusal", async () => {
    const sessions: DurableNamespace = {
      idFromName: (name) => name,
      get: () => ({
        fetch: async () => new Response('{"v": 1, "answer": {"outcome": "postponed"}}'),
      }),
    };
    const store = new SessionDurableStore({ sessions });
    await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_ANSWER",
      operation: "save",
    });
  });

  test.each([
    ["ASCII", "x".repeat(3_000_000), 3_000_000],
    ["other characters", "\u20ac".repeat(1_100_000), 2_200_000],
  ])("that would keep over 2 MB of %s change nothing, and say so", async (_, value, bytes) => {
    const { sessions, subjects } = bindings();
    const store = new SessionDurableStore({ sessions, subjects });
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    const bound = { set: new Map([["basket", value]]), subject: "alice", meta: "m" };
    const failure: unknown = await store
      .save(selector, change(bound))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LimitError);
    expect(failure).toMatchObject({ code: "ERR_SESSION_LIMIT_SESSION", limit: 2_000_000 });
    const { actual, message } = failure as LimitError;
    expect(actual).toBeGreaterThan(bytes);
    expect(actual).toBeLessThan(bytes + 200);
    expect(message).not.toContain("basket");
    expect(await store.load(selector)).toMatchObject({ rev: 1, data: new Map([["a", "1"]]) });
    expect(subjects.objects.get("/alice")?.entries.size).toBe(0);
  });

  test("fail with the object's own error as the cause", async () => {
    const { sessions, subjects } = bindings();
    const cause = new Error("the object was reset");
    subjects.before = () => Promise.reject(cause);
    const store = new SessionDurableStore({ sessions, subjects });
    const code = "ERR_SESSION_STORE_FAILED";
    const bound = store.save(newSelector(), creation({}, { subject: "alice" }));
    await expect(bound).rejects.toMatchObject({ code, cause, operation: "save" });
    const ended = store.destroyAll?.("alice");
    await expect(ended).rejects.toMatchObject({ code, cause, operation: "destroyAll" });
  });
});

describe("an alarm", () => {
  test("ends the session and is set again where it was renewed", async () => {
    const { sessions } = bindings();
    const store = new SessionDurableStore({ sessions });
    const selector = newSelector();
    await store.save(selector, creation({}, { ttl: 60_000 }));
    const renewed = await store.save(selector, change({ rev: 1, ttl: 3_600_000 }));
    const object = sessions.objects.get(`/${selector}`);
    await object?.ring();
    expect(object?.alarm).toBe(renewed?.expires);
    await store.save(selector, change({ rev: 1, clear: true, meta: "n", ttl: 0 }));
    await object?.ring();
    expect([object?.entries.size, object?.alarm]).toEqual([0, null]);
  });

  test("of a subject removes the places whose end has passed", async () => {
    const { sessions, subjects } = bindings();
    const store = new SessionDurableStore({ sessions, subjects });
    const begun = Date.now();
    await store.save(newSelector(), creation({}, { ttl: 1000, subject: "alice" }));
    await store.save(newSelector(), creation({}, { ttl: 3_600_000, subject: "alice" }));
    const object = subjects.objects.get("/alice");
    const now = vi.spyOn(Date, "now");
    for (const [after, left] of [
      [0, 2],
      [1_800_000, 1],
      [36_000_000, 0],
    ] as const) {
      now.mockReturnValue(begun + after);
      await object?.ring();
      expect(object?.entries.size).toBe(left);
      expect(object?.alarm === null).toBe(left === 0);
    }
    now.mockRestore();
  });

  test("of a log removes what has ended, and comes again for the rest", async () => {
    const namespace = localNamespace(RevocationObject);
    const log = new DurableRevocationLog(namespace, "log");
    const begun = Date.now();
    await log.append({ kind: "session", id: newSelector(), ttl: 1000 });
    const { record } = await log.append({ kind: "subject", id: "alice", ttl: 3_600_000 });
    const object = namespace.objects.get("log");
    const now = vi.spyOn(Date, "now").mockReturnValue(begun + 60_000);
    await object?.ring();
    expect((await log.read(undefined)).records).toEqual([record]);
    expect(object?.alarm).toBe(record.until);
    now.mockReturnValue(begun + 7_200_000);
    await object?.ring();
    expect((await log.read(undefined)).records).toEqual([]);
    expect(object?.alarm).toBeNull();
    now.mockRestore();
  });
});

test("applications that share bindings share no list, whatever their subjects are called", async () => {
  const shared = bindings();
  const one = new SessionDurableStore({ ...shared, prefix: "app" });
  const other = new SessionDurableStore({ ...shared, prefix: "app2" });
  await other.save(newSelector(), creation({}, { subject: "alice" }));
  const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 1_000_000);
  // It would take the place of the other application's session for a stale one.
  expect(await one.destroyAll?.("2alice")).toBe(0);
  now.mockRestore();
  expect(await other.destroyAll?.("alice")).toBe(1);
});

describe("a subject's list over the platform's limit of calls in one request", () => {
  const SESSIONS = 150;
  const limit = 80;

  /** A store with `alice`'s sessions, whose requests the platform stops after `limit` calls. */
  async function limited() {
    const { sessions, subjects } = bindings();
    const store = new SessionDurableStore({ sessions, subjects });
    const selectors = Array.from({ length: SESSIONS }, () => newSelector());
    const created = creation({}, { subject: "alice" });
    await Promise.all(selectors.map((selector) => store.save(selector, created)));
    let left = Infinity;
    for (const namespace of [sessions, subjects]) {
      namespace.before = () => {
        if (--left < 0) throw new Error("Too many subrequests.");
      };
    }
    const request = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
      left = limit;
      return work().catch(() => undefined);
    };
    return { sessions, subjects, store, selectors, request };
  }

  test("is ended by as many requests as it takes", async () => {
    const { store, sessions, request } = await limited();
    const ends: (number | undefined)[] = [];
    while (ends.length < 6) ends.push(await request(async () => store.destroyAll?.("alice")));
    expect(ends.at(-1)).toBe(0);
    expect([...sessions.objects.values()].filter(({ entries }) => entries.size > 0)).toEqual([]);
  });

  test("is rid of stale places by as many, and is then read", async () => {
    const { store, sessions, subjects, selectors, request } = await limited();
    const [alive = "", ...gone] = selectors;
    // Sessions that came to their end leave their places behind.
    for (const selector of gone) sessions.objects.get(`/${selector}`)?.entries.clear();
    const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 1_000_000);
    const list = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { id } of store.list?.("alice") ?? []) ids.push(id);
      return ids;
    };
    const lists: (string[] | undefined)[] = [];
    while (lists.length < 6) lists.push(await request(list));
    now.mockRestore();
    expect(lists.at(-1)).toEqual([alive]);
    expect(subjects.objects.get("/alice")?.entries.size).toBe(1);
  });
});

describe("options", () => {
  test.each([
    [{}, "sessions: must be the binding of the Durable Object class SessionObject"],
    [{ sessions: { get: 1 } }, "sessions: must be the binding"],
    [{ ...bindings(), subjects: "SUBJECTS" }, "subjects: must be the binding"],
    [{ ...bindings(), prefix: 1 }, "prefix: must be a string without a slash, not 1"],
    [{ ...bindings(), prefix: "a/" }, "prefix: must be a string without a slash"],
    [{ ...bindings(), client: {} }, "client: is not an option of SessionDurableStore"],
  ])("%# are refused", (options, message) => {
    const wrong = options as unknown as SessionDurableStoreOptions;
    expect(() => new SessionDurableStore(wrong)).toThrow(message);
  });

  test("of revocations are refused, too", () => {
    expect(() => durableRevocations({} as never)).toThrow("namespace: must be the binding");
    const name = 1 as unknown as string;
    const namespace = localNamespace(RevocationObject);
    expect(() => durableRevocations({ namespace, name })).toThrow("name: must be a string");
  });
});
