// The subjects of races: one row for each store, with its server and its opening in a process. A store that
// isn't atomic is a control: the checker must convict it.
import { join } from "node:path";
import type { Store } from "express-session";
import type { SessionStore } from "kocha-session";
import type { StartServers } from "./processes.ts";

/** A store opened in one process. */
interface Opened<T> {
  readonly store: T;
  readonly close: () => Promise<unknown> | void;
}

/** A store's server, private to this race. */
interface Started {
  /** The address for processes. */
  readonly address: string;
  readonly close: () => Promise<unknown> | void;
}

interface Common {
  /** The default number of processes that share the store. */
  readonly processes: number;
  readonly start: () => Promise<Started>;
}

/** A store of ours; `atomic`: it must keep every law. */
interface OurSubject extends Common {
  readonly library: "kocha-session";
  readonly atomic: boolean;
  readonly open: (address: string) => Promise<Opened<SessionStore>>;
}

/** express-session with one of its stores. */
interface TheirSubject extends Common {
  readonly library: "express-session";
  readonly atomic: false;
  readonly open: (address: string) => Promise<Opened<Store>>;
}

/** A store of ours on a platform that has no processes: each server is an isolate of its own. */
interface IsolatesSubject extends Common {
  readonly library: "kocha-session";
  readonly atomic: boolean;
  readonly serve: StartServers;
}

/** A subject of a race. */
export type Subject = OurSubject | TheirSubject | IsolatesSubject;

const ours = { library: "kocha-session", atomic: true, processes: 4 } as const;
const theirs = { library: "express-session", atomic: false, processes: 4 } as const;
const nowhere: Subject["start"] = async () => ({ address: "", close: () => undefined });

async function redis(): Promise<Started> {
  const { startRedis } = await import("../../tests/support/servers/redis.ts");
  const { url, close } = await startRedis();
  return { address: url, close };
}

async function postgres(): Promise<Started> {
  const { startPostgres } = await import("../../tests/support/servers/postgres.ts");
  const { url, close } = await startPostgres();
  return { address: url, close };
}

async function mariadb(): Promise<Started> {
  const { startMariadb } = await import("../../tests/support/servers/mariadb.ts");
  const { url, close } = await startMariadb();
  return { address: url, close };
}

async function memcached(): Promise<Started> {
  const { startMemcached } = await import("../../tests/support/servers/memcached.ts");
  const { port, close } = await startMemcached();
  return { address: `127.0.0.1:${port}`, close };
}

async function dynamo(): Promise<Started> {
  const { dynamoClientOf, makeDynamoTable, startDynamo } =
    await import("../../tests/support/servers/dynamodb.ts");
  const { url, close } = await startDynamo();
  const client = dynamoClientOf(url);
  await makeDynamoTable(client);
  client.destroy();
  return { address: url, close };
}

async function folder(): Promise<Started> {
  const { dataFolder } = await import("../../tests/support/servers/process.ts");
  const { path, remove } = dataFolder("race");
  return { address: path, close: remove };
}

async function openRedis(url: string) {
  const { createClient } = await import("redis");
  const client = createClient({ url });
  await client.connect();
  return client;
}

/** By the name that `--store` takes. */
export const subjects: Readonly<Record<string, Subject>> = {
  memory: {
    ...ours,
    processes: 1,
    start: nowhere,
    open: async () => {
      const { SessionMemoryStore } = await import("kocha-session");
      const store = new SessionMemoryStore();
      return { store, close: () => store.close() };
    },
  },
  sqlite: {
    ...ours,
    start: folder,
    open: async (path) => {
      const { default: Database } = await import("libsql");
      const { SessionSqliteStore } = await import("kocha-session/sqlite");
      const client = new Database(join(path, "race.db"));
      const store = new SessionSqliteStore({ client });
      // A race has no power failure: no need to wait for the disk.
      client.exec("PRAGMA synchronous = NORMAL");
      return { store, close: () => void client.close() };
    },
  },
  redis: {
    ...ours,
    start: redis,
    open: async (url) => {
      const { SessionRedisStore } = await import("kocha-session/redis");
      const client = await openRedis(url);
      return { store: new SessionRedisStore({ client }), close: () => client.close() };
    },
  },
  postgres: {
    ...ours,
    start: postgres,
    open: async (connectionString) => {
      const { default: pg } = await import("pg");
      const { SessionPostgresStore } = await import("kocha-session/postgres");
      const client = new pg.Pool({ connectionString, max: 8 });
      const store = new SessionPostgresStore({ client });
      await store.createTable();
      return { store, close: () => client.end() };
    },
  },
  mysql: {
    ...ours,
    start: mariadb,
    open: async (uri) => {
      const { createPool } = await import("mysql2/promise");
      const { SessionMysqlStore } = await import("kocha-session/mysql");
      const client = createPool({ uri, connectionLimit: 8 });
      const store = new SessionMysqlStore({ client });
      await store.createTable();
      return { store, close: () => client.end() };
    },
  },
  d1: {
    ...ours,
    processes: 2,
    start: nowhere,
    serve: async (orders) => {
      const { startIsolates } = await import("./isolates.ts");
      return startIsolates("d1", orders);
    },
  },
  "durable-object": {
    ...ours,
    processes: 2,
    start: nowhere,
    serve: async (orders) => {
      const { startIsolates } = await import("./isolates.ts");
      return startIsolates("durable-object", orders);
    },
  },
  memcached: {
    ...ours,
    start: memcached,
    open: async (address) => {
      const { Memcache } = await import("memcache");
      const { SessionMemcachedStore } = await import("kocha-session/memcached");
      const client = new Memcache({ nodes: [address] });
      await client.connect();
      return { store: new SessionMemcachedStore({ client }), close: () => client.disconnect() };
    },
  },
  dynamodb: {
    ...ours,
    start: dynamo,
    open: async (url) => {
      const { dynamoClientOf } = await import("../../tests/support/servers/dynamodb.ts");
      const { SessionDynamoStore } = await import("kocha-session/dynamodb");
      const client = dynamoClientOf(url);
      return { store: new SessionDynamoStore({ client }), close: () => client.destroy() };
    },
  },
  "unstorage+fs": {
    ...ours,
    atomic: false,
    start: folder,
    open: async (base) => {
      const { createStorage } = await import("unstorage");
      const { default: fsDriver } = await import("unstorage/drivers/fs");
      const { SessionUnstorageStore } = await import("kocha-session/unstorage");
      const storage = createStorage({ driver: fsDriver({ base }) });
      const store = new SessionUnstorageStore({ storage, acceptRaces: true });
      return { store, close: () => storage.dispose() };
    },
  },
  "from-express-store+connect-redis": {
    ...ours,
    atomic: false,
    start: redis,
    open: async (url) => {
      const { RedisStore } = await import("connect-redis");
      const { fromExpressStore } = await import("kocha-session/express-store");
      const client = await openRedis(url);
      const store = fromExpressStore(new RedisStore({ client }), { acceptRaces: true });
      return { store, close: () => client.close() };
    },
  },
  "express-session+connect-redis": {
    ...theirs,
    start: redis,
    open: async (url) => {
      const { RedisStore } = await import("connect-redis");
      const client = await openRedis(url);
      return { store: new RedisStore({ client }), close: () => client.close() };
    },
  },
  "express-session+memorystore": {
    ...theirs,
    processes: 1,
    start: nowhere,
    open: async () => {
      const { default: session } = await import("express-session");
      const { default: createMemoryStore } = await import("memorystore");
      const MemoryStore = createMemoryStore(session);
      return { store: new MemoryStore({ checkPeriod: 60_000 }), close: () => undefined };
    },
  },
};
