// The servers behind the stores, as the tests start them.
import { startMariadb } from "../../tests/support/servers/mariadb.ts";
import { startMemcached } from "../../tests/support/servers/memcached.ts";
import { startPostgres } from "../../tests/support/servers/postgres.ts";
import { startRedis } from "../../tests/support/servers/redis.ts";
import type { Service } from "./subject.ts";

/** A running server. */
export interface RunningService {
  readonly port: number;
  /** Where its clients find it, its user included; undefined: at the port alone. */
  readonly url?: string;
  readonly close: () => Promise<void>;
}

/** Starts one. */
export function startService(service: Service): Promise<RunningService> {
  switch (service) {
    case "redis":
      return startRedis();
    case "memcached":
      return startMemcached();
    case "postgres":
      return startPostgres();
    case "mariadb":
      return startMariadb();
    default:
      throw new Error(`no server is called ${String(service)}`);
  }
}
