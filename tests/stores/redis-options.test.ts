// What the Redis store is given: a client of a library that it knows, connected, and options that
// make sense; anything else is refused by name when the store is made.
import { SessionRedisStore, type SessionRedisStoreOptions } from "kocha-session/redis";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster, createSentinel } from "redis";
// @ts-expect-error it has no declarations of its own
import { createClient as createClient3 } from "redis3";
import { createCluster as createCluster4 } from "redis4";
import { afterAll, describe, expect, test } from "vitest";
import { thrownBy } from "../support/thrown.ts";

const lazy = new Redis({ lazyConnect: true });
const node = { host: "127.0.0.1", port: 1 };
afterAll(() => lazy.disconnect());

function refusalOf(options: unknown): unknown {
  return thrownBy(() => new SessionRedisStore(options as SessionRedisStoreOptions));
}

describe("a client", () => {
  test.each([
    ["nothing", undefined, /connected client of node-redis.* not undefined/],
    ["null", null, /not null/],
    ["a URL", "redis://localhost", /not a string/],
    ["a client of another kind", { get: () => 1, set: () => 1 }, /connected client of node-redis/],
    ["node-redis' client before connect", createClient(), /await client.connect\(\)/],
    ["its cluster", createCluster({ rootNodes: [{ socket: node }] }), /await client.connect\(\)/],
    [
      "its Sentinel",
      createSentinel({ name: "x", sentinelRootNodes: [node] }),
      /await client.connect\(\)/,
    ],
    ["node-redis' legacy client", createClient().legacy(), /connected client of node-redis/],
    ["node-redis 3's", callbacks(), /node-redis 3 or older.* 4 or later/],
    [
      "node-redis 4's cluster",
      opened(createCluster4({ rootNodes: [{ socket: node }] })),
      /cluster of node-redis 4; .* 5 or later/,
    ],
    ["a replica of Sentinel's", sentinelReplica(), /reads from replicas/],
    ["a cluster's replicas", replicas(), /reads from replicas/],
    ["a client that was closed", closed(), /is closed/],
  ])("that is %s is refused", (_what, client, message) => {
    expect(refusalOf({ client })).toMatchObject({
      name: "ConfigError",
      code: "ERR_SESSION_CONFIG_STORE",
      field: "client",
      message: expect.stringMatching(message) as string,
    });
  });

  test("that connects at its first command is taken", () => {
    expect(new SessionRedisStore({ client: lazy }).capabilities).toEqual({
      atomic: true,
      expects: true,
      durable: true,
      lists: true,
    });
  });
});

test.each([
  ["options", undefined],
  ["ttl", { client: lazy, ttl: 5 }],
  ["prefix", { client: lazy, prefix: 5 }],
  ["durability", { client: lazy, durability: "disk" }],
  ["replicas", { client: lazy, replicas: 0 }],
  ["replicas", { client: lazy, replicas: 1.5 }],
  ["replicaTimeout", { client: lazy, replicaTimeout: 0 }],
  ["replicaTimeout", { client: lazy, replicaTimeout: "1" }],
])("%s is checked", (field, options) => {
  expect(refusalOf(options)).toMatchObject({ name: "ConfigError", field });
});

/** A client of callbacks; it waits for its server, which isn't there, until it is told to end. */
function callbacks(): unknown {
  const client = createClient3({ ...node, retry_strategy: () => 60_000 }) as {
    end(flush: boolean): void;
  };
  client.end(true);
  return client;
}

/** A cluster as it is once it is connected. */
function opened(cluster: object): object {
  return Object.defineProperty(cluster, "isOpen", { value: true });
}

function sentinelReplica(): Redis {
  return new Redis({ sentinels: [node], name: "x", role: "slave", lazyConnect: true });
}

function replicas(): Cluster {
  return new Cluster([node], { scaleReads: "slave", lazyConnect: true });
}

function closed(): Redis {
  const client = new Redis({ lazyConnect: true });
  client.disconnect();
  return client;
}
