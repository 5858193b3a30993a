// The faults of the other databases: PostgreSQL, MariaDB, memcached and SQLite.
import { connect } from "node:net";
import { join } from "node:path";
import { startMariadb } from "../../tests/support/servers/mariadb.ts";
import { startMemcached } from "../../tests/support/servers/memcached.ts";
import { startPostgres } from "../../tests/support/servers/postgres.ts";
import { dataFolder } from "../../tests/support/servers/process.ts";
import { startRedis } from "../../tests/support/servers/redis.ts";
import type { StoreAddress } from "./address.ts";
import { behindProxy, networkFaults } from "./network.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** A running server of any kind. */
interface Running {
  readonly address: StoreAddress;
  readonly server?: { kill(): Promise<void>; start(): Promise<void> };
  readonly close: () => Promise<void>;
}

const startPg = async (): Promise<Running & { port: number }> => {
  const { url, port, server, close } = await startPostgres();
  return { address: { kind: "postgres", url }, port, server, close };
};
const startMaria = async (): Promise<Running & { port: number }> => {
  const { url, port, server, close } = await startMariadb();
  return { address: { kind: "mariadb", url }, port, server, close };
};
const startCache = async (megabytes?: number): Promise<Running & { port: number }> => {
  const { port, server, close } = await startMemcached(megabytes);
  return { address: { kind: "memcached", port }, port, server, close };
};
const startFile = async (): Promise<Running> => {
  const { path, remove } = dataFolder("faults");
  const close = async (): Promise<void> => remove();
  return { address: { kind: "sqlite", path: join(path, "sessions.db") }, close };
};
const startRedisServer = async (): Promise<Running> => {
  const { port, close } = await startRedis();
  const address = { kind: "redis", client: "node-redis", port, durability: "master" } as const;
  return { address, close };
};

/** The server is killed, and started again on the same data. */
async function crash({ address, server, close }: Running): Promise<Stage> {
  return {
    address,
    inject: () => server?.kill(),
    lift: () => server?.start(),
    close,
  };
}

/** Five times an application process is killed in the middle of its work, and replaced. */
async function crashApps({ address, close }: Running): Promise<Stage> {
  return {
    address,
    inject: async (apps) => {
      for (let crashes = 0; crashes < 5; crashes++) await apps.crashOne();
    },
    lift: () => undefined,
    close,
  };
}

/** Other entries displace sessions. */
async function crowd({ address, port, close }: Running & { port: number }): Promise<Stage> {
  return { address, inject: () => fillCache(port), close };
}

/** Sets more entries than memcached has room for. */
async function fillCache(port: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.on("data", () => undefined);
  for (const size of [100, 200, 400, 800, 1600]) {
    const value = "x".repeat(size);
    const count = Math.ceil(8_000_000 / size);
    for (let index = 0; index < count; index++) {
      const command = `set fill:${size}:${index} 0 0 ${size} noreply\r\n${value}\r\n`;
      if (!socket.write(command)) await new Promise((resolve) => socket.once("drain", resolve));
    }
  }
  await new Promise<void>((resolve) => socket.end(() => resolve()));
}

const app = {
  fault: "kill -9 of an application process, five times",
  allows: [],
  because: "a save is wholly there or not at all, and nothing is locked",
} as const;
const forgets = {
  allows: ["lost writes", "lost sessions"],
  because: "it is a cache: what it forgets is gone (capabilities: not durable)",
} as const;

/** The rows of the other databases, and of killed applications on all of them. */
export const otherScenarios: readonly Scenario[] = [
  {
    engine: "Redis",
    setting: "node-redis, AOF everysec",
    ...app,
    start: async () => crashApps(await startRedisServer()),
  },
  {
    engine: "PostgreSQL",
    setting: "pg, fsync=off",
    fault: "kill -9, restart",
    allows: [],
    because: "what is committed is in the log; with fsync=off a loss of power could lose it",
    start: async () => crash(await startPg()),
  },
  {
    engine: "PostgreSQL",
    setting: "pg",
    ...app,
    start: async () => crashApps(await startPg()),
  },
  ...networkFaults({
    engine: "PostgreSQL",
    setting: "pg",
    start: async (fault) => {
      const { port, close } = await startPg();
      return behindProxy(port, close, fault, (front) => ({
        kind: "postgres",
        url: `postgres://postgres@127.0.0.1:${front}/postgres`,
      }));
    },
  }),
  {
    engine: "MariaDB",
    setting: "mysql2, innodb-flush-log-at-trx-commit=2",
    fault: "kill -9, restart",
    allows: [],
    because: "what is committed is with the system; a loss of power could lose a second",
    start: async () => crash(await startMaria()),
  },
  {
    engine: "MariaDB",
    setting: "mysql2",
    ...app,
    start: async () => crashApps(await startMaria()),
  },
  ...networkFaults({
    engine: "MariaDB",
    setting: "mysql2",
    start: async (fault) => {
      const { port, close } = await startMaria();
      return behindProxy(port, close, fault, (front) => ({
        kind: "mariadb",
        url: `mysql://root@127.0.0.1:${front}/test`,
      }));
    },
  }),
  { engine: "SQLite", setting: "libsql", ...app, start: async () => crashApps(await startFile()) },
  {
    engine: "memcached",
    setting: "memcache",
    fault: "kill -9, restart",
    ...forgets,
    start: async () => crash(await startCache()),
  },
  {
    engine: "memcached",
    setting: "memcache, 2 MB",
    fault: "memory full: it evicts",
    ...forgets,
    start: async () => crowd(await startCache(2)),
  },
  {
    engine: "memcached",
    setting: "memcache",
    ...app,
    start: async () => crashApps(await startCache()),
  },
  ...networkFaults({
    engine: "memcached",
    setting: "memcache",
    start: async (fault) => {
      const { port, close } = await startCache();
      return behindProxy(port, close, fault, (front) => ({ kind: "memcached", port: front }));
    },
  }),
];
