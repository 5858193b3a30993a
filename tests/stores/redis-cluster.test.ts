// The Redis store on a cluster of three masters and behind Sentinel, with each client library that
// can speak to them.
import { SessionRedisStore } from "kocha-session/redis";
import { type MakeStore, storeLaws } from "kocha-session/testing";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster6 } from "ioredis6";
import { Cluster as ValkeyCluster } from "iovalkey";
import { createCluster, createSentinel } from "redis";
import { afterAll, describe, test } from "vitest";
import { startRedisCluster } from "../support/servers/redis-cluster.ts";
import { startRedisSentinel } from "../support/servers/redis-sentinel.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const runs = Number(process.env["FC_RUNS"] ?? 20);

const [cluster, sentinel] = await Promise.all([startRedisCluster(), startRedisSentinel()]);
const roots = [...cluster.roots];
const sentinels = [...sentinel.sentinels];
const nodeCluster = createCluster({
  rootNodes: roots.map(({ host, port }) => ({ socket: { host, port } })),
});
await nodeCluster.connect();
const nodeSentinel = createSentinel({ name: sentinel.name, sentinelRootNodes: sentinels });
await nodeSentinel.connect();
const ioredisCluster = new Cluster(roots);
const ioredis6Cluster = new Cluster6(roots);
const valkeyCluster = new ValkeyCluster(roots);
const ioredisSentinel = new Redis({ name: sentinel.name, sentinels });
const clients = {
  "node-redis, a cluster": nodeCluster,
  "ioredis 5, a cluster": ioredisCluster,
  "ioredis 6, a cluster": ioredis6Cluster,
  "iovalkey, a cluster": valkeyCluster,
  "node-redis, Sentinel": nodeSentinel,
  "ioredis 5, Sentinel": ioredisSentinel,
};
let stores = 0;

afterAll(async () => {
  await Promise.all([nodeCluster.close(), nodeSentinel.close()]);
  await Promise.all([ioredisCluster.quit(), ioredis6Cluster.quit(), valkeyCluster.quit()]);
  await ioredisSentinel.quit();
  await Promise.all([cluster.close(), sentinel.close()]);
});

describe.each(Object.entries(clients))("the Redis store on %s", async (name, client) => {
  const makeStore: MakeStore = async () => ({
    store: new SessionRedisStore({ client, prefix: `test ${++stores}:` }),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, { name, seed, runs, resolutionMs: 200 });
  const applying = cases.filter(({ applies }) => applies === true);
  test.concurrent.each(applying)("$id", ({ run }) => run());
});
