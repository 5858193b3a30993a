// What replication and a changing cluster do to sessions: slots that move, a cluster that is down,
// a failover that undoes what the master alone had, and what "replicated" says of all that.
import { SessionRedisStore } from "kocha-session/redis";
import type { SessionChange } from "kocha-session";
import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster } from "redis";
import { afterAll, describe, expect, test } from "vitest";
import { ensure } from "../../scripts/ensure.mjs";
import { startProxy } from "../support/proxy.ts";
import { startRedisCluster } from "../support/servers/redis-cluster.ts";
import { ask, type RedisServer, startRedis } from "../support/servers/redis.ts";
import { until } from "../support/until.ts";
import { Visitor } from "../support/visitor.ts";

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

function changeOf(change: Partial<SessionChange>): SessionChange {
  const base = {
    op: "update",
    set: new Map(),
    del: [],
    ttl: 3_600_000,
    deadline: Infinity,
  } as const;
  return { ...base, ...change };
}

const create = changeOf({ op: "create", set: new Map([["a", "1"]]), subject: "alice" });
const destroy = changeOf({ op: "destroy" });

/** A master, and a replica whose link to it can be cut. */
async function startPair(program: "redis" | "valkey" = "redis"): Promise<{
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly link: Awaited<ReturnType<typeof startProxy>>;
}> {
  const common = { program: ensure(program)[program] };
  const master = await startRedis({ ...common, args: ["--repl-diskless-sync-delay", "0"] });
  closers.push(master.close);
  const link = await startProxy(master.port);
  closers.push(link.close);
  const replica = await startRedis({ ...common, args: ["--replicaof", `127.0.0.1 ${link.port}`] });
  closers.push(replica.close);
  await until("the replica has joined", async () =>
    (await ask(replica.port, "info", "replication")).includes("master_link_status:up"),
  );
  // The link is up a while before the master counts the replica in: until its first report, which
  // comes once a second, WAIT finds nobody.
  await until("the master counts it", async () =>
    /slave0:.*state=online.*,lag=[01]\b/.test(await ask(master.port, "info", "replication")),
  );
  return { master, replica, link };
}

// They differ in what WAIT waits for where a connection has written nothing itself.
describe.each(["redis", "valkey"] as const)("durability replicated on %s", async (program) => {
  const { master, link } = await startPair(program);
  const pool = createClientPool({ url: master.url });
  await pool.connect();
  closers.push(() => pool.destroy());
  const ioredis = new Redis(master.port);
  closers.push(() => ioredis.disconnect());
  const node = await createClient({ url: master.url }).connect();
  closers.push(() => node.destroy());

  // Each waits out two time limits: side by side, under prefixes of their own.
  test.concurrent.each([
    ["node-redis", node],
    ["a pool of node-redis", pool],
    ["ioredis", ioredis],
  ])("%s waits for the replica, and says when it has nothing", async (name, client) => {
    // Long enough for the replica that is there on a machine that does much else.
    const options = {
      client,
      prefix: `${name}:`,
      durability: "replicated",
      replicaTimeout: 1,
    } as const;
    const store = new SessionRedisStore(options);
    const asked = new SessionRedisStore({ ...options, replicas: 2 });
    expect(await store.save("one", create)).toMatchObject({ rev: 1 });
    const update = changeOf({ rev: 1, set: new Map([["b", "2"]]) });
    expect(await store.save("one", update)).toMatchObject({ rev: 1 });
    expect(await store.save("one", changeOf({ rev: 9 }))).toBeUndefined();
    await expect(asked.save("one", update)).rejects.toMatchObject({
      name: "StoreError",
      code: "ERR_SESSION_STORE_UNREPLICATED",
      operation: "save",
      status: 503,
      message: expect.stringContaining(
        "the master applied it, but 1 of 2 replicas had it after 1000 ms: a failover now could undo it",
      ) as string,
    });
    // Nothing is written by what is refused, and nothing is waited for.
    expect(await asked.save("one", changeOf({ rev: 9 }))).toBeUndefined();
    await expect(asked.destroyAll("alice")).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_UNREPLICATED",
      operation: "destroyAll",
    });
    expect(await store.load("one")).toBeUndefined();
    expect(await store.save("one", destroy)).toMatchObject({ rev: 0 });
  });

  test("a command that is sent again still waits for what it wrote the first time", async () => {
    const proxy = await startProxy(master.port);
    closers.push(proxy.close);
    const client = new Redis({ port: proxy.port, retryStrategy: () => 20 });
    client.on("error", () => undefined);
    closers.push(() => client.disconnect());
    const plain = new SessionRedisStore({ client: ioredis });
    await plain.save("again", create);
    const options = { client, durability: "replicated", replicaTimeout: 0.3 } as const;
    const store = new SessionRedisStore(options);
    await store.load("again");
    link.turn({ kind: "silent" });
    try {
      proxy.turn({ kind: "silent", answersOnly: true });
      const logout = store.save("again", destroy);
      await until("it has run", async () => (await ioredis.exists("kocha:s:again")) === 0);
      proxy.turn({ kind: "cut" });
      proxy.turn({ kind: "open" });
      await expect(logout).rejects.toMatchObject({ code: "ERR_SESSION_STORE_UNREPLICATED" });
    } finally {
      link.turn({ kind: "open" });
    }
  });
});

describe("a failover right after a logout", () => {
  test("undoes it, and only replicated says so", async () => {
    const { master, replica, link } = await startPair();
    const client = new Redis({ port: master.port, retryStrategy: () => null });
    client.on("error", () => undefined);
    closers.push(() => client.disconnect());
    const careless = new Visitor(new SessionRedisStore({ client }));
    const options = { client, durability: "replicated", replicaTimeout: 1 } as const;
    const careful = new Visitor(new SessionRedisStore(options), { storeTimeout: 10 });
    for (const visitor of [careless, careful]) {
      await visitor.visit((session) => session.set("name", "alice"));
    }
    const cookies = [careless.cookie, careful.cookie];
    await until("the replica has both", async () => (await ask(replica.port, "dbsize")) === "2");

    link.turn({ kind: "silent" });
    await careless.visit((session) => session.destroy());
    expect(careless.cookie).toBeUndefined();
    await expect(careful.visit((session) => session.destroy())).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_UNREPLICATED",
    });
    // The client isn't told that it is logged out, since a failover could say otherwise.
    expect(careful.cookie).toBe(cookies[1]);
    expect(await client.dbsize()).toBe(0);

    await master.server.kill();
    await ask(replica.port, "replicaof", "no", "one");
    const survivor = new Redis(replica.port);
    closers.push(() => survivor.disconnect());
    expect(await survivor.dbsize()).toBe(2);
  });
});

describe("a cluster", async () => {
  const cluster = await startRedisCluster();
  closers.push(cluster.close);
  const nodeCluster = createCluster({
    rootNodes: cluster.roots.map((socket) => ({ socket })),
    defaults: { socket: { reconnectStrategy: () => 50 } },
  });
  nodeCluster.on("error", () => undefined);
  await nodeCluster.connect();
  closers.push(() => nodeCluster.destroy());
  const ioredisCluster = new Cluster([...cluster.roots]);
  ioredisCluster.on("error", () => undefined);
  closers.push(() => ioredisCluster.disconnect());
  const clients = [
    ["node-redis", nodeCluster],
    ["ioredis", ioredisCluster],
  ] as const;

  test.each(clients)("MOVED and ASK: %s follows a slot that moves", async (name, client) => {
    const prefix = `{${name}}:`;
    const plain = new SessionRedisStore({ client, prefix });
    const replicated = new SessionRedisStore({ client, prefix, durability: "replicated" });
    await plain.save("old", create);
    const from = await cluster.masterOf(prefix);
    const slot = await ask(from.port, "cluster", "keyslot", prefix);
    const others = await Promise.all(
      ["a", "b", "c", "d", "e", "f"].map((key) => cluster.masterOf(key)),
    );
    const to = others.find(({ port }) => port !== from.port);
    if (to === undefined) throw new Error("there is one master alone");
    const [fromId, toId] = await Promise.all(
      [from, to].map(({ port }) => ask(port, "cluster", "myid")),
    );
    await ask(to.port, "cluster", "setslot", slot, "importing", fromId ?? "");
    await ask(from.port, "cluster", "setslot", slot, "migrating", toId ?? "");
    // What isn't there yet is asked for where it will be.
    expect(await plain.save("new", create)).toMatchObject({ rev: 1 });
    expect(await plain.load("new")).toMatchObject({ rev: 1 });
    expect(await plain.load("old")).toMatchObject({ rev: 1 });
    const keys = (await ask(from.port, "cluster", "getkeysinslot", slot, "100")).split("\n");
    const target = ["127.0.0.1", String(to.port), "", "0", "5000", "KEYS"];
    await ask(from.port, "migrate", ...target, ...keys.filter((key) => key !== ""));
    for (const { port } of [to, from]) {
      await ask(port, "cluster", "setslot", slot, "node", toId ?? "");
    }
    const update = changeOf({ rev: 1, set: new Map([["b", "2"]]) });
    expect(await replicated.save("old", update)).toMatchObject({ rev: 1 });
    expect(await replicated.save("new", destroy)).toMatchObject({ rev: 0 });
    expect(await replicated.load("old")).toMatchObject({ rev: 1 });
    expect(await replicated.destroyAll("alice")).toBe(1);
  });

  test("CLUSTERDOWN is an outage, not a logout, and over when the cluster is back", async () => {
    const visitors = clients.map(
      ([name, client]) => new Visitor(new SessionRedisStore({ client, prefix: `{down}${name}:` })),
    );
    for (const visitor of visitors) await visitor.visit((session) => session.set("a", "1"));
    const cookies = visitors.map(({ cookie }) => cookie);
    const left = await cluster.masterOf("{down}");
    const others = cluster.nodes.filter((node) => node !== left);
    for (const { server } of others) server.pause();
    try {
      await until("the one that is left gives up", async () =>
        (await ask(left.port, "cluster", "info")).includes("cluster_state:fail"),
      );
      expect(await ask(left.port, "get", "{down}").catch(String)).toMatch(/CLUSTERDOWN/);
      const answers = visitors.map((visitor) => visitor.visit((session) => session.get("a")));
      for (const answer of await Promise.allSettled(answers)) {
        expect(answer).toMatchObject({
          status: "rejected",
          reason: { name: "StoreError", status: 503 },
        });
      }
    } finally {
      for (const { server } of others) server.resume();
    }
    expect(visitors.map(({ cookie }) => cookie)).toEqual(cookies);
    await until("it is back", async () => {
      const answers = visitors.map((visitor) => visitor.visit((session) => session.get("a")));
      const settled = await Promise.allSettled(answers);
      return settled.every((answer) => answer.status === "fulfilled" && answer.value === "1");
    });
  });
});
