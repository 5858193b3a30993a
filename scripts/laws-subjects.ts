// Every store that we ship, on a real server of its own where it needs one, as the laws' report
// wants them: one line each, in the order of the documentation.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { Memcache } from "memcache";
import session from "express-session";
import Libsql from "libsql";
import { createClient } from "redis";
import { createStorage } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import { SessionCookieStore, SessionMemoryStore, type SessionStore } from "kocha-session";
import { fromExpressStore } from "kocha-session/express-store";
import { SessionMemcachedStore } from "kocha-session/memcached";
import { SessionRedisStore } from "kocha-session/redis";
import { SessionSqliteStore } from "kocha-session/sqlite";
import { fakeClock, type TestClock } from "kocha-session/testing";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { startMemcached } from "../tests/support/servers/memcached.ts";
import { startRedis } from "../tests/support/servers/redis.ts";

/** A store's engine, started. */
export interface OpenSubject {
  /** A store on ground that no other store of the run shares. */
  readonly makeStore: () => SessionStore;
  /** What the store goes by, if it isn't real time. */
  readonly clock?: TestClock;
  readonly close?: () => Promise<void> | void;
}

const freshKey = (): string => randomBytes(32).toString("base64");
let count = 0;
const fresh = (): string => `laws${++count}`;

function cookieStore(maxCookies: number): OpenSubject {
  const clock = fakeClock();
  const keys = { secretKey: freshKey(), signingKey: freshKey() };
  const makeStore = () => new SessionCookieStore({ ...keys, maxCookies, now: clock.now });
  return { makeStore, clock };
}

async function sqlite(): Promise<OpenSubject> {
  const clock = fakeClock();
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-laws-"));
  const client = new Libsql(join(folder, "sessions.db"));
  return {
    makeStore: () => new SessionSqliteStore({ client, table: fresh(), now: clock.now }),
    clock,
    close: () => {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function redis(): Promise<OpenSubject> {
  const server = await startRedis();
  const client = await createClient({ url: server.url }).connect();
  return {
    makeStore: () => new SessionRedisStore({ client, prefix: `${fresh()}:` }),
    close: async () => {
      await client.close();
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
    makeStore: () => new SessionMemcachedStore({ client, now: clock.now }),
    clock,
    close: async () => {
      await client.disconnect();
      await server.close();
    },
  };
}

function unstorage(): OpenSubject {
  const clock = fakeClock();
  const makeStore = () => {
    const storage = createStorage({ driver: memoryDriver() });
    return new SessionUnstorageStore({ storage, acceptRaces: true, now: clock.now });
  };
  return { makeStore, clock };
}

function expressStore(): OpenSubject {
  const clock = fakeClock(Date.now());
  const makeStore = () =>
    fromExpressStore(new session.MemoryStore(), { acceptRaces: true, now: clock.now });
  return { makeStore, clock };
}

function memory(): OpenSubject {
  const clock = fakeClock();
  return { makeStore: () => new SessionMemoryStore({ now: clock.now }), clock };
}

/** The stores by their columns' headings. */
export const storeSubjects: Readonly<Record<string, () => OpenSubject | Promise<OpenSubject>>> = {
  cookie: () => cookieStore(1),
  "cookie, split": () => cookieStore(2),
  memory,
  SQLite: sqlite,
  Redis: redis,
  memcached,
  unstorage,
  "express-store": expressStore,
};
