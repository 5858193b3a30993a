// Sessions that express-session wrote by connect-redis and connect-pg-simple, taken over by our Redis
// and PostgreSQL stores: real servers, the real libraries, ours behind Express over HTTP.
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import pg from "pg";
import { createClient } from "redis";
import type { SessionStore } from "kocha-session";
import {
  connectPgSimpleRows,
  connectRedisRows,
  expressSessions,
  type ForeignRows,
} from "kocha-session/compat/express-rows";
import { sessionMiddleware } from "kocha-session/express";
import { SessionPostgresStore } from "kocha-session/postgres";
import { SessionRedisStore } from "kocha-session/redis";
import { afterAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";

const redis = await startRedis();
const postgres = await startPostgres();
const client = createClient({ url: redis.url });
await client.connect();
const pool = new pg.Pool({ connectionString: postgres.url, max: 8 });
const signingKey = freshKey();
const secret = "keyboard cat";
const until = new Date(Date.now() + 86_400_000);

afterAll(async () => {
  await client.close();
  await pool.end();
  await redis.close();
  await postgres.close();
});

const PgStore = connectPgSimple(session);
await new SessionPostgresStore({ client: pool }).createTable();

interface Kind {
  readonly theirs: session.Store;
  readonly rows: ForeignRows;
  readonly ours: () => SessionStore;
  /** How many sessions express-session has that live. */
  readonly count: () => Promise<number>;
}

const kinds: Readonly<Record<string, Kind>> = {
  "connect-redis": {
    theirs: new RedisStore({ client, prefix: "theirs:" }),
    rows: connectRedisRows(client, { prefix: "theirs:" }),
    ours: () => new SessionRedisStore({ client }),
    count: async () => (await client.keys("theirs:*")).length,
  },
  "connect-pg-simple": {
    theirs: new PgStore({
      pool,
      tableName: "their sessions",
      createTableIfMissing: true,
      pruneSessionInterval: false,
    }),
    rows: connectPgSimpleRows(pool, { tableName: "their sessions", schemaName: "public" }),
    ours: () => new SessionPostgresStore({ client: pool }),
    count: async () =>
      (await pool.query('SELECT 1 FROM "their sessions" WHERE expire >= now()')).rows.length,
  },
};

/** The Cookie header that a client has after this answer, or what it had. */
function cookieAfter(answer: Response, before = ""): string {
  const jar = new Map(before === "" ? [] : before.split("; ").map((pair) => splitPair(pair)));
  for (const one of answer.headers.getSetCookie()) {
    const [pair = ""] = one.split(";", 1);
    const [name, value] = splitPair(pair);
    if (value === "") jar.delete(name);
    else jar.set(name, value);
  }
  return Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf("=");
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** A client that express-session has logged in: its Cookie header. */
async function logIn(store: session.Store): Promise<string> {
  const app = express();
  const options = { secret, store, resave: false, saveUninitialized: false };
  app.use(session({ ...options, cookie: { maxAge: 3_600_000 } }));
  app.get("/", (req, res) => {
    Object.assign(req.session, { user: "alice", cart: [{ sku: "a1", qty: 2 }] });
    res.end();
  });
  const { url, close } = await listen(app as never);
  const answer = await fetch(url);
  await close();
  return cookieAfter(answer);
}

/** Our application, in front of the same servers. */
async function startOurs({ ours, rows }: Kind, own: ForeignRows = rows) {
  const app = express();
  app.use(
    sessionMiddleware({
      store: ours(),
      signingKey,
      secure: false,
      migrateFrom: expressSessions({ secret, rows: own, until }),
    }),
  );
  app.get("/set/:key", (req, res) => {
    req.session.set(req.params.key, "1");
    res.end();
  });
  app.get("/logout", async (req, res) => {
    await req.session.destroy();
    res.end();
  });
  app.get("/", (req, res) => {
    res.json({ id: req.session.id, data: req.session.toObject() });
  });
  app.use(((_error, _req, res, _next) => {
    res.status(503).end();
  }) as express.ErrorRequestHandler);
  return listen(app as never);
}

const expected = { user: "alice", cart: '[{"sku":"a1","qty":2}]' };
const visit = (url: string, cookie: string) => fetch(url, { headers: { cookie } });
const read = async (url: string, cookie: string) =>
  (await (await visit(url, cookie)).json()) as { id: string; data: Record<string, string> };

describe.each(Object.entries(kinds))("%s", (_, kind) => {
  test("its session is ours after one request", async () => {
    const cookie = await logIn(kind.theirs);
    expect(await kind.count()).toBe(1);
    const { url, close } = await startOurs(kind);
    const answer = await visit(url, cookie);
    const after = cookieAfter(answer, cookie);
    expect(await answer.json()).toMatchObject({ data: expected });
    expect(after).toMatch(/^session=[^;]+$/);
    expect(await kind.count()).toBe(0);
    expect((await read(url, after)).data).toEqual(expected);
    await close();
  });

  test("first requests that race in two processes meet in one session, and lose nothing", async () => {
    const cookie = await logIn(kind.theirs);
    const servers = [await startOurs(kind), await startOurs(kind)];
    const keys = Array.from({ length: 20 }, (__, index) => `k${index}`);
    const answers = await Promise.all(
      keys.map((key, index) => visit(`${servers[index % 2]?.url}/set/${key}`, cookie)),
    );
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
    const url = servers[0]?.url ?? "";
    const all = await Promise.all(answers.map((one) => read(url, cookieAfter(one, cookie))));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    const written = Object.fromEntries(keys.map((key) => [key, "1"]));
    for (const { data } of all) expect(data).toEqual({ ...expected, ...written });
    expect(await kind.count()).toBe(0);
    for (const server of servers) await server.close();
  });

  test.each(["load", "delete"] as const)(
    "a process that dies at its %s logs nobody out",
    async (call) => {
      const cookie = await logIn(kind.theirs);
      // The first time it goes wrong before anything is done, the second time behind it.
      for (const isDone of [false, true]) {
        const broken: ForeignRows = {
          ...kind.rows,
          async [call](id: string) {
            if (isDone) await kind.rows[call](id);
            throw new Error("the process has died");
          },
        };
        const { url, close } = await startOurs(kind, broken);
        expect((await visit(url, cookie)).status).toBe(503);
        await close();
      }
      const { url, close } = await startOurs(kind);
      expect((await read(url, cookie)).data).toEqual(expected);
      expect(await kind.count()).toBe(0);
      await close();
    },
  );

  test("a logout ends it in both stores, and for whoever has a copy of a cookie", async () => {
    const cookie = await logIn(kind.theirs);
    const { url, close } = await startOurs(kind);
    const ours = cookieAfter(await visit(url, cookie), cookie);
    // A slow request of an old process saves what it had loaded once more.
    const sid = decodeURIComponent(cookie).slice("connect.sid=s:".length).split(".")[0] ?? "";
    const row = { cookie: { originalMaxAge: 1000 }, user: "alice" } as never;
    await new Promise((resolve) => kind.theirs.set(sid, row, resolve));
    expect(await kind.count()).toBe(1);
    const both = `${ours}; ${cookie}`;
    const answer = await visit(`${url}/logout`, both);
    expect(cookieAfter(answer, both)).toBe("");
    expect(await kind.count()).toBe(0);
    for (const copy of [ours, cookie, both]) expect((await read(url, copy)).data).toEqual({});
    await close();
  });

  test("a session that has ended there is none here", async () => {
    const cookie = await logIn(kind.theirs);
    if (kind === kinds["connect-redis"]) {
      for (const key of await client.keys("theirs:*")) await client.pExpireAt(key, 1);
    } else {
      await pool.query(`UPDATE "their sessions" SET expire = now() - interval '1 second'`);
    }
    const { url, close } = await startOurs(kind);
    expect((await read(url, cookie)).data).toEqual({});
    await close();
  });
});

test.each<[string, () => unknown, string]>([
  ["a Redis client", () => connectRedisRows({} as never), "client"],
  ["a prefix", () => connectRedisRows(client, { prefix: 1 as never }), "prefix"],
  ["a pool", () => connectPgSimpleRows(null as never), "client"],
  ["a table", () => connectPgSimpleRows(pool, { tableName: 1 as never }), "tableName"],
  ["a schema", () => connectPgSimpleRows(pool, { schemaName: [] as never }), "schemaName"],
])("%s that can't be one is refused", (_, make, field) => {
  expect(make).toThrow(expect.objectContaining({ name: "ConfigError", field }));
});
