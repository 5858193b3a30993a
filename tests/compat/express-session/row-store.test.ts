// express-session's rows under our store's interface, in the stores that people have: connect-redis and
// connect-pg-simple on real servers, express-session's MemoryStore, and one that answers late.
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session, { MemoryStore } from "express-session";
import pg from "pg";
import { createClient } from "redis";
import { storeLaws } from "kocha-session/testing";
import { afterAll, describe, expect, test } from "vitest";
import {
  type ExpressSessionStore,
  rowStore,
} from "../../../src/compat/express-session/row-store.ts";
import { lateMemoryStore } from "../../support/late-memory-store.ts";
import { ofStrings } from "../../support/json-values.ts";
import { startPostgres } from "../../support/servers/postgres.ts";
import { startRedis } from "../../support/servers/redis.ts";

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

const stores: Readonly<Record<string, ExpressSessionStore>> = {
  "connect-redis": new RedisStore({ client }),
  "connect-pg-simple": new PgStore({
    pool,
    createTableIfMissing: true,
    pruneSessionInterval: false,
  }),
  "express-session's MemoryStore": new MemoryStore(),
  "a store that answers late": lateMemoryStore(),
};

/**
 * Makes a method hold its next call that `isWrite`, from a call of the function that is given back until a
 * call of what that gives.
 */
function holder(
  target: object,
  method: string,
  isWrite: (first: unknown) => boolean = () => true,
): () => () => void {
  let held: Promise<void> | undefined;
  const call = (target as Record<string, (...args: unknown[]) => unknown>)[method];
  const holding = function holding(this: unknown, ...args: unknown[]): unknown {
    const proceed = (): unknown => call && Reflect.apply(call, target, args);
    if (held === undefined || !isWrite(args[0])) return proceed();
    const taken = held;
    held = undefined;
    return taken.then(proceed);
  };
  Object.defineProperty(target, method, { value: holding });
  return () => {
    let release = (): void => undefined;
    held = new Promise((resolve) => (release = resolve));
    return release;
  };
}

const isScript = (command: unknown): boolean => String((command as string[])[0]).startsWith("eval");
const isUpdate = (text: unknown): boolean => String(text).startsWith("UPDATE");
const hangs: Readonly<Record<string, () => () => void>> = {
  "connect-redis": holder(client, "sendCommand", isScript),
  "connect-pg-simple": holder(pool, "query", isUpdate),
  ...Object.fromEntries(
    Object.entries(stores)
      .slice(2)
      .map(([name, store]) => [name, holder(store, "set")]),
  ),
};

const memory = ["express-session's MemoryStore", "a store that answers late"];

describe.each(Object.entries(stores))("the laws on %s", async (name, store) => {
  const makeStore = async () => ({
    store: ofStrings(rowStore(store, { acceptRaces: true })),
    ...(hangs[name] && { hang: hangs[name] }),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, {
    name: `rowStore(${name})`,
    seed: 42,
    runs: 15,
    foreignRows: true,
    resolutionMs: memory.includes(name) ? 50 : 1000,
  });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());

  test("nothing is left out, except what the rows have no place for", () => {
    const left = cases.flatMap(({ applies }) => (applies === true ? [] : [applies]));
    const wanted = [
      "another library's rows have no place for a revision, a generation, a subject and notes",
      "the store says that it doesn't list",
      "the store has no sweep: it expires by itself",
      "the store's clock can't be turned",
    ];
    if (memory.includes(name)) {
      wanted.push(
        "the store isn't atomic: the last writer wins",
        "the store says that it isn't atomic",
        "the store says that it doesn't look at `expect`",
        "no step at the store reads and writes a key: update and increment change what the request saw",
      );
    }
    expect(new Set(left)).toEqual(new Set(wanted));
  });
});

const HOUR = 3_600_000;
const none = { set: new Map<string, string>(), del: [], ttl: 0, deadline: Infinity } as const;
const update = { op: "update", rev: 1, ...none } as const;
let sids = 0;
const newSid = (): string => `sid${++sids}`;

/** A row, as express-session hands it to its store. */
function theirs(maxAge: number | null, more: Record<string, unknown> = {}): never {
  const cookie = Object.assign(new session.Cookie(), maxAge !== null && { maxAge });
  return { cookie: Object.assign(cookie, { originalMaxAge: maxAge }), ...more } as never;
}

/** The row's JSON, as express-session's next request would read it. */
async function read(store: ExpressSessionStore, sid: string): Promise<unknown> {
  const found = await new Promise((resolve, reject) => {
    store.get(sid, (error, row) => (error ? reject(error) : resolve(row)));
  });
  return found && JSON.parse(JSON.stringify(found));
}

const set = (store: ExpressSessionStore, sid: string, row: never): Promise<unknown> =>
  new Promise((resolve, reject) => {
    store.set(sid, row, (error) => (error ? reject(error) : resolve(undefined)));
  });

describe.each(Object.entries(stores))("the rows of %s", (_, store) => {
  const ours = rowStore(store, { acceptRaces: true });

  test("keep their format: what we write is what express-session would", async () => {
    const sid = newSid();
    const user = { name: "alice", tags: ["a", 1, null, true] };
    await set(store, sid, theirs(HOUR, { user, n: 1 }));
    const before = (await read(store, sid)) as { cookie: object };
    const loaded = await ours.load(sid);
    expect(Object.fromEntries(loaded?.data ?? [])).toEqual({
      cookie: JSON.stringify(before.cookie),
      user: JSON.stringify(user),
      n: "1",
    });
    const changed = { set: new Map([["cart", '["tea"]']]), del: ["n"] };
    expect(await ours.save(sid, { ...update, ...changed })).toMatchObject({ rev: 1 });
    const cookie = { ...before.cookie, expires: expect.any(String) };
    const row = await read(store, sid);
    expect(row).toEqual({ cookie, user, cart: ["tea"] });
    expect(Object.keys(row as object)[0]).toBe("cookie");
  });

  test("a property of any name is one of the row, and none of Object.prototype", async () => {
    const sid = newSid();
    const change = {
      set: new Map([
        ["cookie", '{"originalMaxAge":null,"expires":null,"path":"/"}'],
        ["__proto__", '{"polluted":true}'],
        ["constructor", '"1"'],
      ]),
    };
    await ours.save(sid, { ...none, op: "create", ttl: HOUR, ...change });
    expect(Object.fromEntries((await ours.load(sid))?.data ?? [])).toEqual(
      Object.fromEntries(change.set),
    );
    expect("polluted" in {}).toBe(false);
  });

  test("a cookie's own end is the row's, also an earlier one", async () => {
    const sid = newSid();
    await set(store, sid, theirs(10 * HOUR, { a: 1 }));
    const expires = new Date(Date.now() + HOUR);
    const cookie = JSON.stringify({ originalMaxAge: HOUR, expires, path: "/" });
    await ours.save(sid, { ...update, set: new Map([["cookie", cookie]]) });
    const loaded = await ours.load(sid);
    expect(Math.abs((loaded?.expires ?? 0) - expires.getTime())).toBeLessThan(2000);
    expect(await read(store, sid)).toEqual({ cookie: JSON.parse(cookie), a: 1 });
  });

  test("a cookie without an end keeps none", async () => {
    const sid = newSid();
    await set(store, sid, theirs(null, { a: 1 }));
    await ours.save(sid, { ...update, ttl: HOUR });
    await ours.save(sid, { ...update, ttl: HOUR, set: new Map([["b", "2"]]) });
    const row = await read(store, sid);
    expect(row).toMatchObject({ cookie: { originalMaxAge: null, expires: null }, a: 1, b: 2 });
  });

  test("a renewal and a write are no way back for a row that was destroyed", async () => {
    const sid = newSid();
    await set(store, sid, theirs(HOUR, { a: 1 }));
    await ours.load(sid);
    await new Promise((resolve) => store.destroy(sid, resolve));
    expect(await ours.save(sid, { ...update, ttl: HOUR })).toBeUndefined();
    expect(await ours.save(sid, { ...update, set: new Map([["b", "2"]]) })).toBeUndefined();
    expect((await read(store, sid)) ?? null).toBeNull();
  });

  test("what a row has no place for is an error, and so is a value that is no JSON", async () => {
    const sid = newSid();
    await set(store, sid, theirs(HOUR, { a: 1 }));
    await expect(ours.save(sid, { ...update, bump: true })).rejects.toThrow("a new generation");
    await expect(ours.save(sid, { ...update, subject: "alice" })).rejects.toThrow("a subject");
    const change = { ...update, set: new Map([["secret", "no JSON"]]) };
    await expect(ours.save(sid, change)).rejects.toThrow(/^a value .* must be JSON text$/);
    expect(await read(store, sid)).toMatchObject({ a: 1 });
  });
});
