// Revocations in Redis and Valkey, with each client library: the log's laws, a cluster, and what goes
// wrong with a server.
import { redisRevocations, type RedisClient } from "kocha-session/redis";
import { Redis as Ioredis } from "ioredis";
import { Redis as Iovalkey } from "iovalkey";
import { createClient } from "redis";
import { afterAll, describe, expect, test } from "vitest";
import { ensure } from "../../../scripts/ensure.mjs";
import { connectionOf } from "../../../src/stores/redis/client.ts";
import { RedisRevocationLog } from "../../../src/stores/redis/revocation-log.ts";
import { newSelector } from "../../../src/testing/history.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { startUpstash, upstashClientOf } from "../../support/servers/upstash.ts";
import { describeLog } from "./log-laws.ts";

const HOUR = 3_600_000;
const server = await startRedis();
const valkey = await startRedis({ program: ensure("valkey").valkey });
const nodeRedis = await createClient({ url: server.url }).connect();
const ioredis = new Ioredis(server.port);
const iovalkey = new Iovalkey(valkey.port);
const upstash = await startUpstash(server.url);
let places = 0;

afterAll(async () => {
  await nodeRedis.close();
  await Promise.all([ioredis.quit(), iovalkey.quit()]);
  await upstash.close();
  await Promise.all([server.close(), valkey.close()]);
});

const newPrefix = (): string => `test ${++places}:`;

for (const [name, client] of Object.entries<RedisClient>({
  "node-redis": nodeRedis,
  ioredis,
  "iovalkey on Valkey": iovalkey,
  "Upstash's client": upstashClientOf(upstash.url),
})) {
  const connection = connectionOf(client);
  describeLog({
    name,
    makeLog: async (page) => {
      const prefix = newPrefix();
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

describe("the stream", () => {
  test("shrinks by itself as entries come", async () => {
    const prefix = newPrefix();
    const log = new RedisRevocationLog(connectionOf(ioredis), prefix, undefined);
    for (let count = 0; count < 50; count++) {
      await log.append({ kind: "session", id: newSelector(), ttl: 1 });
    }
    expect(await ioredis.xlen(`${prefix}{r}:log`)).toBeLessThan(20);
  });

  test("may hold what someone else wrote", async () => {
    const prefix = newPrefix();
    const log = new RedisRevocationLog(connectionOf(ioredis), prefix, undefined);
    const id = newSelector();
    const place = (await ioredis.xadd(`${prefix}{r}:log`, "*", "x", "what is this")) as string;
    await ioredis.hset(`${prefix}{r}:subjects`, "alice", place);
    await log.append({ kind: "subject", id: "alice", ttl: HOUR, before: 7 });
    await log.append({ kind: "session", id, ttl: HOUR });
    const { records } = await log.read(undefined);
    expect(records.map((record) => record.id)).toEqual(["alice", id]);
  });

  test("is found again by a server that forgot our scripts", async () => {
    const log = new RedisRevocationLog(connectionOf(nodeRedis), newPrefix(), undefined);
    const id = newSelector();
    await log.append({ kind: "session", id, ttl: HOUR });
    await ioredis.script("FLUSH");
    expect((await log.read(undefined)).records.map((record) => record.id)).toEqual([id]);
  });

  test("a poll gives what is new, and nothing twice", async () => {
    const log = new RedisRevocationLog(connectionOf(ioredis), newPrefix(), undefined);
    await log.append({ kind: "session", id: newSelector(), ttl: HOUR });
    const first = await log.read(undefined);
    expect((await log.read(first.cursor)).records).toEqual([]);
    const { record } = await log.append({ kind: "session", id: newSelector(), ttl: HOUR });
    expect((await log.read(first.cursor)).records).toEqual([record]);
  });

  test("a poll begins before its place where that is gone, for a master that took over with less", async () => {
    const prefix = newPrefix();
    const key = `${prefix}{r}:log`;
    const log = new RedisRevocationLog(connectionOf(ioredis), prefix, undefined);
    const lost = newSelector();
    await log.append({ kind: "session", id: lost, ttl: HOUR });
    const { cursor } = await log.read(undefined);
    // The entry was never replicated; the new master's clock is 3 seconds behind, and it is past
    // the cursor's place by now.
    const [ms = ""] = cursor.split("-");
    await ioredis.del(key);
    const id = newSelector();
    const end = String(Number(ms) + HOUR);
    await ioredis.xadd(key, `${Number(ms) - 3000}-0`, "r", `session ${ms} ${end} 0 0 - ${id}`);
    await log.append({ kind: "session", id: newSelector(), ttl: HOUR });
    const found = (await log.read(cursor)).records.map((record) => record.id);
    expect(found).toContain(id);
    expect(found).toHaveLength(2);
  });
});

test("a revocation that too few replicas have is an error, though the master has it", async () => {
  const prefix = newPrefix();
  const options = { client: nodeRedis, prefix, keepFor: 3600, replicaTimeout: 0.05 };
  const list = redisRevocations({ ...options, durability: "replicated" });
  const failed = { code: "ERR_SESSION_STORE_UNREPLICATED", operation: "revoke" };
  await expect(list.revoke(newSelector())).rejects.toMatchObject(failed);
  const log = new RedisRevocationLog(connectionOf(ioredis), prefix, undefined);
  expect((await log.read(undefined)).records).toHaveLength(1);
  list.close();
});

test.each([
  [{ client: 5 as unknown as RedisClient }, "client: must be a connected client"],
  [{ client: ioredis, prefix: 5 as unknown as string }, "prefix: must be a string"],
  [{ client: ioredis, table: "t" } as { client: RedisClient }, "table: is not an option"],
  [
    { client: ioredis, durability: "none" as "master" },
    'durability: must be "master" or "replicated"',
  ],
  [{ client: ioredis, pollInterval: 0 }, "pollInterval: must be a number of seconds over 0"],
  [undefined as unknown as { client: RedisClient }, "options: must be an object"],
])("%# is refused", (options, message) => {
  expect(() => redisRevocations(options)).toThrow(message);
});
