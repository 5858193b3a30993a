// fromExpressStore around the stores that people have: connect-redis, connect-pg-simple and
// memorystore, each for real.
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session, { MemoryStore, type SessionData } from "express-session";
import createMemoryStore from "memorystore";
import pg from "pg";
import { createClient } from "redis";
import { type ExpressSessionStore, fromExpressStore } from "kocha-session/express-store";
import { fakeClock, storeLaws } from "kocha-session/testing";
import { afterAll, describe, expect, test } from "vitest";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { warningsOf } from "../support/warnings.ts";

const clock = fakeClock(Date.now());
const redis = await startRedis();
const postgres = await startPostgres();
const client = createClient({ url: redis.url });
await client.connect();
const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });

afterAll(async () => {
  await client.close();
  await pool.end();
  await redis.close();
  await postgres.close();
});

const PgStore = connectPgSimple(session);
const MemoryLruStore = createMemoryStore(session);
const pgStore = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false });

const stores: Readonly<Record<string, ExpressSessionStore>> = {
  "connect-redis": new RedisStore({ client }),
  "connect-pg-simple": pgStore,
  memorystore: new MemoryLruStore({ checkPeriod: 86_400_000 }),
  "express-session's MemoryStore": new MemoryStore(),
};

describe.each(Object.entries(stores))("%s", async (name, store) => {
  const makeStore = async () => ({
    store: fromExpressStore(store, { acceptRaces: true, now: clock.now }),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, {
    name: `fromExpressStore(${name})`,
    clock,
    seed: 42,
    runs: 15,
  });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());

  test("a session without an end is there tomorrow", async () => {
    const wrapped = fromExpressStore(store);
    const selector = `ever-${name.replace(/\W/g, "")}`;
    const base = { op: "create", set: new Map([["a", "1"]]), del: [], meta: "m" } as const;
    await wrapped.save(selector, { ...base, ttl: Infinity, deadline: Infinity });
    expect((await wrapped.load(selector))?.expires).toBe(Infinity);
  });

  test("a session that express-session wrote is none of ours", async () => {
    const cookie = {
      originalMaxAge: 60_000,
      expires: new Date(Date.now() + 60_000),
      maxAge: 60_000,
    };
    const theirs = { cookie, user: "alice" } as unknown as SessionData;
    await new Promise((resolve) => store.set("theirs", theirs as never, resolve));
    expect(await fromExpressStore(store).load("theirs")).toBeUndefined();
  });
});

describe("what the stores keep for us", () => {
  test("connect-redis gives the key a time to live, also for a session without an end", async () => {
    const store = fromExpressStore(new RedisStore({ client, prefix: "ttl:" }));
    const base = { op: "create", set: new Map(), del: [], deadline: Infinity, meta: "m" } as const;
    await store.save("hour", { ...base, ttl: 3_600_000 });
    await store.save("ever", { ...base, ttl: Infinity });
    expect(await client.ttl("ttl:hour")).toBeGreaterThan(3600);
    expect(await client.ttl("ttl:ever")).toBeGreaterThan(300 * 86_400);
  });

  test("connect-pg-simple's rows end when they should, so that its own pruning is right", async () => {
    const store = fromExpressStore(pgStore);
    const base = { op: "create", set: new Map(), del: [], deadline: Infinity, meta: "m" } as const;
    await store.save("pruned", { ...base, ttl: 3_600_000 });
    const { rows } = await pool.query<{ left: string }>(
      "SELECT extract(epoch FROM expire - now()) AS left FROM session WHERE sid = 'pruned'",
    );
    expect(Number(rows[0]?.left)).toBeGreaterThan(3600);
    expect(Number(rows[0]?.left)).toBeLessThan(3700);
  });
});

describe("races", () => {
  test("within one process there are none", async () => {
    const visitor = new Visitor(fromExpressStore(new RedisStore({ client })));
    await visitor.visit((visit) => visit.set("base", "0"));
    const keys = Array.from({ length: 16 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => visitor.visit((visit) => visit.set(key, key))));
    const found = await visitor.visit((visit) => [...visit.keys()]);
    expect(found.toSorted()).toEqual([...keys, "base"].toSorted());
  });

  test("it says once that between processes there are, and not to those who know", async () => {
    const said = await warningsOf(`
      const { fromExpressStore } = await import("kocha-session/express-store");
      const store = { get() {}, set() {}, destroy() {} };
      fromExpressStore(store, { acceptRaces: true });
      for (let n = 0; n < 3; n++) fromExpressStore(store);
    `);
    expect(said).toEqual(["KOCHA_SESSION_NOT_ATOMIC"]);
    expect(fromExpressStore(new MemoryStore()).capabilities?.atomic).toBe(false);
  });
});

describe("a store that fails", () => {
  const failing = (fail: (done: (error?: unknown) => void) => unknown): ExpressSessionStore => ({
    get: (_sid, done) => fail(done),
    set: (_sid, _session, done) => fail(done),
    destroy: (_sid, done) => fail(done),
  });

  test.each([
    ["calls back with an error", (done: (error?: unknown) => void) => done(new Error("down"))],
    ["calls back with no Error", (done: (error?: unknown) => void) => done("down")],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("down"))],
  ])("and %s is a StoreError", async (_how, fail) => {
    const visitor = new Visitor(fromExpressStore(failing(fail)));
    await expect(visitor.visit((visit) => visit.set("a", "1"))).rejects.toMatchObject({
      name: "StoreError",
      operation: "save",
    });
  });

  test("a file store's missing file is a missing session, but a missing folder is no save", async () => {
    const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
    const store = fromExpressStore(failing((done) => done(missing)));
    expect(await store.load("row")).toBeUndefined();
    const base = { set: new Map(), del: [], ttl: 1000, deadline: Infinity } as const;
    expect(await store.save("row", { op: "destroy", ...base })).toBeDefined();
    await expect(store.save("row", { op: "create", meta: "m", ...base })).rejects.toBe(missing);
  });

  test("a thing that is no store is refused by name", () => {
    for (const store of [undefined, null, {}, new Map()]) {
      expect(thrownBy(() => fromExpressStore(store as ExpressSessionStore))).toMatchObject({
        code: "ERR_SESSION_CONFIG_STORE",
        field: "store",
      });
    }
  });
});
