// Our server-side stores: in memory, on Redis under Express, and what a change takes to each.
import type { SessionStore } from "../../src/index.ts";
import { onExpress } from "../http/hosts/express.ts";
import { loginData, ourKeys } from "../lib/data.ts";
import { ours, peer } from "../lib/load.ts";
import type { Awaitable, RowScheme, Subject } from "../lib/subject.ts";

const TTL = 90 * 86_400_000;

interface NodeRedis {
  readonly createClient: (options: object) => { connect(): Promise<unknown>; destroy(): void };
}
interface Memcached {
  readonly Memcache: new (options: object) => { disconnect(): Promise<void> };
}
interface Statement {
  run(...values: readonly unknown[]): unknown;
  get(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): unknown;
}
interface Database {
  exec(text: string): unknown;
  prepare(text: string): Statement;
}
interface Pool {
  end(): Promise<void>;
}
interface Pg {
  readonly default: { readonly Pool: new (options: object) => Pool };
}
interface Mysql2 {
  readonly default: { readonly createPool: (url: string) => Pool };
}
interface Libsql {
  readonly default: new (path: string) => Database;
}

/** A store by itself, as the engine calls it: an update carries what has changed. */
function rows(store: SessionStore): RowScheme {
  const created = Date.now();
  const meta = JSON.stringify([1, created, null, 0, null, 0, null, null]);
  const lasting = { del: [], ttl: TTL, deadline: Infinity } as const;
  const nameOf = (row: Awaited<ReturnType<SessionStore["load"]>>): string | undefined =>
    row?.data.get("name");
  const later = <T, R>(value: Awaitable<T>, next: (value: T) => R): Awaitable<R> =>
    value instanceof Promise ? value.then(next) : next(value);
  const must = (saved: unknown): void => {
    if (saved === undefined) throw new Error("the store refused the change");
  };
  return {
    create: (id, pairs) => {
      const set = new Map(Object.entries(pairs));
      return later(store.save(id, { op: "create", set, ...lasting, meta }), must);
    },
    get: (id) => later(store.load(id), nameOf),
    change: (id, csrf) => {
      const set = new Map([["csrf", csrf]]);
      return later(store.save(id, { op: "update", rev: 1, set, ...lasting }), must);
    },
  };
}

async function redisStore(port: number) {
  const { SessionRedisStore } = await ours("stores/redis");
  const { createClient } = await peer<NodeRedis>("redis");
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  const store: SessionStore = new SessionRedisStore({ client: client as never });
  return { store, close: (): void => client.destroy() };
}

/** SQLite has no socket: what a statement is given is what goes to the store. */
async function sqliteRows(): Promise<RowScheme> {
  const { SessionSqliteStore } = await ours("stores/sqlite");
  const { default: Libsql } = await peer<Libsql>("libsql");
  const database = new Libsql(":memory:");
  let bytes = 0;
  const count = (values: readonly unknown[]): void => {
    for (const value of values) bytes += Buffer.byteLength(String(value));
  };
  const prepare = (text: string): Statement => {
    const statement = database.prepare(text);
    count([text]);
    const counted =
      (method: keyof Statement) =>
      (...values: readonly unknown[]): unknown => {
        count(values);
        return statement[method](...values);
      };
    return { run: counted("run"), get: counted("get"), all: counted("all") };
  };
  const client = { exec: (text: string) => database.exec(text), prepare };
  return { ...rows(new SessionSqliteStore({ client: client as never })), bytes: () => bytes };
}

async function postgresRows(url: string, prepare: boolean): Promise<RowScheme> {
  const { SessionPostgresStore } = await ours("stores/postgres");
  const { default: pg } = await peer<Pg>("pg");
  const client = new pg.Pool({ connectionString: url, max: 1 });
  const store = new SessionPostgresStore({ client: client as never, prepare });
  await store.createTable();
  return { ...rows(store), close: () => client.end() };
}

/** Ours. */
export const subjects: readonly Subject[] = [
  {
    name: "SessionMemoryStore",
    kind: "ours",
    packages: ["kocha-session"],
    note: "bounded in entries and bytes",
    memory: async () => {
      const { SessionMemoryStore } = await ours("index");
      return rows(new SessionMemoryStore({ maxEntries: 1_000_000, maxBytes: 2 ** 40 }));
    },
  },
  {
    name: "SessionRedisStore",
    kind: "ours",
    packages: ["kocha-session", "redis"],
    note: "a hash for each session, by node-redis",
    redis: async (port) => {
      const { sessionMiddleware } = await ours("hosts/express");
      const { signingKey } = ourKeys;
      const { store } = await redisStore(port);
      const times = { cookieExpires: TTL / 1000, sessionExpires: TTL / 1000 };
      const config = { name: "session", store, signingKey, ...times };
      return onExpress({
        mount: (app) => app.use(sessionMiddleware(config)),
        login: ({ session }) => {
          for (const [key, value] of Object.entries(loginData)) session.set(key, value);
        },
        read: ({ session }) => session.get("name"),
        write: ({ session }, _, value) => session.set("csrf", value),
      });
    },
    growth: {
      service: "redis",
      open: async (port) => {
        const { close, store } = await redisStore(port);
        return { ...rows(store), close };
      },
    },
  },
  {
    name: "SessionSqliteStore",
    kind: "ours",
    packages: ["kocha-session", "libsql"],
    note: "bytes of the values of the prepared statement, by libsql",
    growth: { service: undefined, open: sqliteRows },
  },
  {
    name: "SessionPostgresStore",
    kind: "ours",
    packages: ["kocha-session", "pg"],
    note: "by pg",
    growth: { service: "postgres", open: (_, url) => postgresRows(url, false) },
  },
  {
    name: "SessionPostgresStore, prepare",
    kind: "ours",
    packages: ["kocha-session", "pg"],
    note: "by pg with named statements",
    growth: { service: "postgres", open: (_, url) => postgresRows(url, true) },
  },
  {
    name: "SessionMysqlStore",
    kind: "ours",
    packages: ["kocha-session", "mysql2"],
    note: "on MariaDB, by mysql2",
    growth: {
      service: "mariadb",
      open: async (_, url) => {
        const { SessionMysqlStore } = await ours("stores/mysql");
        const { default: mysql } = await peer<Mysql2>("mysql2/promise");
        const client = mysql.createPool(url);
        const store = new SessionMysqlStore({ client: client as never });
        await store.createTable();
        return { ...rows(store), close: () => client.end() };
      },
    },
  },
  {
    name: "SessionMemcachedStore",
    kind: "ours",
    packages: ["kocha-session", "memcache"],
    note: "memcached writes only whole items",
    growth: {
      service: "memcached",
      open: async (port) => {
        const { SessionMemcachedStore } = await ours("stores/memcached");
        const { Memcache } = await peer<Memcached>("memcache");
        const client = new Memcache({ nodes: [`127.0.0.1:${port}`] });
        const store = new SessionMemcachedStore({ client: client as never });
        return { ...rows(store), close: () => client.disconnect() };
      },
    },
  },
];
