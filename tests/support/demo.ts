// The demo on a store of its own, opened as `npm run demo -- --store` opens it, on a free port.
import { createDemo } from "../../demo/demo.ts";
import { demoKeys, demoSettings } from "../../demo/settings.ts";
import { openStore } from "../../demo/stores.ts";
import { listen } from "./listen.ts";
import { startMariadb } from "./servers/mariadb.ts";
import { startMemcached } from "./servers/memcached.ts";
import { startPostgres } from "./servers/postgres.ts";
import { startRedis } from "./servers/redis.ts";

interface Server {
  readonly url: string;
  close(): unknown;
}

/** The variables of the environment that lead to a store's server. */
const servers: Readonly<Record<string, readonly [string, () => Promise<Server>]>> = {
  redis: ["REDIS_URL", startRedis],
  postgres: ["POSTGRES_URL", startPostgres],
  mysql: ["MYSQL_URL", startMariadb],
  memcached: [
    "MEMCACHED_NODE",
    async () => {
      const server = await startMemcached();
      return { url: `127.0.0.1:${server.port}`, close: () => server.close() };
    },
  ],
};

/** A demo that is running. */
export interface StartedDemo {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts the demo, and the server of its store where it has one. */
export async function startDemo(name = "cookie"): Promise<StartedDemo> {
  const [variable = "", start] = servers[name] ?? [];
  const server = await start?.();
  if (server !== undefined) process.env[variable] = server.url;
  const keys = demoKeys();
  const opened = await openStore(name, keys);
  if (variable !== "") delete process.env[variable];
  const demo = await listen(createDemo(demoSettings(keys, opened.store, opened.name)));
  return {
    url: demo.url,
    close: async () => {
      await demo.close();
      await opened.close();
      await server?.close();
    },
  };
}
