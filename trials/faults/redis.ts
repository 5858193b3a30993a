// The faults of Redis: a single server, with a replica, behind Sentinel and in a cluster.
import { startProxy } from "../../tests/support/proxy.ts";
import { startRedisCluster } from "../../tests/support/servers/redis-cluster.ts";
import { startRedisSentinel } from "../../tests/support/servers/redis-sentinel.ts";
import { ask, startRedis } from "../../tests/support/servers/redis.ts";
import { until } from "../../tests/support/until.ts";
import type { Durability } from "./address.ts";
import { behindProxy, networkFaults } from "./network.ts";
import type { Scenario, Stage } from "./scenario.ts";

type Client = "node-redis" | "ioredis";

const everysec = "AOF everysec";
const nothingLost = "a kill loses nothing that the system has; a loss of power up to a second";
const asynchronous =
  "replication is asynchronous: what only the dead master had is undone, logouts too";
const waited = "what no replica has was not acknowledged, but failed with 503";

function single(client: Client, port: number): Stage["address"] {
  return { kind: "redis", client, port, durability: "master" };
}

/** Killed, down for a while, and started again on the same data. */
async function crash(client: Client, args: readonly string[] = []): Promise<Stage> {
  const { port, server, close } = await startRedis({ args });
  return {
    address: single(client, port),
    inject: () => server.kill(),
    lift: () => server.start(),
    close,
  };
}

/** Memory is full: writes fail, unless a policy evicts sessions. */
async function fill(policy: "noeviction" | "allkeys-random"): Promise<Stage> {
  const { port, close } = await startRedis();
  const set = (name: string, value: string): Promise<string> =>
    ask(port, "config", "set", name, value);
  return {
    address: single("node-redis", port),
    inject: async () => {
      await set("maxmemory-policy", policy);
      if (policy === "noeviction") {
        await set("maxmemory", "1");
        return;
      }
      const used = /used_memory:(\d+)/.exec(await ask(port, "info", "memory"))?.[1];
      await set("maxmemory", used ?? "0");
    },
    lift: async () => {
      await set("maxmemory", "0");
    },
    close,
  };
}

/** A replica that had lost its master is promoted in its place, as by an operator. */
async function promoteLate(durability: Durability): Promise<Stage> {
  const master = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
  const link = await startProxy(master.port);
  const following = (port: number): string[] => ["--replicaof", `127.0.0.1 ${port}`];
  const replica = await startRedis({ args: following(link.port) });
  // The next master needs a replica of its own, or nothing could be replicated.
  const next = await startRedis({ args: following(replica.port) });
  const front = await startProxy(master.port);
  await until("the replicas have joined", async () => {
    const states = [replica, next].map(({ port }) => ask(port, "info", "replication"));
    return (await Promise.all(states)).every((state) => state.includes("master_link_status:up"));
  });
  return {
    address: { kind: "redis", client: "node-redis", port: front.port, durability },
    inject: async () => {
      link.turn({ kind: "silent" });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await master.server.kill();
    },
    lift: async () => {
      await ask(replica.port, "replicaof", "no", "one");
      front.aim(replica.port);
    },
    close: async () => {
      await Promise.all([link.close(), front.close()]);
      await Promise.all([master.close(), replica.close(), next.close()]);
    },
  };
}

async function failOverSentinel(client: Client, durability: Durability): Promise<Stage> {
  const { name, sentinels, master, close } = await startRedisSentinel();
  return {
    address: { kind: "redis-sentinel", client, roots: sentinels, name, durability },
    inject: async () => (await master()).server.kill(),
    close,
  };
}

async function failOverCluster(client: Client, durability: Durability): Promise<Stage> {
  const { roots, masterOf, close } = await startRedisCluster();
  const master = await masterOf("any");
  return {
    address: { kind: "redis-cluster", client, roots, name: "", durability },
    inject: () => master.server.kill(),
    // The promoted replica has none of its own: until the dead server is back, its writes aren't replicated.
    ...(durability === "replicated" && { lift: () => master.server.start() }),
    close,
  };
}

function failovers(
  engine: string,
  fault: Readonly<Record<Durability, string>>,
  start: (client: Client, durability: Durability) => Promise<Stage>,
): Scenario[] {
  return (["node-redis", "ioredis"] as const).flatMap((client) =>
    (["master", "replicated"] as const).map((durability): Scenario => ({
      engine,
      setting: `${client}, durability "${durability}"`,
      fault: fault[durability],
      holdMs: 4000,
      allows: durability === "master" ? ["lost writes", "lost sessions", "logouts undone"] : [],
      because: durability === "master" ? asynchronous : waited,
      start: () => start(client, durability),
    })),
  );
}

const redis = { engine: "Redis", allows: [] };

/** The rows of Redis. */
export const redisScenarios: readonly Scenario[] = [
  ...(["node-redis", "ioredis"] as const).map((client): Scenario => ({
    ...redis,
    setting: `${client}, ${everysec}`,
    fault: "kill -9, restart",
    because: nothingLost,
    start: () => crash(client),
  })),
  {
    ...redis,
    setting: `node-redis, ${everysec}, onStoreError "anonymous"`,
    fault: "kill -9, restart",
    onStoreError: "anonymous",
    because: nothingLost,
    start: () => crash("node-redis"),
  },
  {
    ...redis,
    setting: "node-redis, no persistence",
    fault: "kill -9, restart",
    allows: ["lost writes", "lost sessions"],
    because: "what is only in memory is gone with the process",
    start: () => crash("node-redis", ["--appendonly", "no"]),
  },
  ...networkFaults({
    ...redis,
    setting: `node-redis, ${everysec}`,
    start: async (fault) => {
      const server = await startRedis();
      return behindProxy(server.port, server.close, fault, (port) => single("node-redis", port));
    },
  }),
  {
    ...redis,
    setting: "node-redis, maxmemory, noeviction",
    fault: "memory full",
    because: "a full server refuses what needs room; logouts and reads go on",
    start: () => fill("noeviction"),
  },
  {
    ...redis,
    setting: "node-redis, maxmemory, allkeys-random",
    fault: "memory full",
    allows: ["lost writes", "lost sessions"],
    because: "the policy says so: it ends sessions to make room",
    start: () => fill("allkeys-random"),
  },
  ...(["master", "replicated"] as const).map((durability): Scenario => ({
    engine: "Redis with a replica",
    setting: `node-redis, durability "${durability}"`,
    fault: "replication stalls for 0.5 s, then the master is killed and the replica promoted",
    allows: durability === "master" ? ["lost writes", "lost sessions", "logouts undone"] : [],
    because: durability === "master" ? asynchronous : waited,
    start: () => promoteLate(durability),
  })),
  ...failovers(
    "Redis Sentinel",
    { master: "kill -9 of the master", replicated: "kill -9 of the master" },
    failOverSentinel,
  ),
  ...failovers(
    "Redis Cluster",
    { master: "kill -9 of a master", replicated: "kill -9 of a master, back after 4 s" },
    failOverCluster,
  ),
];
