// The servers behind the stores, as the tests start them, and a wire that counts what goes to them.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { startMariadb } from "../../tests/support/servers/mariadb.ts";
import { startMemcached } from "../../tests/support/servers/memcached.ts";
import { startPostgres } from "../../tests/support/servers/postgres.ts";
import { startRedis } from "../../tests/support/servers/redis.ts";
import type { Service } from "./subject.ts";

/** A running server. */
export interface RunningService {
  readonly port: number;
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

/** A port in front of another one. */
export interface Wire {
  readonly port: number;
  /** Bytes that went to the server so far. */
  readonly bytes: () => number;
  readonly close: () => Promise<void>;
}

/** Listens, hands everything on, and counts what goes one way. */
export async function countBytes(port: number): Promise<Wire> {
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ port, host: "127.0.0.1" });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { port: (server.address() as AddressInfo).port, bytes: () => bytes, close };
}
