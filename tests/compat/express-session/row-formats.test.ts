// The rows of connect-redis and connect-pg-simple by their own rules, as rowStore reads and writes them:
// ends, prefixes, serializers, tables, and what happens between two processes.
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session, { MemoryStore } from "express-session";
import { Redis } from "ioredis";
import pg from "pg";
import { createClient } from "redis";
import type { SessionChange, SessionStore } from "kocha-session";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type ExpressSessionStore,
  rowStore,
} from "../../../src/compat/express-session/row-store.ts";
import { startPostgres } from "../../support/servers/postgres.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { warningsOf } from "../../support/warnings.ts";

const redis = await startRedis();
const postgres = await startPostgres();
const client = createClient({ url: redis.url });
await client.connect();
const pool = new pg.Pool({ connectionString: postgres.url, max: 8 });
const PgStore = connectPgSimple(session);

afterAll(async () => {
  await client.close();
  await pool.end();
  await redis.close();
  await postgres.close();
});

const HOUR = 3_600_000;
const none = { set: new Map<string, string>(), del: [], ttl: 0, deadline: Infinity } as const;
const update: SessionChange = { op: "update", rev: 1, ...none };
const writing = (key: string, value: unknown = key): SessionChange => ({
  ...update,
  set: new Map([[key, JSON.stringify(value)]]),
});
let sids = 0;
const newSid = (): string => `sid${++sids}`;
const cookieText = (ms: number, originalMaxAge = HOUR): string =>
  JSON.stringify({ originalMaxAge, expires: new Date(Date.now() + ms), httpOnly: true, path: "/" });
const rowText = (ms: number): string => `{"cookie":${cookieText(ms)},"a":1}`;
const creating = (ms: number): SessionChange => ({
  ...none,
  op: "create",
  ttl: ms,
  set: new Map([["cookie", cookieText(ms, ms)]]),
});

describe("connect-redis", () => {
  const leftOf = (key: string): Promise<number> => client.pTTL(key);

  test("what it touched lives by its time to live, whatever its JSON says", async () => {
    const ours = rowStore(new RedisStore({ client }));
    const sid = newSid();
    await client.set(`sess:${sid}`, rowText(-60_000), { expiration: { type: "EX", value: 7200 } });
    const loaded = await ours.load(sid);
    expect(loaded?.data.get("a")).toBe("1");
    expect((loaded?.expires ?? 0) - Date.now()).toBeGreaterThan(7_190_000);
    await ours.save(sid, writing("b"));
    expect(await leftOf(`sess:${sid}`)).toBeGreaterThan(7_190_000);
    const { cookie, ...rest } = JSON.parse((await client.get(`sess:${sid}`)) ?? "");
    expect(rest).toEqual({ a: 1, b: "b" });
    expect(new Date(cookie.expires).getTime() - Date.now()).toBeGreaterThan(7_190_000);
  });

  test("a renewal is its touch: the text stays, and disableTouch holds", async () => {
    const sid = newSid();
    for (const disableTouch of [false, true]) {
      const ours = rowStore(new RedisStore({ client, disableTouch }));
      const text = rowText(HOUR);
      await client.set(`sess:${sid}`, text, { expiration: { type: "EX", value: 3600 } });
      expect(await ours.save(sid, { ...update, ttl: 2 * HOUR })).toBeDefined();
      expect(await client.get(`sess:${sid}`)).toBe(text);
      const left = await leftOf(`sess:${sid}`);
      expect(left > 1.9 * HOUR).toBe(!disableTouch);
    }
  });

  test.each<[string, object, number]>([
    ["the cookie's end", {}, HOUR],
    ["no end, with disableTTL", { disableTTL: true }, -1],
    ["a function's", { ttl: () => 60 }, 60_000],
  ])("the time to live is %s", async (_, options, wanted) => {
    const ours = rowStore(new RedisStore({ client, ...options }));
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    await ours.save(sid, writing("b"));
    const left = await leftOf(`sess:${sid}`);
    expect(left).toBeLessThanOrEqual(wanted);
    expect(left).toBeGreaterThan(wanted - 10_000);
    expect((await ours.load(sid))?.data.get("b")).toBe('"b"');
  });

  test("a row whose cookie has no end lives for its ttl", async () => {
    const ours = rowStore(new RedisStore({ client, ttl: 60 }));
    const sid = newSid();
    const set = new Map([["cookie", '{"originalMaxAge":null,"expires":null}']]);
    await ours.save(sid, { ...none, op: "create", ttl: Infinity, set });
    expect(await leftOf(`sess:${sid}`)).toBeGreaterThan(50_000);
    await client.expire(`sess:${sid}`, 30);
    await ours.save(sid, writing("a"));
    expect(await leftOf(`sess:${sid}`)).toBeLessThan(31_000);
    await ours.save(sid, { ...update, ttl: Infinity });
    expect(await leftOf(`sess:${sid}`)).toBeGreaterThan(50_000);
  });

  test("a function that gives no time removes the row", async () => {
    let left = 60;
    const ours = rowStore(new RedisStore({ client, ttl: () => left }));
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    left = 0;
    expect(await ours.save(sid, writing("a"))).toBeDefined();
    expect(await ours.load(sid)).toBeUndefined();
  });

  test("its prefix and its serializer are used, also one that takes a while", async () => {
    const serializer = {
      parse: async (text: string) => JSON.parse(Buffer.from(text, "base64").toString()),
      stringify: (value: object) => Buffer.from(JSON.stringify(value)).toString("base64"),
    };
    const theirs = new RedisStore({ client, prefix: "my:", serializer });
    const ours = rowStore(theirs);
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    await ours.save(sid, writing("a"));
    expect(await client.exists(`my:${sid}`)).toBe(1);
    expect(await theirs.get(sid)).toMatchObject({ a: "a" });
  });

  test("a text that is no row is no session, and stays what it is", async () => {
    const ours = rowStore(new RedisStore({ client }));
    for (const text of ["{", "[]", "1", "null", ""]) {
      const sid = newSid();
      await client.set(`sess:${sid}`, text);
      expect(await ours.load(sid)).toBeUndefined();
      expect(await ours.save(sid, writing("a"))).toBeUndefined();
      expect(await client.get(`sess:${sid}`)).toBe(text);
    }
  });

  test.each([
    "1",
    "[]",
    "{}",
    '{"expires":{"toString":1,"valueOf":1}}',
    '{"expires":"never","originalMaxAge":"long"}',
    '{"expires":1e400,"originalMaxAge":1e400}',
    '{"expires":[],"originalMaxAge":-1}',
    '{"__proto__":{"expires":1},"constructor":null}',
  ])("a row whose cookie is %s is alive, and changes", async (cookie) => {
    const ours = rowStore(new RedisStore({ client }));
    const sid = newSid();
    const row = `{"cookie":${cookie},"a":1}`;
    await client.set(`sess:${sid}`, row, { expiration: { type: "EX", value: 60 } });
    expect((await ours.load(sid))?.data.get("a")).toBe("1");
    expect(await ours.save(sid, writing("b"))).toBeDefined();
    expect(await ours.save(sid, { ...update, ttl: 120_000 })).toBeDefined();
    const { cookie: _, ...rest } = JSON.parse((await client.get(`sess:${sid}`)) ?? "");
    expect(rest).toEqual({ a: 1, b: "b" });
  });

  test("a client of ioredis, and one that connects later, are asked as they are", async () => {
    const ioredis = new Redis(redis.url);
    const later = createClient({ url: redis.url });
    for (const one of [ioredis, later]) {
      const ours = rowStore(new RedisStore({ client: one }));
      expect(ours.capabilities?.atomic).toBe(true);
      if (one === later) await later.connect();
      const sid = newSid();
      await ours.save(sid, creating(HOUR));
      await ours.save(sid, writing("a"));
      expect((await ours.load(sid))?.data.get("a")).toBe('"a"');
      await ours.save(sid, { ...none, op: "destroy" });
      expect(await ours.load(sid)).toBeUndefined();
    }
    ioredis.disconnect();
    await later.close();
  });
});

describe("connect-pg-simple", () => {
  const pgSimple = (options: object = {}) =>
    new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false, ...options });
  const leftOf = async (sid: string, from: pg.Pool = pool): Promise<number> => {
    const text =
      "SELECT extract(epoch FROM expire::timestamptz - now()) AS s FROM session WHERE sid = $1";
    const { rows } = await from.query<{ s: string }>(text, [sid]);
    return Number(rows[0]?.s) * 1000;
  };

  test("what it touched lives by the column, whatever its JSON says", async () => {
    const ours = rowStore(pgSimple());
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    await pool.query(
      "UPDATE session SET sess = $2, expire = now() + interval '2 hours' WHERE sid = $1",
      [sid, rowText(-60_000)],
    );
    const loaded = await ours.load(sid);
    expect(loaded?.data.get("a")).toBe("1");
    expect((loaded?.expires ?? 0) - Date.now()).toBeGreaterThan(7_190_000);
    await ours.save(sid, writing("b"));
    expect(await leftOf(sid)).toBeGreaterThan(7_190_000);
  });

  test("a renewal is its touch: the text stays", async () => {
    const ours = rowStore(pgSimple());
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    const text = async () =>
      (await pool.query("SELECT sess::text AS t FROM session WHERE sid = $1", [sid])).rows[0].t;
    const before = await text();
    expect(await ours.save(sid, { ...update, ttl: 2 * HOUR })).toBeDefined();
    expect(await text()).toBe(before);
    expect(await leftOf(sid)).toBeGreaterThan(1.9 * HOUR);
  });

  test("a row whose cookie has no end lives for its ttl", async () => {
    const ours = rowStore(pgSimple({ ttl: 60 }));
    const sid = newSid();
    const set = new Map([["cookie", '{"originalMaxAge":null,"expires":null}']]);
    await ours.save(sid, { ...none, op: "create", ttl: Infinity, set });
    const left = await leftOf(sid);
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThan(62_000);
  });

  test("a row that has ended is none, and gives way to a new one", async () => {
    const ours = rowStore(pgSimple());
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    await pool.query("UPDATE session SET expire = now() - interval '2 s' WHERE sid = $1", [sid]);
    expect(await ours.load(sid)).toBeUndefined();
    expect(await ours.save(sid, writing("a"))).toBeUndefined();
    expect(await ours.save(sid, creating(HOUR))).toBeDefined();
    expect((await ours.load(sid))?.data.has("a")).toBe(false);
  });

  test("the end is the same in any time zone of a connection", async () => {
    const options = "-c timezone=America/New_York";
    const far = new pg.Pool({ connectionString: postgres.url, max: 2, options });
    const theirs = pgSimple({ pool: far });
    const ours = rowStore(theirs);
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    const loaded = await ours.load(sid);
    expect(Math.abs((loaded?.expires ?? 0) - Date.now() - HOUR)).toBeLessThan(10_000);
    expect(await leftOf(sid, far)).toBeGreaterThan(0.9 * HOUR);
    await far.end();
  });

  test("another schema, another table, and a column of jsonb", async () => {
    await pool.query(`CREATE SCHEMA "my schema"; CREATE TABLE "my schema"."my ""rows""" (
      sid varchar PRIMARY KEY, sess jsonb NOT NULL, expire timestamptz(6) NOT NULL)`);
    const names = { schemaName: "my schema", tableName: 'my "rows"', createTableIfMissing: false };
    const ours = rowStore(pgSimple(names));
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    await ours.save(sid, writing("a"));
    const loaded = await ours.load(sid);
    expect(loaded?.data.get("a")).toBe('"a"');
    expect(Math.abs((loaded?.expires ?? 0) - Date.now() - HOUR)).toBeLessThan(10_000);
  });
});

/** Two stores on one server, as two processes have. */
const pairs: Readonly<Record<string, () => ExpressSessionStore>> = {
  "connect-redis": () => new RedisStore({ client }),
  "connect-pg-simple": () =>
    new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false }),
};

describe.each(Object.entries(pairs))("two processes with %s", (_, make) => {
  test("keep every key that they write at once", async () => {
    const stores = [rowStore(make()), rowStore(make())];
    const sid = newSid();
    await stores[0]?.save(sid, creating(HOUR));
    const keys = Array.from({ length: 40 }, (__, index) => `k${index}`);
    const saved = await Promise.all(
      keys.map(async (key, index) => stores[index % 2]?.save(sid, writing(key))),
    );
    expect(saved).not.toContain(undefined);
    const data = (await stores[0]?.load(sid))?.data;
    expect([...(data?.keys() ?? [])].toSorted()).toEqual(["cookie", ...keys].toSorted());
  });

  test("bring nothing back that one of them has destroyed", async () => {
    const [one, other] = [rowStore(make()), rowStore(make())];
    const sid = newSid();
    await one.save(sid, creating(HOUR));
    const write = (index: number) => (index % 2 ? one : other).save(sid, writing(`k${index}`));
    const renew = () => other.save(sid, { ...update, ttl: 2 * HOUR });
    const before = Array.from({ length: 8 }, (__, index) => write(index));
    const logout = other.save(sid, { ...none, op: "destroy" });
    const after = [renew(), ...Array.from({ length: 8 }, (__, index) => write(index)), renew()];
    await Promise.all([...before, logout, ...after]);
    expect(await one.load(sid)).toBeUndefined();
  });
});

describe("writers that are always faster", () => {
  test("are an error after a while, and nothing was saved", async () => {
    let reads = 0;
    const sid = newSid();
    const serializer = {
      // Between a save's look and its write somebody else writes.
      parse: async (text: string) => {
        await client.set(`sess:${sid}`, `{"cookie":${cookieText(HOUR)},"n":${++reads}}`);
        return JSON.parse(text) as never;
      },
      stringify: JSON.stringify,
    };
    const ours = rowStore(new RedisStore({ client, serializer }));
    await ours.save(sid, creating(HOUR));
    await expect(ours.save(sid, writing("a"))).rejects.toMatchObject({
      name: "StoreError",
      code: "ERR_SESSION_STORE_FAILED",
    });
    expect(reads).toBe(16);
    expect(await client.get(`sess:${sid}`)).not.toContain('"a"');
  });
});

describe("what isn't known for atomic", () => {
  const isAtomic = (store: SessionStore) => store.capabilities?.atomic;

  test("a store that keeps its rows in its own way is asked by its methods only", async () => {
    class Renaming extends RedisStore {
      override async set(
        sid: string,
        row: never,
        done?: (error?: unknown) => void,
      ): Promise<unknown> {
        return super.set(`other-${sid}`, row, done);
      }
      override async get(
        sid: string,
        done?: (error?: unknown, row?: unknown) => void,
      ): Promise<unknown> {
        return super.get(`other-${sid}`, done);
      }
    }
    const ours = rowStore(new Renaming({ client }), { acceptRaces: true });
    expect(isAtomic(ours)).toBe(false);
    const sid = newSid();
    await ours.save(sid, creating(HOUR));
    expect(await client.exists(`sess:other-${sid}`)).toBe(1);
    expect((await ours.load(sid))?.data.has("cookie")).toBe(true);
    class Same extends RedisStore {}
    expect(isAtomic(rowStore(new Same({ client })))).toBe(true);
  });

  test("connect-redis 7 and 8 hide their client", () => {
    const hidden = new RedisStore({ client });
    hidden.client = {
      get: () => null,
      set: () => null,
      del: () => null,
      expire: () => null,
    } as never;
    expect(isAtomic(rowStore(hidden, { acceptRaces: true }))).toBe(false);
  });

  test("other stores say once that between processes there are races", async () => {
    const said = await warningsOf(`
      const { rowStore } = await import("./src/compat/express-session/row-store.ts");
      class FileStore { get() {} set() {} destroy() {} }
      rowStore(new FileStore(), { acceptRaces: true });
      for (let n = 0; n < 3; n++) rowStore(new FileStore());
    `);
    expect(said).toEqual(["KOCHA_SESSION_NOT_ATOMIC"]);
    expect(isAtomic(rowStore(new MemoryStore(), { acceptRaces: true }))).toBe(false);
  });
});

test("the warning names a way out that the drop-in's users have", () => {
  const said = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(() => said.mockRestore());
  class DiskStore extends MemoryStore {}
  rowStore(new DiskStore());
  const [message] = said.mock.calls[0] ?? [];
  expect(message).toMatch(/^DiskStore is not atomic: .*; connect-redis from version 9 on, /);
  expect(message).not.toContain("acceptRaces");
});

describe("any other store", () => {
  interface TtlRow {
    readonly cookie: { readonly expires: Date | null; readonly maxAge: number | null };
  }

  /** A store whose touch moves only its own end, and which gives what it has. */
  class TtlStore {
    readonly rows = new Map<string, string>();
    readonly calls: string[] = [];
    get(sid: string, done: (error: unknown, row?: unknown) => void): void {
      this.calls.push("get");
      const text = this.rows.get(sid);
      setTimeout(() => done(null, text === undefined ? null : JSON.parse(text)), 5);
    }
    set(sid: string, { cookie, ...rest }: TtlRow, done: () => void): void {
      // Some stores read the one, some the other.
      const isLive =
        (cookie.maxAge ?? 1) > 0 && (cookie.expires?.getTime() ?? Infinity) > Date.now();
      this.calls.push(isLive ? "set" : "set what has ended");
      this.rows.set(sid, JSON.stringify({ cookie, ...rest }));
      setTimeout(done, 5);
    }
    touch(_sid: string, { cookie }: TtlRow, done: () => void): void {
      this.calls.push(`touch ${Math.round((cookie.maxAge ?? 0) / HOUR)}`);
      setTimeout(done, 5);
    }
    destroy(sid: string, done: () => void): void {
      this.calls.push("destroy");
      this.rows.delete(sid);
      setTimeout(done, 5);
    }
  }

  test("gives what is alive: it is renewed by touch, and a write doesn't end it", async () => {
    const store = new TtlStore();
    const ours = rowStore(store, { acceptRaces: true });
    const sid = newSid();
    store.rows.set(sid, rowText(-60_000));
    const loaded = await ours.load(sid);
    expect(loaded?.data.get("a")).toBe("1");
    // Soon, so that the next look renews it.
    expect((loaded?.expires ?? 0) - Date.now()).toBeLessThan(2000);
    await ours.save(sid, { ...update, ttl: HOUR });
    await ours.save(sid, writing("b"));
    expect(store.calls).toEqual(["get", "get", "touch 1", "get", "set"]);
    const { cookie } = JSON.parse(store.rows.get(sid) ?? "");
    expect(new Date(cookie.expires).getTime() - Date.now()).toBeGreaterThan(0.9 * HOUR);
    expect(Object.keys(cookie)).toEqual(["originalMaxAge", "expires", "httpOnly", "path"]);
  });

  test("without touch a renewal writes the row", async () => {
    const store = new TtlStore();
    Object.defineProperty(store, "touch", { value: undefined });
    const ours = rowStore(store, { acceptRaces: true });
    const sid = newSid();
    store.rows.set(sid, rowText(HOUR));
    await ours.save(sid, { ...update, ttl: 2 * HOUR });
    const { cookie } = JSON.parse(store.rows.get(sid) ?? "");
    expect(new Date(cookie.expires).getTime() - Date.now()).toBeGreaterThan(1.9 * HOUR);
  });

  test("what comes late of a call that hung undoes no newer write and no logout", async () => {
    const store = new TtlStore();
    const ours = rowStore(store, { acceptRaces: true });
    ours.answerWithin?.(50);
    const sid = newSid();
    store.rows.set(sid, `{"cookie":{"originalMaxAge":null,"expires":null},"a":1}`);
    const setNow = store.set.bind(store);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    store.set = (id, row, done) => {
      store.set = setNow;
      void held.then(() => setNow(id, row, done));
    };
    const late = (async () => ours.save(sid, writing("late")))().catch(() => undefined);
    await ours.save(sid, writing("b"));
    release();
    await late;
    await expect.poll(async () => (await ours.load(sid))?.data.get("b")).toBe('"b"');
  });
});
