// Every store that we ship, on a real server of its own where it needs one, as the laws' report
// wants them: one line each, in the order of the documentation.
import { mkdtempSync, rmSync } from "node:fs";
import { mergingCookies } from "kocha-session/merge";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { createClient as createLibsql } from "@libsql/client";
import { Memcache } from "memcache";
import session from "express-session";
import Libsql from "libsql";
import { createPool, type QueryOptions } from "mysql2/promise";
import pg from "pg";
import { createClient } from "redis";
import { createStorage } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import {
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  type SessionCookieStoreOptions,
  SessionMemoryStore,
  type SessionStore,
} from "kocha-session";
import { fromExpressStore } from "kocha-session/express-store";
import { SessionDynamoStore } from "kocha-session/dynamodb";
import { SessionMemcachedStore } from "kocha-session/memcached";
import { SessionMysqlStore } from "kocha-session/mysql";
import { type PostgresConnection, SessionPostgresStore } from "kocha-session/postgres";
import { SessionRedisStore } from "kocha-session/redis";
import { SessionSqliteStore, type SqliteConnection } from "kocha-session/sqlite";
import { fakeClock, type TestClock } from "kocha-session/testing";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { startMariadb } from "../tests/support/servers/mariadb.ts";
import { dynamoClientOf, makeDynamoTable, startDynamo } from "../tests/support/servers/dynamodb.ts";
import { startMemcached } from "../tests/support/servers/memcached.ts";
import { startNeon } from "../tests/support/servers/neon.ts";
import { startPostgres } from "../tests/support/servers/postgres.ts";
import { startRedis } from "../tests/support/servers/redis.ts";
import { startUpstash, upstashClientOf } from "../tests/support/servers/upstash.ts";

/** A store's engine, started. */
export interface OpenSubject {
  /** A store on ground that no other store of the run shares. */
  readonly makeStore: () => Promise<SessionStore>;
  /** The configuration around each store, made with it. */
  readonly makeConfig?: () => Partial<SessionConfig>;
  /** What the store goes by, if it isn't real time. */
  readonly clock?: TestClock;
  readonly close?: () => Promise<void> | void;
}

const freshKey = (): string => randomBytes(32).toString("base64");
let count = 0;
const fresh = (): string => `laws${++count}`;

/** Seconds of the idle timeout: the list of the dead must know how long it keeps them. */
const DAY = 86_400;

function cookieStore(
  options: Pick<SessionCookieStoreOptions, "maxCookies" | "merge">,
  revoking = false,
): OpenSubject {
  const clock = fakeClock();
  const keys = { secretKey: freshKey(), signingKey: freshKey() };
  const makeStore = async () => new SessionCookieStore({ ...keys, ...options });
  if (!revoking) return { makeStore, clock };
  const makeConfig = () => ({
    revocations: memoryRevocations({ now: clock.now }),
    sessionExpires: DAY,
  });
  return { makeStore, clock, makeConfig };
}

/** A store on one file of SQLite. */
function onSqliteFile(
  open: (path: string) => SqliteConnection & { close(): unknown },
): OpenSubject {
  const clock = fakeClock();
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-laws-"));
  const client = open(join(folder, "sessions.db"));
  return {
    makeStore: async () => {
      const store = new SessionSqliteStore({ client, table: fresh(), now: clock.now });
      await store.createTable();
      return store;
    },
    clock,
    close: () => {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** now() that can be turned: a schema of this name stands before pg_catalog in the search path. */
const turned = `
  CREATE SCHEMA turned;
  CREATE TABLE turned.clock (ms bigint);
  CREATE FUNCTION turned.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT to_timestamp(ms / 1000.0) FROM turned.clock';
  ALTER DATABASE postgres SET search_path = public, turned, pg_catalog`;

/** PostgreSQL, by the client that `connect` makes of a pool. */
async function onPostgres(
  connect: (
    pool: pg.Pool,
  ) => Promise<{ readonly client: PostgresConnection; readonly close: () => Promise<void> }>,
): Promise<OpenSubject> {
  const server = await startPostgres();
  const setup = new pg.Client({ connectionString: server.url });
  await setup.connect();
  await setup.query(turned);
  const { now, advance } = fakeClock();
  await setup.query(`INSERT INTO turned.clock VALUES (${now()})`);
  const pool = new pg.Pool({ connectionString: server.url });
  const { client, close } = await connect(pool);
  return {
    makeStore: async () => {
      const store = new SessionPostgresStore({ client, table: fresh() });
      await store.createTable();
      return store;
    },
    clock: {
      now,
      advance: async (ms) => {
        await advance(ms);
        await setup.query(`UPDATE turned.clock SET ms = ${now()}`);
      },
    },
    close: async () => {
      await close();
      await pool.end();
      await setup.end();
      await server.close();
    },
  };
}

async function mysql(): Promise<OpenSubject> {
  const server = await startMariadb();
  const pool = createPool(server.url);
  const clock = fakeClock();
  // MariaDB's now is the connection's `timestamp`, where that is set.
  const client = {
    execute: async (query: QueryOptions, values?: never[]) => {
      const connection = await pool.getConnection();
      try {
        await connection.query(`SET timestamp = ${clock.now() / 1000}`);
        return await connection.execute(query, values);
      } finally {
        connection.release();
      }
    },
  };
  return {
    makeStore: async () => {
      const store = new SessionMysqlStore({ client, table: fresh() });
      await store.createTable();
      return store;
    },
    clock,
    close: async () => {
      await pool.end();
      await server.close();
    },
  };
}

async function redis(): Promise<OpenSubject> {
  const server = await startRedis();
  const client = await createClient({ url: server.url }).connect();
  return {
    makeStore: async () => new SessionRedisStore({ client, prefix: `${fresh()}:` }),
    close: async () => {
      await client.close();
      await server.close();
    },
  };
}

async function upstash(): Promise<OpenSubject> {
  const server = await startRedis();
  const front = await startUpstash(server.url);
  const client = upstashClientOf(front.url);
  return {
    makeStore: async () => new SessionRedisStore({ client, prefix: `${fresh()}:` }),
    close: async () => {
      await front.close();
      await server.close();
    },
  };
}

async function dynamodb(): Promise<OpenSubject> {
  const server = await startDynamo();
  const client = dynamoClientOf(server.url);
  const clock = fakeClock(Date.now());
  return {
    makeStore: async () => {
      const table = fresh();
      await makeDynamoTable(client, table);
      return new SessionDynamoStore({ client, table, now: clock.now });
    },
    clock,
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
}

async function memcached(): Promise<OpenSubject> {
  const server = await startMemcached();
  const client = new Memcache({ nodes: [`127.0.0.1:${server.port}`] });
  await client.connect();
  // Near enough to real time for memcached's own expiry.
  const clock = fakeClock(Date.now());
  return {
    makeStore: async () => new SessionMemcachedStore({ client, now: clock.now }),
    clock,
    close: async () => {
      await client.disconnect();
      await server.close();
    },
  };
}

function unstorage(): OpenSubject {
  const clock = fakeClock();
  const makeStore = async () => {
    const storage = createStorage({ driver: memoryDriver() });
    return new SessionUnstorageStore({ storage, acceptRaces: true, now: clock.now });
  };
  return { makeStore, clock };
}

function expressStore(): OpenSubject {
  const clock = fakeClock(Date.now());
  const makeStore = async () =>
    fromExpressStore(new session.MemoryStore(), { acceptRaces: true, now: clock.now });
  return { makeStore, clock };
}

function memory(): OpenSubject {
  const clock = fakeClock();
  return { makeStore: async () => new SessionMemoryStore({ now: clock.now }), clock };
}

/** The stores by their columns' headings. */
export const storeSubjects: Readonly<Record<string, () => OpenSubject | Promise<OpenSubject>>> = {
  cookie: () => cookieStore({}),
  "cookie, split": () => cookieStore({ maxCookies: 2 }),
  "cookie, merging": () => cookieStore({ merge: mergingCookies() }),
  "cookie, revocations": () => cookieStore({}, true),
  "cookie, merging, revocations": () => cookieStore({ merge: mergingCookies() }, true),
  memory,
  SQLite: () => onSqliteFile((path) => new Libsql(path)),
  libsql: () => onSqliteFile((path) => createLibsql({ url: `file:${path}` })),
  PostgreSQL: () => onPostgres(async (pool) => ({ client: pool, close: async () => undefined })),
  Neon: () => onPostgres((pool) => startNeon(pool)),
  MariaDB: mysql,
  Redis: redis,
  Upstash: upstash,
  DynamoDB: dynamodb,
  memcached,
  unstorage,
  "express-store": expressStore,
};
