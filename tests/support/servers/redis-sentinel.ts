// A private Redis behind Sentinel for the tests: a master, two replicas and three sentinels.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensure } from "../../../scripts/ensure.mjs";
import { until } from "../until.ts";
import { dataFolder, freePort, ServerProcess } from "./process.ts";
import { answersPing, ask, type RedisServer, startRedis } from "./redis.ts";

/** A running set of servers. */
export interface RedisSentinel {
  /** What clients call the master. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly RedisServer[];
  /** The server that the sentinels call the master now. */
  readonly master: () => Promise<RedisServer>;
  readonly close: () => Promise<void>;
}

const SENTINELS = 3;
const QUORUM = 2;
const REPLICAS = 2;
/** A master that is silent for so long is taken to have failed, in milliseconds. */
const DOWN_AFTER = 500;
const FAILOVER_TIMEOUT = 3000;

/** Starts a master with replicas and sentinels that agree on it; the caller closes it. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const name = "sessions";
  const servers: RedisServer[] = [];
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.map((closeOne) => closeOne()));
  };
  const start = async (args: readonly string[]): Promise<RedisServer> => {
    const server = await startRedis({ args });
    servers.push(server);
    closers.push(server.close);
    return server;
  };
  try {
    const first = await start(["--repl-diskless-sync-delay", "0"]);
    const of = ["--replicaof", "127.0.0.1", String(first.port)];
    while (servers.length <= REPLICAS) await start([...of, "--repl-diskless-sync-delay", "0"]);
    const ports: number[] = [];
    while (ports.length < SENTINELS) {
      const sentinel = await startSentinel(name, first.port);
      ports.push(sentinel.port);
      closers.push(sentinel.close);
    }
    await until("the sentinels agree", async () => {
      const states = await Promise.all(ports.map((port) => ask(port, "sentinel", "master", name)));
      return states.every((text) => {
        const lines = text.split("\n");
        const value = (field: string): string => lines[lines.indexOf(field) + 1] ?? "";
        return (
          value("num-slaves") === String(REPLICAS) &&
          value("num-other-sentinels") === String(SENTINELS - 1)
        );
      });
    });
    const master = async (): Promise<RedisServer> => {
      const answers = await Promise.all(
        ports.map((port) => ask(port, "sentinel", "get-master-addr-by-name", name)),
      );
      const found = servers.find(({ port }) => answers.at(0)?.endsWith(`\n${port}`));
      if (found === undefined) throw new Error("the sentinels name no server of ours");
      return found;
    };
    const sentinels = ports.map((port) => ({ host: "127.0.0.1", port }));
    return { name, sentinels, servers, master, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startSentinel(
  name: string,
  masterPort: number,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const port = await freePort();
  const { path, remove } = dataFolder("sentinel");
  const file = join(path, "sentinel.conf");
  writeFileSync(
    file,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${path}`,
      `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${name} ${DOWN_AFTER}`,
      `sentinel failover-timeout ${name} ${FAILOVER_TIMEOUT}`,
      "",
    ].join("\n"),
  );
  const server = new ServerProcess({
    program: ensure("redis").redis,
    args: [file, "--sentinel"],
    isReady: () => answersPing(port),
  });
  const close = async (): Promise<void> => {
    await server.kill();
    remove();
  };
  await server.start();
  return { port, close };
}
