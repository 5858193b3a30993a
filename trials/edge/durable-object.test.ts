// Sessions in Durable Objects on real workerd: the laws, the log's laws, races, and what is left behind.
import { fileURLToPath } from "node:url";
import type { Miniflare } from "miniflare";
import { afterAll, describe, expect, test } from "vitest";
import type { SessionChange } from "../../src/index.ts";
import { durableRevocations, SessionDurableStore } from "../../src/stores/durable-object.ts";
import type { DurableNamespace } from "../../src/stores/durable/platform.ts";
import { DurableRevocationLog } from "../../src/stores/durable/revocations.ts";
import { SubjectLists } from "../../src/stores/durable/subject-lists.ts";
import { newSelector } from "../../src/testing/history.ts";
import { fakeClock, storeLaws } from "../../src/testing/index.ts";
import { describeLog } from "../../tests/stores/revocations/log-laws.ts";
import { until } from "../../tests/support/until.ts";
import { ourObjects } from "./objects.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const DAY_MS = 86_400_000;
const clockFile = fileURLToPath(new URL("workers/clock.mjs", import.meta.url));
const running: Miniflare[] = [];
afterAll(() => Promise.all(running.map((one) => one.dispose())));

const HOUR = 3_600_000;
let prefixes = 0;
const freshPrefix = (): string => `${++prefixes}.`;

/** The objects in a workerd of their own. */
async function startObjects(options: Parameters<typeof bundle>[1] = {}): Promise<{
  readonly miniflare: Miniflare;
  readonly sessions: DurableNamespace;
  readonly subjects: DurableNamespace;
  readonly revocations: DurableNamespace;
}> {
  const script = await bundle("objects.mjs", options);
  const miniflare = await start([
    {
      name: "objects",
      modules: true,
      script,
      compatibilityDate: COMPATIBILITY_DATE,
      durableObjects: ourObjects,
    },
  ]);
  running.push(miniflare);
  const namespace = async (name: keyof typeof ourObjects): Promise<DurableNamespace> => {
    const found: unknown = await miniflare.getDurableObjectNamespace(name);
    // Miniflare's own type has more to it.
    return found as DurableNamespace;
  };
  const names = Object.keys(ourObjects) as readonly (keyof typeof ourObjects)[];
  const [sessions, subjects, revocations] = await Promise.all(names.map(namespace));
  if (!sessions || !subjects || !revocations) throw new Error("not three kinds of objects");
  return { miniflare, sessions, subjects, revocations };
}

/** What an object has in its storage. */
interface Look {
  readonly entries: number;
  readonly bytes: number;
  /** Unix milliseconds; null: none is set. */
  readonly alarm: number | null;
}

/** @param name - a selector or a subject, of a store without a prefix. */
async function look(namespace: DurableNamespace, name: string): Promise<Look> {
  const stub = namespace.get(namespace.idFromName(`/${name}`));
  const answer = await stub.fetch("http://object/look", { method: "POST", body: "" });
  return JSON.parse(await answer.text()) as Look;
}

const nothing = { entries: 0, alarm: null };

function change(more: Partial<SessionChange>): SessionChange {
  return { op: "update", set: new Map(), del: [], ttl: HOUR, deadline: Infinity, ...more };
}

function creation(more: Partial<SessionChange> = {}): SessionChange {
  return change({ op: "create", meta: "m", set: new Map([["a", "1"]]), ...more });
}

async function listed(store: SessionDurableStore, subject: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.list?.(subject) ?? []) ids.push(id);
  return ids;
}

// Alarms go by the real clock: none is due while this one is turned.
const clock = fakeClock(Date.now() + DAY_MS);
const turned = await startObjects({ inject: [clockFile], define: { "Date.now": "turnedClock" } });
const tell = (): Promise<unknown> =>
  turned.miniflare.dispatchFetch(`http://turn/?now=${clock.now()}`);
await tell();
const advance = async (ms: number): Promise<void> => {
  await clock.advance(ms);
  await tell();
};
const real = await startObjects();

describe.each<[string, Pick<typeof turned, "sessions"> & Partial<typeof turned>, number]>([
  ["with subjects", { sessions: turned.sessions, subjects: turned.subjects }, 8],
  ["without subjects", { sessions: turned.sessions }, 2],
])("the store %s", async (name, bindings, runs) => {
  const makeStore = async () => ({
    store: new SessionDurableStore({ ...bindings, prefix: freshPrefix() }),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, {
    name: `Durable Objects ${name}`,
    clock: { now: clock.now, advance },
    seed: 42,
    runs,
  });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", ({ run }) => run());
});

describeLog({
  name: "Durable Object",
  makeLog: async (page) => {
    const name = freshPrefix();
    const namespace = real.revocations;
    return {
      log: new DurableRevocationLog(namespace, name, page),
      follow: (options) => durableRevocations({ namespace, name, ...options }),
      empty: async () => {
        const stub = namespace.get(namespace.idFromName(name));
        await stub.fetch("http://object/empty", { method: "POST", body: "" });
      },
    };
  },
});

describe("what an object leaves behind", () => {
  const store = new SessionDurableStore({ sessions: real.sessions, subjects: real.subjects });

  test("is nothing where there is no session, whatever it is asked", async () => {
    const untouched = await look(real.sessions, newSelector());
    const selector = newSelector();
    expect(await store.load(selector)).toBeUndefined();
    expect(await store.save(selector, change({ rev: 1 }))).toBeUndefined();
    expect(await store.save(selector, change({ rev: 1, subject: null }))).toBeUndefined();
    expect(await store.save(selector, change({ op: "destroy" }))).toBeDefined();
    expect(await look(real.sessions, selector)).toEqual(untouched);
    expect(untouched).toMatchObject(nothing);
  });

  test("is nothing of a subject without sessions", async () => {
    const untouched = await look(real.subjects, "nobody's");
    expect(await listed(store, "nobody")).toEqual([]);
    expect(await store.destroyAll?.("nobody")).toBe(0);
    expect(await look(real.subjects, "nobody")).toEqual(untouched);
  });

  test("is nothing after a session's destroy, in its subject's list too", async () => {
    const selector = newSelector();
    await store.save(selector, creation({ subject: "alice" }));
    expect(await look(real.sessions, selector)).toMatchObject({ entries: 1 });
    expect(await look(real.subjects, "alice")).toMatchObject({ entries: 1 });
    await store.save(selector, change({ op: "destroy" }));
    expect(await look(real.sessions, selector)).toMatchObject(nothing);
    expect(await look(real.subjects, "alice")).toMatchObject(nothing);
  });

  test("is nothing after a session's end, which its alarm brings", async () => {
    const selector = newSelector();
    const saved = await store.save(selector, creation({ ttl: 300 }));
    expect(await look(real.sessions, selector)).toMatchObject({ alarm: saved?.expires });
    await until("the alarm", async () => (await look(real.sessions, selector)).entries === 0);
    expect(await look(real.sessions, selector)).toMatchObject(nothing);
    expect(await store.load(selector)).toBeUndefined();
  });

  test.each([
    ["ASCII", "x".repeat(2_200_000)],
    ["other characters", "\u20ac".repeat(1_100_000)],
  ])("is what it had before a change of over 2 MB of %s", async (_, value) => {
    const selector = newSelector();
    await store.save(selector, creation());
    const set = new Map([["b", value]]);
    await expect(store.save(selector, change({ rev: 1, set }))).rejects.toMatchObject({
      code: "ERR_SESSION_LIMIT_SESSION",
      actual: expect.closeTo(2_200_000, -3),
    });
    expect(await store.load(selector)).toMatchObject({ rev: 1, data: new Map([["a", "1"]]) });
  });

  test("is one alarm, set again when it finds the session alive", async () => {
    const selector = newSelector();
    const created = await store.save(selector, creation({ ttl: 300 }));
    const renewed = await store.save(selector, change({ rev: 1, ttl: HOUR }));
    expect(renewed?.expires).toBeGreaterThan(created?.expires ?? Infinity);
    const alarm = async (): Promise<number | null> => (await look(real.sessions, selector)).alarm;
    await until("the next alarm", async () => (await alarm()) === renewed?.expires);
    expect(await store.load(selector)).toMatchObject({ expires: renewed?.expires });
  });

  test("is an earlier alarm where a barrier brings the end forward", async () => {
    const selector = newSelector();
    await store.save(selector, creation());
    const saved = await store.save(
      selector,
      change({ rev: 1, clear: true, meta: "n", ttl: 60_000 }),
    );
    expect(await look(real.sessions, selector)).toMatchObject({ alarm: saved?.expires });
  });

  test("is no alarm of a session that never ends", async () => {
    const selector = newSelector();
    await store.save(selector, creation({ ttl: Infinity, subject: "for ever" }));
    expect(await look(real.sessions, selector)).toMatchObject({ entries: 1, alarm: null });
    expect(await look(real.subjects, "for ever")).toMatchObject({ entries: 1, alarm: null });
    expect(await listed(store, "for ever")).toEqual([selector]);
  });

  test("is no record of a log past its end", async () => {
    const log = new DurableRevocationLog(real.revocations, freshPrefix());
    await log.append({ kind: "session", id: newSelector(), ttl: 1 });
    await until("the alarm", async () => (await log.read(undefined)).records.length === 0);
  });
});

describe("a subject's list", () => {
  const { sessions, subjects } = turned;

  test("has no place for a binding that was refused, and gives up the one before", async () => {
    const store = new SessionDurableStore({ sessions, subjects });
    const selector = newSelector();
    expect(await store.save(selector, change({ rev: 1, subject: "refused" }))).toBeUndefined();
    expect(await look(subjects, "refused")).toMatchObject(nothing);
    await store.save(selector, creation({ subject: "first" }));
    await store.save(selector, change({ rev: 1, subject: "second", meta: "n" }));
    expect(await look(subjects, "first")).toMatchObject(nothing);
    expect(await listed(store, "second")).toEqual([selector]);
    await store.save(selector, change({ rev: 2, subject: null, meta: "o" }));
    expect(await look(subjects, "second")).toMatchObject(nothing);
  });

  test("keeps a place that was never bound for as long as a save can take", async () => {
    const store = new SessionDurableStore({ sessions, subjects });
    const lists = new SubjectLists(subjects, "/");
    const end = { span: DAY_MS, expires: 0, deadline: Infinity };
    const claim = await lists.claim("late", newSelector(), end);
    expect(claim.until).toBe(clock.now() + DAY_MS);
    expect(await listed(store, "late")).toEqual([]);
    expect(await look(subjects, "late")).toMatchObject({ entries: 1 });
    await advance(HOUR);
    expect(await listed(store, "late")).toEqual([]);
    expect(await look(subjects, "late")).toMatchObject(nothing);
  });

  test("has one place of a session that is renewed past the end of the first", async () => {
    const store = new SessionDurableStore({ sessions, subjects });
    const selector = newSelector();
    await store.save(selector, creation({ subject: "renewed" }));
    for (const ttl of [HOUR, 5 * HOUR, 20 * HOUR]) {
      await store.save(selector, change({ rev: 1, ttl }));
      await advance(ttl - 1);
      expect(await listed(store, "renewed")).toEqual([selector]);
      expect(await look(subjects, "renewed")).toMatchObject({ entries: 1 });
    }
  });

  test("finds a session that was bound before there were lists at its next write", async () => {
    const without = new SessionDurableStore({ sessions });
    const store = new SessionDurableStore({ sessions, subjects });
    expect([without.list, without.destroyAll]).toEqual([undefined, undefined]);
    const selector = newSelector();
    await without.save(selector, creation({ subject: "early" }));
    expect(await listed(store, "early")).toEqual([]);
    await store.save(selector, change({ rev: 1, set: new Map([["b", "2"]]) }));
    expect(await listed(store, "early")).toEqual([selector]);
    expect(await store.destroyAll?.("early")).toBe(1);
    expect(await look(subjects, "early")).toMatchObject(nothing);
  });
});

describe("a binding of another kind", async () => {
  const script = `${await bundle("objects.mjs")}
    export class Stranger { fetch() { return new Response("hello"); } }`;
  const miniflare = await start([
    {
      name: "objects",
      modules: true,
      script,
      compatibilityDate: COMPATIBILITY_DATE,
      durableObjects: { PLAIN: { className: "SessionObject" }, STRANGER: "Stranger" },
    },
  ]);
  running.push(miniflare);

  test.each([
    ["PLAIN", "ERR_SESSION_STORE_FAILED", "new_sqlite_classes"],
    ["STRANGER", "ERR_SESSION_STORE_ANSWER", "is the binding that of the right class?"],
  ])("%s is told", async (name, code, message) => {
    const sessions = (await miniflare.getDurableObjectNamespace(
      name,
    )) as unknown as DurableNamespace;
    const store = new SessionDurableStore({ sessions });
    const error = store.load(newSelector());
    await expect(error).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
