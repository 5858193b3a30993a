// Starts the demo: a store, a port, and a line that says where it is. The command line and `npm run demo`
// both call it.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createDemo } from "./demo.ts";
import { demoKeys, demoSettings } from "./settings.ts";
import { openStore } from "./stores.ts";

export { storeNames } from "./stores.ts";

/** A demo that is running. */
export interface RunningDemo {
  readonly url: string;
  /** Ends it, with every connection. */
  readonly close: () => Promise<void>;
}

/**
 * Serves the demo on this machine.
 * @param storeName - one of those that `--store` takes.
 * @param port - 0: any that is free.
 * @throws {Error} with a message for people: a store that can't be opened, a port that is taken.
 */
export async function serveDemo(storeName: string, port: number): Promise<RunningDemo> {
  const keys = demoKeys();
  const { close, isDurable, name, store } = await openStore(storeName, keys);
  const areKept = ["SESSION_SECRET_KEY", "SESSION_SIGNING_KEY"].every((key) => process.env[key]);
  const server = createServer(createDemo(demoSettings(keys, store, name, isDurable && areKept)));
  try {
    await listen(server, port);
  } catch (error) {
    await close();
    const { message } = error as Error;
    throw new Error(`port ${port} can't be used (${message}): choose another one`, {
      cause: error,
    });
  }
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const isClosed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await isClosed;
      await close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}
