// A private etcd for the tests.
import { ensure } from "../../../scripts/ensure.mjs";
import { dataFolder, freePort, ServerProcess } from "./process.ts";

/** A running server. */
export interface EtcdServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts a server; the caller closes it. */
export async function startEtcd(): Promise<EtcdServer> {
  const [clients, peers] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${clients}`;
  const { path, remove } = dataFolder("etcd");
  const server = new ServerProcess({
    program: ensure("etcd").etcd,
    args: [
      `--data-dir=${path}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peers}`,
    ],
    isReady: async () => (await fetch(`${url}/health`)).ok,
  });
  const close = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  try {
    await server.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}
