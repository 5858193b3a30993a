// The stores that the demo runs on: `npm run demo -- --store redis`. Each is a line of configuration;
// what is written here opens the driver's own connection.
import {
  SessionCookieStore,
  type SessionCookieStoreOptions,
  SessionMemoryStore,
  type AnySessionStore,
} from "kocha-session";

/** A store that the demo opened, and how to let go of it. */
export interface OpenedStore {
  readonly store: AnySessionStore;
  readonly close: () => Promise<void> | void;
}

type OpenStore = (keys: SessionCookieStoreOptions) => Promise<OpenedStore> | OpenedStore;

const nothing = (): void => undefined;

/** By name; the drivers are loaded by whoever asks for them. */
const openers: Readonly<Record<string, OpenStore>> = {
  cookie: (keys) => ({ store: new SessionCookieStore(keys), close: nothing }),
  memory: () => {
    const store = new SessionMemoryStore();
    return { store, close: () => store.close() };
  },
  sqlite: async () => {
    const [{ default: Database }, { SessionSqliteStore }] = await Promise.all([
      import("libsql"),
      import("kocha-session/sqlite"),
    ]);
    const client = new Database(process.env["SESSION_DATABASE"] ?? ":memory:");
    return { store: new SessionSqliteStore({ client }), close: () => void client.close() };
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
    return { store: new SessionRedisStore({ client }), close: () => client.destroy() };
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
    return { store, close: () => client.end() };
  },
  mysql: async () => {
    const [{ default: mysql }, { SessionMysqlStore }] = await Promise.all([
      import("mysql2/promise"),
      import("kocha-session/mysql"),
    ]);
    const client = mysql.createPool(process.env["MYSQL_URL"] ?? "mysql://root@localhost/app");
    const store = new SessionMysqlStore({ client });
    await store.createTable();
    return { store, close: () => client.end() };
  },
  memcached: async () => {
    const [{ Memcache }, { SessionMemcachedStore }] = await Promise.all([
      import("memcache"),
      import("kocha-session/memcached"),
    ]);
    const client = new Memcache({ nodes: [process.env["MEMCACHED_NODE"] ?? "localhost:11211"] });
    return { store: new SessionMemcachedStore({ client }), close: () => client.disconnect() };
  },
};

/** The names that `--store` takes. */
const storeNames: readonly string[] = Object.keys(openers);

/**
 * Opens a store by its name.
 * @throws when its server doesn't answer.
 */
export async function openStore(
  name: string,
  keys: SessionCookieStoreOptions,
): Promise<OpenedStore> {
  const open = openers[name];
  if (open === undefined) throw new Error(`--store must be one of ${storeNames.join(", ")}`);
  return open(keys);
}
