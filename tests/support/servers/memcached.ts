// A private memcached for the tests.
import { ensure } from "../../../scripts/ensure.mjs";
import { answers, freePort, ServerProcess } from "./process.ts";

/** A running server; `server` kills, pauses and restarts it (what it held is gone then). */
export interface MemcachedServer {
  readonly port: number;
  readonly server: ServerProcess;
  readonly close: () => Promise<void>;
}

/**
 * Starts a server; the caller closes it.
 * @param megabytes - the memory that it may take; past it, it evicts.
 */
export async function startMemcached(megabytes = 64): Promise<MemcachedServer> {
  const port = await freePort();
  const server = new ServerProcess({
    program: ensure("memcached").memcached,
    args: [
      ...(process.getuid?.() === 0 ? ["-u", "nobody"] : []),
      "-l",
      "127.0.0.1",
      "-p",
      String(port),
      "-U",
      "0",
      "-m",
      String(megabytes),
    ],
    isReady: () => answers(port, "version\r\n", (reply) => reply.toString().startsWith("VERSION")),
  });
  await server.start();
  return { port, server, close: () => server.kill() };
}
