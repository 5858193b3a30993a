// What goes wrong with a Redis, by name: each is an error that says what it is, or no session; none
// is a logout, a lost change, or a session that comes back.
import { inspect } from "node:util";
import { SessionRedisStore } from "kocha-session/redis";
import type { SessionChange } from "kocha-session";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, describe, expect, test } from "vitest";
import { connectionOf } from "../../src/stores/redis/client.ts";
import { RedisRevocationLog } from "../../src/stores/redis/revocation-log.ts";
import { newSelector } from "../../src/testing/history.ts";
import { startProxy } from "../support/proxy.ts";
import { startRedis } from "../support/servers/redis.ts";
import { until } from "../support/until.ts";
import { Visitor } from "../support/visitor.ts";

const HOUR = 3_600_000;
const SECRET = "a value that no error may show";

const server = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
const proxy = await startProxy(server.port);
const control = new Redis(server.port);
const node = await createClient({ url: server.url }).connect();
const store = new SessionRedisStore({ client: node });

afterAll(async () => {
  await Promise.all([control.quit(), node.close()]);
  await proxy.close();
  await server.close();
});

function changeOf(change: Partial<SessionChange>): SessionChange {
  const base = { op: "update", set: new Map(), del: [], ttl: HOUR, deadline: Infinity } as const;
  return { ...base, ...change };
}

async function failureOf(act: () => Promise<unknown>): Promise<Error> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it failed with no error");
}

const storeFailure = (code: string, cause?: RegExp) => ({
  name: "StoreError",
  code,
  status: 503,
  ...(cause !== undefined && { cause: { message: expect.stringMatching(cause) as string } }),
});

describe("a row that someone else wrote or cut", () => {
  const id = "row";
  const key = `kocha:s:${id}`;

  test.each([
    ["a string", () => control.set(key, "x")],
    ["a list", () => control.rpush(key, "x")],
    ["a hash without our head", () => control.hset(key, ":a", "1")],
    ["a hash with another head", () => control.hset(key, "h", "1 2 x")],
    ["a hash whose head says that it has ended", () => control.hset(key, "h", "1 1 5 -")],
  ])("%s is no session, takes no change and makes room for a new one", async (_what, write) => {
    await control.del(key);
    await write();
    const found = await store.load(id);
    // An end in the past is for the engine's clock to see: HGETALL has none.
    expect(found === undefined || found.expires === 5).toBe(true);
    const change = changeOf({ rev: 1, set: new Map([["a", "2"]]) });
    expect(await store.save(id, change)).toBeUndefined();
    expect(await store.save(id, changeOf({ op: "create" }))).toMatchObject({ rev: 1 });
    expect(await store.load(id)).toMatchObject({ data: new Map(), rev: 1, generation: 1 });
    expect(await control.pttl(key)).toBeGreaterThan(0);
  });

  test("one is gone after a destroy, whatever it was", async () => {
    await control.del(key);
    await control.set(key, "x");
    expect(await store.save(id, changeOf({ op: "destroy" }))).toMatchObject({ rev: 0 });
    expect(await control.exists(key)).toBe(0);
  });

  test("fields that aren't ours are no keys of the session", async () => {
    await control.del(key);
    await store.save(id, changeOf({ op: "create", set: new Map([["h", "1"]]) }));
    await control.hset(key, "other", "x", "__proto__", "y");
    expect((await store.load(id))?.data).toEqual(new Map([["h", "1"]]));
  });

  test("notes that are gone make it no session to the engine, and its cookie stays", async () => {
    const visitor = new Visitor(store);
    const handle = await visitor.visit((session) => {
      session.set("a", "1");
      return session.id;
    });
    const { cookie } = visitor;
    await control.hdel(`kocha:s:${handle}`, "m");
    expect(await visitor.visit((session) => session.get("a"))).toBe("");
    expect(visitor.cookie).toBe(cookie);
  });

  test("an index of another type fails the bind, and the session stays as it was", async () => {
    await control.set("kocha:u:mallory", "x");
    await store.save("unbound", changeOf({ op: "create" }));
    const bind = changeOf({ rev: 1, subject: "mallory" });
    expect((await failureOf(async () => store.save("unbound", bind))).message).toMatch(/WRONGTYPE/);
    expect(await store.load("unbound")).toMatchObject({ rev: 1 });
    const failure = await failureOf(() => store.destroyAll("mallory"));
    expect(failure).toMatchObject(storeFailure("ERR_SESSION_STORE_FAILED", /WRONGTYPE/));
    const list = failureOf(async () => {
      for await (const { id: listed } of store.list("mallory")) expect(listed).toBe("nobody");
    });
    expect(await list).toMatchObject(storeFailure("ERR_SESSION_STORE_FAILED", /WRONGTYPE/));
  });
});

test("NOSCRIPT: scripts that the server has forgotten are sent again, under load", async () => {
  await store.save("flushed", changeOf({ op: "create", subject: "alice" }));
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    for (let round = 0; round < 10; round++) {
      const set = new Map([[`${writer}.${round}`, "1"]]);
      expect(await store.save("flushed", changeOf({ rev: 1, set }))).toMatchObject({ rev: 1 });
    }
  });
  const flushes = Array.from({ length: 30 }, () => control.script("FLUSH"));
  await Promise.all([...writers, ...flushes]);
  expect((await store.load("flushed"))?.data.size).toBe(200);
  await control.script("FLUSH");
  expect(await store.destroyAll("alice")).toBe(1);
});

test("OOM: a full server takes no more data, but logouts and renewals", async () => {
  const visitor = new Visitor(store, { sessionExpires: 100 });
  await visitor.visit((session) => session.set("a", "1"));
  const { cookie } = visitor;
  await store.save("full", changeOf({ op: "create", ttl: HOUR, set: new Map([["a", "1"]]) }));
  await control.config("SET", "maxmemory", "1");
  try {
    const failure = await failureOf(() => visitor.visit((session) => session.set("b", SECRET)));
    expect(failure).toMatchObject(storeFailure("ERR_SESSION_STORE_FAILED", /OOM/));
    expect(visitor.cookie).toBe(cookie);
    expect(await visitor.visit((session) => session.toObject())).toEqual({ a: "1" });
    const fresh = new Visitor(store);
    await failureOf(() => fresh.visit((session) => session.set("b", "2")));
    expect(fresh.cookie).toBeUndefined();
    const renewed = await store.save("full", changeOf({ rev: 1, ttl: 2 * HOUR }));
    expect(renewed).toMatchObject({ rev: 1 });
    expect(await store.save("full", changeOf({ rev: 1, bump: true }))).toMatchObject({ rev: 2 });
    await visitor.visit((session) => session.destroy());
    expect(visitor.cookie).toBeUndefined();
  } finally {
    await control.config("SET", "maxmemory", "0");
  }
});

test("READONLY: a replica gives what it has, and takes nothing", async () => {
  const replica = await startRedis({ args: ["--replicaof", `127.0.0.1 ${server.port}`] });
  const client = new Redis(replica.port);
  try {
    await store.save("replicated", changeOf({ op: "create", set: new Map([["a", SECRET]]) }));
    const onReplica = new SessionRedisStore({ client });
    await until("it is there", async () => (await onReplica.load("replicated")) !== undefined);
    const change = changeOf({ rev: 1, set: new Map([["b", SECRET]]) });
    const failure = await failureOf(() => onReplica.save("replicated", change));
    expect(failure.message).toMatch(/READONLY|read only replica/i);
    // ioredis hangs the command on its errors; a log would show the session.
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(SECRET);
    expect((await onReplica.load("replicated"))?.data).toEqual(new Map([["a", SECRET]]));
  } finally {
    await client.quit();
    await replica.close();
  }
});

test("LOADING: a server that still reads its data is an outage", async () => {
  const slow = await startRedis({ args: ["--enable-debug-command", "yes"] });
  const client = await createClient({ url: slow.url }).connect();
  client.on("error", () => undefined);
  const admin = new Redis(slow.port);
  try {
    const visitor = new Visitor(new SessionRedisStore({ client }));
    await visitor.visit((session) => session.set("a", "1"));
    await admin.call("DEBUG", "POPULATE", "1000", "filler");
    await admin.bgrewriteaof();
    await until("it is written", async () =>
      (await admin.info("persistence")).includes("aof_rewrite_in_progress:0"),
    );
    await admin.config("SET", "key-load-delay", "1000");
    await admin.config("SET", "loading-process-events-interval-bytes", "1024");
    const reload = admin.call("DEBUG", "LOADAOF");
    const failures: unknown[] = [];
    await until("it says LOADING", async () => {
      await visitor
        .visit((session) => session.get("a"))
        .catch((error: unknown) => failures.push(error));
      return failures.length > 0;
    });
    expect(failures[0]).toMatchObject(storeFailure("ERR_SESSION_STORE_FAILED", /LOADING/));
    await reload;
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
  } finally {
    client.destroy();
    admin.disconnect();
    await slow.close();
  }
});

describe("a client that lost its connection", () => {
  test("and was closed is an outage, not a logout", async () => {
    const client = await createClient({ url: server.url }).connect();
    const visitor = new Visitor(new SessionRedisStore({ client }));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    await client.close();
    const failure = await failureOf(() => visitor.visit((session) => session.get("a")));
    expect(failure).toMatchObject(storeFailure("ERR_SESSION_STORE_FAILED", /closed/));
    expect(visitor.cookie).toBe(cookie);
  });

  test.each([
    ["ioredis queues", true],
    ["ioredis queues nothing", false],
  ])("%s: the request ends in time, and the next one works", async (_name, enableOfflineQueue) => {
    const client = new Redis({ port: proxy.port, retryStrategy: () => 50, enableOfflineQueue });
    client.on("error", () => undefined);
    await until("it is connected", () => client.status === "ready");
    try {
      const visitor = new Visitor(new SessionRedisStore({ client }), { storeTimeout: 0.5 });
      await visitor.visit((session) => session.set("a", "1"));
      const { cookie } = visitor;
      proxy.turn({ kind: "cut" });
      const failure = await failureOf(() => visitor.visit((session) => session.get("a")));
      expect(failure).toMatchObject({ name: "StoreError", status: 503 });
      expect(visitor.cookie).toBe(cookie);
      proxy.turn({ kind: "open" });
      await until("it is connected again", () => client.status === "ready");
      expect(await visitor.visit((session) => session.get("a"))).toBe("1");
    } finally {
      proxy.turn({ kind: "open" });
      client.disconnect();
    }
  });

  test("to a network that swallows everything ends the request in time", async () => {
    const client = createClient({ url: `redis://127.0.0.1:${proxy.port}` });
    client.on("error", () => undefined);
    await client.connect();
    try {
      const visitor = new Visitor(new SessionRedisStore({ client }), { storeTimeout: 0.5 });
      await visitor.visit((session) => session.set("a", "1"));
      proxy.turn({ kind: "silent" });
      const failure = await failureOf(() => visitor.visit((session) => session.set("a", "2")));
      expect(failure).toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT", status: 503 });
      proxy.turn({ kind: "open" });
      expect(await visitor.visit((session) => session.get("a"))).toBe("1");
    } finally {
      proxy.turn({ kind: "open" });
      client.destroy();
    }
  });
});

describe("a client that sends a command again, since its answer was lost", () => {
  /** As `resent`, by a store. */
  const twice = <T>(act: (twin: SessionRedisStore) => Promise<T>): Promise<T> =>
    resent(async (client) => {
      const twin = new SessionRedisStore({ client });
      await twin.load("warm");
      return () => act(twin);
    });

  /** The script runs, its answer is lost with the connection, and ioredis sends it again. */
  async function resent<T>(prepare: (client: Redis) => Promise<() => Promise<T>>): Promise<T> {
    const client = new Redis({ port: proxy.port, retryStrategy: () => 20 });
    client.on("error", () => undefined);
    try {
      const act = await prepare(client);
      const calls = async (): Promise<number> => {
        const stats = await control.info("commandstats");
        const found = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
        return found.reduce((sum, [, count]) => sum + Number(count), 0);
      };
      const before = await calls();
      proxy.turn({ kind: "silent", answersOnly: true });
      const answer = act();
      await until("the server has run it", async () => (await calls()) > before);
      proxy.turn({ kind: "cut" });
      proxy.turn({ kind: "open" });
      return await answer;
    } finally {
      proxy.turn({ kind: "open" });
      client.disconnect();
    }
  }

  test("creates once", async () => {
    const create = changeOf({ op: "create", set: new Map([["a", "1"]]) });
    expect(await twice((twin) => twin.save("again 1", create))).toMatchObject({ rev: 1 });
    expect(await store.save("again 1", create)).toBeUndefined();
  });

  test("regenerates once, and isn't told that it was refused", async () => {
    await store.save("again 2", changeOf({ op: "create" }));
    const bump = changeOf({ rev: 1, bump: true });
    expect(await twice((twin) => twin.save("again 2", bump))).toMatchObject({
      rev: 2,
      generation: 2,
    });
    expect(await store.save("again 2", bump)).toBeUndefined();
  });

  test("applies once what expects something, and takes its own write for no mismatch", async () => {
    await store.save("again 4", changeOf({ op: "create", set: new Map([["n", "1"]]) }));
    const raise = changeOf({
      rev: 1,
      expect: new Map([["n", "1"]]),
      set: new Map([["n", "2"]]),
    });
    expect(await twice((twin) => twin.save("again 4", raise))).toMatchObject({ rev: 1 });
    expect(await store.save("again 4", raise)).toBeUndefined();
    // A step that leaves what it expects would apply a second time without the nonce: a note, say.
    const note = changeOf({
      rev: 1,
      expect: new Map([["n", "2"]]),
      set: new Map([["seen", "1"]]),
    });
    expect(await twice((twin) => twin.save("again 4", note))).toMatchObject({ rev: 1 });
    const take = changeOf({ rev: 1, expect: new Map([["n", "2"]]), del: ["n"] });
    expect(await twice((twin) => twin.save("again 4", take))).toMatchObject({ rev: 1 });
    const set = new Map([["n", "1"]]);
    const first = changeOf({ rev: 1, expect: new Map([["n", undefined]]), set });
    expect(await twice((twin) => twin.save("again 4", first))).toMatchObject({ rev: 1 });
    const clear = changeOf({ rev: 1, clear: true, expect: new Map([["n", "1"]]) });
    expect(await twice((twin) => twin.save("again 4", clear))).toMatchObject({ rev: 2 });
    expect((await store.load("again 4"))?.data).toEqual(new Map());
  });

  test("retires a credential once, and is told that it was the first", async () => {
    const credential = { kind: "credential", id: newSelector(), ttl: HOUR } as const;
    const log = (client: Redis) =>
      new RedisRevocationLog(connectionOf(client), "again:", undefined);
    const appended = await resent(async (client) => {
      const twin = log(client);
      await twin.append({ kind: "session", id: newSelector(), ttl: HOUR });
      return () => twin.append({ ...credential, nonce: newSelector() });
    });
    expect(appended).toMatchObject({ isFirst: true, record: { id: credential.id } });
    // The server has met the entry twice, and keeps it once; another node's comes too late.
    expect(await control.xlen("again:{r}:log")).toBe(2);
    const other = await log(control).append({ ...credential, nonce: newSelector() });
    expect(other.isFirst).toBe(false);
  });

  test("destroys once and for all", async () => {
    await store.save("again 3", changeOf({ op: "create" }));
    expect(await twice((twin) => twin.save("again 3", changeOf({ op: "destroy" })))).toBeDefined();
    expect(await store.load("again 3")).toBeUndefined();
  });
});
