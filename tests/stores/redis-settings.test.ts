// The Redis store and the log of revocations on clients that are set up for other uses: what a user
// has chosen for his own replies and keys makes no difference.
import { redisRevocations, SessionRedisStore } from "kocha-session/redis";
import { type MakeStore, storeLaws } from "kocha-session/testing";
import { Redis } from "ioredis";
import { createClient, RESP_TYPES } from "redis";
import { afterAll, describe, expect, test } from "vitest";
import { connectionOf } from "../../src/stores/redis/client.ts";
import { RedisRevocationLog } from "../../src/stores/redis/revocation-log.ts";
import { startRedis } from "../support/servers/redis.ts";
import { describeLog } from "./revocations/log-laws.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
/** A few: what a reply is made of is the same in each. */
const runs = 3;

const server = await startRedis();
const resp2 = await createClient({ url: server.url }).connect();
const resp3 = await createClient({ url: server.url, RESP: 3 }).connect();
const prefixed = new Redis(server.port, { keyPrefix: "app:" });
const asText = new Redis(server.port, { stringNumbers: true });
const buffers = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.SIMPLE_STRING]: Buffer,
  [RESP_TYPES.NUMBER]: String,
} as const;
const clients = {
  "node-redis with RESP 3": resp3,
  "node-redis with types as buffers": resp2.withTypeMapping(buffers),
  "node-redis with RESP 3, types as buffers and maps": resp3.withTypeMapping({
    ...buffers,
    [RESP_TYPES.MAP]: Map,
    [RESP_TYPES.DOUBLE]: String,
  }),
  "ioredis with keyPrefix": prefixed,
  "ioredis with stringNumbers": asText,
};
let places = 0;

afterAll(async () => {
  await Promise.all([resp2.close(), resp3.close()]);
  await Promise.all([prefixed.quit(), asText.quit()]);
  await server.close();
});

describe.each(Object.entries(clients))("the Redis store on %s", async (name, client) => {
  const makeStore: MakeStore = async () => ({
    store: new SessionRedisStore({ client, prefix: `test ${++places}:` }),
    close: () => undefined,
  });
  const cases = await storeLaws(makeStore, { name, seed, runs, resolutionMs: 200 });
  const applying = cases.filter(({ applies }) => applies === true);
  test.concurrent.each(applying)("$id", ({ run }) => run());
});

for (const [name, client] of Object.entries(clients)) {
  describeLog({
    name,
    makeLog: async (page) => {
      const prefix = `test ${++places}:`;
      const connection = connectionOf(client);
      return {
        log: new RedisRevocationLog(connection, prefix, undefined, page),
        follow: (options) => redisRevocations({ client, prefix, ...options }),
        empty: async () => {
          for (const key of ["{r}:log", "{r}:subjects", "{r}:credentials"]) {
            await connection.send(prefix + key, ["del", prefix + key]);
          }
        },
      };
    },
  });
}

test("every key of a store and of a log has the client's own prefix", async () => {
  await resp2.flushAll();
  const store = new SessionRedisStore({ client: prefixed });
  const change = { set: new Map([["a", "1"]]), del: [], ttl: 60_000, deadline: Infinity } as const;
  await store.save("one", { op: "create", subject: "alice", ...change });
  const log = new RedisRevocationLog(connectionOf(prefixed), "revoked:", undefined);
  await log.append({ kind: "subject", id: "alice", ttl: 60_000 });
  const keys = await resp2.keys("*");
  expect(keys.length).toBeGreaterThanOrEqual(4);
  expect(keys.filter((key) => !key.startsWith("app:"))).toEqual([]);
});
