// A private Redis Cluster for the tests: three masters with a replica each, all on this machine.
import { ask, type RedisOptions, type RedisServer, startRedis } from "./redis.ts";
import { isFree } from "./process.ts";
import { until } from "../until.ts";

/** A running cluster. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The nodes as clients want to be told of them. */
  readonly roots: readonly { readonly host: string; readonly port: number }[];
  /** The node that is the master of a key now. */
  readonly masterOf: (key: string) => Promise<RedisServer>;
  readonly close: () => Promise<void>;
}

const NODES = 6;
/** A master that is silent for so long is taken to have failed, in milliseconds. */
const NODE_TIMEOUT = 1000;

/** Starts a cluster that takes commands; the caller closes it. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisCluster> {
  const args = [
    "--cluster-enabled",
    "yes",
    "--cluster-config-file",
    "nodes.conf",
    "--cluster-node-timeout",
    String(NODE_TIMEOUT),
    "--cluster-require-full-coverage",
    "no",
    "--repl-diskless-sync-delay",
    "0",
    ...(options.args ?? []),
  ];
  const nodes: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    // One after the other: two that start at once could be given the same port.
    while (nodes.length < NODES) {
      nodes.push(await startRedis({ ...options, port: await freeNodePort(), args }));
    }
    const [first] = nodes;
    if (first === undefined) throw new Error("there is no node");
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const how = ["--cluster-replicas", "1", "--cluster-yes"];
    await ask(first.port, "--cluster", "create", ...addresses, ...how);
    await until("the cluster is whole", async () => {
      const states = await Promise.all(nodes.map(({ port }) => ask(port, "cluster", "info")));
      const links = await Promise.all(nodes.map(({ port }) => ask(port, "info", "replication")));
      const replicas = links.filter((link) => link.includes("master_link_status:up"));
      return states.every((state) => state.includes("cluster_state:ok")) && replicas.length === 3;
    });
  } catch (error) {
    await close();
    throw error;
  }
  const masterOf = async (key: string): Promise<RedisServer> => {
    const slot = Number(await ask(await portOfLiving(nodes), "cluster", "keyslot", key));
    const lines = await ask(await portOfLiving(nodes), "cluster", "nodes");
    const port = lines.split("\n").flatMap((line) => {
      const [, address = "", flags = "", , , , , , ...ranges] = line.split(" ");
      const holds = ranges.some((range) => {
        const [from = Number.NaN, to = from] = range.split("-").map(Number);
        return slot >= from && slot <= to;
      });
      return holds && flags.includes("master") ? [Number(/:(\d+)@/.exec(address)?.[1])] : [];
    })[0];
    const node = nodes.find((candidate) => candidate.port === port);
    if (node === undefined) throw new Error(`no master has the slot ${slot}`);
    return node;
  };
  const roots = nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
  return { nodes, roots, masterOf, close };
}

/**
 * A port that is free together with the cluster bus's, 10,000 above it; both below those that the
 * system hands out, or any connection could have taken the second one meanwhile.
 */
async function freeNodePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function portOfLiving(nodes: readonly RedisServer[]): Promise<number> {
  for (const { port } of nodes) {
    const answer = await ask(port, "ping").catch(() => "");
    if (answer === "PONG") return port;
  }
  throw new Error("no node of the cluster answers");
}
