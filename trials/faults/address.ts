// The address of a fault run's store, as JSON from the parent to its applications, which open the store.
// Clients are set up as in docs/stores.md.
import type { SessionStore } from "kocha-session";

/** The condition on which a change on Redis counts as saved. */
export type Durability = "master" | "replicated";

/** The address of a database. */
export type StoreAddress =
  | {
      readonly kind: "redis";
      readonly client: "node-redis" | "ioredis";
      readonly port: number;
      readonly durability: Durability;
    }
  | {
      readonly kind: "redis-sentinel" | "redis-cluster";
      readonly client: "node-redis" | "ioredis";
      /** The sentinels, or nodes of the cluster. */
      readonly roots: readonly { readonly host: string; readonly port: number }[];
      /** The master's name at the sentinels. */
      readonly name: string;
      readonly durability: Durability;
    }
  | { readonly kind: "postgres" | "mariadb"; readonly url: string }
  | { readonly kind: "memcached"; readonly port: number }
  | { readonly kind: "sqlite"; readonly path: string };

const ignore = (): void => undefined;
/** Milliseconds between two tries to connect again. */
const RECONNECT = 50;

/** The store behind an address, with a client of its own. */
export async function openStore(address: StoreAddress): Promise<SessionStore> {
  switch (address.kind) {
    case "redis":
    case "redis-sentinel":
    case "redis-cluster": {
      const { SessionRedisStore } = await import("kocha-session/redis");
      const { durability } = address;
      const client =
        address.client === "ioredis" ? await openIoredis(address) : await openNodeRedis(address);
      return new SessionRedisStore({ client, durability });
    }
    case "postgres": {
      const { default: pg } = await import("pg");
      const { SessionPostgresStore } = await import("kocha-session/postgres");
      const client = new pg.Pool({ connectionString: address.url });
      client.on("error", ignore);
      const store = new SessionPostgresStore({ client });
      await store.createTable();
      return store;
    }
    case "mariadb": {
      const { default: mysql } = await import("mysql2/promise");
      const { SessionMysqlStore } = await import("kocha-session/mysql");
      const store = new SessionMysqlStore({ client: mysql.createPool(address.url) });
      await store.createTable();
      return store;
    }
    case "memcached": {
      const { Memcache } = await import("memcache");
      const { SessionMemcachedStore } = await import("kocha-session/memcached");
      const client = new Memcache({ nodes: [`127.0.0.1:${address.port}`] });
      client.on("error", ignore);
      await client.connect();
      return new SessionMemcachedStore({ client });
    }
    case "sqlite":
  }
  const { default: Database } = await import("libsql");
  const { SessionSqliteStore } = await import("kocha-session/sqlite");
  return new SessionSqliteStore({ client: new Database(address.path) });
}

type RedisAddress = Extract<StoreAddress, { readonly client: string }>;

async function openNodeRedis(address: RedisAddress) {
  const { createClient, createCluster, createSentinel } = await import("redis");
  const socket = { reconnectStrategy: () => RECONNECT };
  const options = { socket, disableOfflineQueue: true };
  if (address.kind === "redis") {
    const client = createClient({
      ...options,
      socket: { ...socket, host: "127.0.0.1", port: address.port },
    });
    client.on("error", ignore);
    return client.connect();
  }
  if (address.kind === "redis-sentinel") {
    const client = createSentinel({
      name: address.name,
      sentinelRootNodes: [...address.roots],
      nodeClientOptions: options,
    });
    client.on("error", ignore);
    await client.connect();
    return client;
  }
  const rootNodes = address.roots.map(({ host, port }) => ({ socket: { ...socket, host, port } }));
  const client = createCluster({ rootNodes, defaults: options });
  client.on("error", ignore);
  await client.connect();
  return client;
}

async function openIoredis(address: RedisAddress) {
  const { Cluster, Redis } = await import("ioredis");
  const options = {
    retryStrategy: () => RECONNECT,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  if (address.kind === "redis-cluster") {
    const client = new Cluster([...address.roots], { redisOptions: options });
    client.on("error", ignore);
    return client;
  }
  const client =
    address.kind === "redis"
      ? new Redis({ ...options, port: address.port })
      : new Redis({ ...options, name: address.name, sentinels: [...address.roots] });
  client.on("error", ignore);
  return client;
}
