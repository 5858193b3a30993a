// The stores that the demo runs on: `--store redis`. Each is a line of configuration; what is written here
// opens the driver's own connection, at the address that a variable of the environment gives.
import {
  type AnySessionStore,
  SessionCookieStore,
  type SessionCookieStoreOptions,
  SessionMemoryStore,
} from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import type { SqliteDatabase } from "kocha-session/sqlite";

/** A store that the demo opened, and how to let go of it. */
export interface OpenedStore {
  readonly store: AnySessionStore;
  /** The store as the pages call it. */
  readonly name: string;
  /** Whether sessions outlive the process, with the same secrets. */
  readonly isDurable: boolean;
  readonly close: () => Promise<void> | void;
}

type OpenStore = (keys: SessionCookieStoreOptions) => Promise<OpenedStore> | OpenedStore;

const nothing = (): void => undefined;

/** By name; the drivers are loaded by whoever asks for them. */
const openers: Readonly<Record<string, OpenStore>> = {
  cookie: (keys) => {
    const store = new SessionCookieStore({ ...keys, merge: mergingCookies() });
    return { store, name: "cookies", isDurable: true, close: nothing };
  },
  memory: () => {
    const store = new SessionMemoryStore();
    return { store, name: "memory", isDurable: false, close: () => store.close() };
  },
  sqlite: async () => {
    const { SessionSqliteStore } = await import("kocha-session/sqlite");
    const path = process.env["SESSION_DATABASE"] ?? ":memory:";
    const client = await openDatabase(path);
    const isDurable = path !== ":memory:";
    const store = new SessionSqliteStore({ client });
    return { store, name: "SQLite", isDurable, close: () => client.close() };
  },
  redis: async () => {
    const [{ createClient }, { SessionRedisStore }] = await Promise.all([
      import("redis"),
      import("kocha-session/redis"),
    ]);
    const url = process.env["REDIS_URL"] ?? "redis://localhost:6379";
    const socket = { reconnectStrategy: false } as const;
    const client = createClient({ url, socket, disableOfflineQueue: true });
    client.on("error", console.error);
    await client.connect();
    const store = new SessionRedisStore({ client });
    return { store, name: "Redis", isDurable: true, close: () => client.destroy() };
  },
  postgres: async () => {
    const [{ default: pg }, { SessionPostgresStore }] = await Promise.all([
      import("pg"),
      import("kocha-session/postgres"),
    ]);
    const connectionString =
      process.env["POSTGRES_URL"] ?? "postgres://postgres@localhost/postgres";
    const client = new pg.Pool({ connectionString });
    client.on("error", console.error);
    const store = new SessionPostgresStore({ client });
    await store.createTable();
    return { store, name: "PostgreSQL", isDurable: true, close: () => client.end() };
  },
  mysql: async () => {
    const [{ default: mysql }, { SessionMysqlStore }] = await Promise.all([
      import("mysql2/promise"),
      import("kocha-session/mysql"),
    ]);
    const client = mysql.createPool(process.env["MYSQL_URL"] ?? "mysql://root@localhost/app");
    const store = new SessionMysqlStore({ client });
    await store.createTable();
    return { store, name: "MySQL", isDurable: true, close: () => client.end() };
  },
  memcached: async () => {
    const [{ Memcache }, { SessionMemcachedStore }] = await Promise.all([
      import("memcache"),
      import("kocha-session/memcached"),
    ]);
    const client = new Memcache({ nodes: [process.env["MEMCACHED_NODE"] ?? "localhost:11211"] });
    const store = new SessionMemcachedStore({ client });
    return { store, name: "memcached", isDurable: true, close: () => client.disconnect() };
  },
};

/** Node.js's own SQLite where there is one, from 22.13 on; else libsql. */
async function openDatabase(path: string) {
  // By name, since the types and the bundlers of older versions don't know it.
  const own = process.getBuiltinModule?.("node:sqlite") as SqliteModule | undefined;
  if (own !== undefined) return new own.DatabaseSync(path);
  const { default: Database } = await import("libsql");
  return new Database(path);
}

/** The part of node:sqlite that is needed. */
interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase & { close(): void };
}

/** The names that `--store` takes. */
export const storeNames: readonly string[] = Object.keys(openers);

/**
 * Opens a store by its name.
 * @throws {Error} when it isn't one of `storeNames`, its driver isn't installed, or its server doesn't
 * answer; the message says so.
 */
export async function openStore(
  name: string,
  keys: SessionCookieStoreOptions,
): Promise<OpenedStore> {
  const open = Object.hasOwn(openers, name) ? openers[name] : undefined;
  if (open === undefined) throw new Error(`--store must be one of ${storeNames.join(", ")}`);
  try {
    return await open(keys);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const driver = /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1]?.split("/")[0];
    if (driver !== undefined) {
      throw new Error(`--store ${name} needs a driver: npm install ${driver}`, { cause: error });
    }
    const reason = message || code || String(error);
    throw new Error(`the store can't be opened: ${reason}`, { cause: error });
  }
}
