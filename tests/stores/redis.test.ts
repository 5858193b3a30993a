// The Redis store under the conformance kit, with each client library, on Redis and on Valkey.
import { SessionRedisStore } from "kocha-session/redis";
import { type MakeStore, storeLaws } from "kocha-session/testing";
import { Redis as Ioredis } from "ioredis";
// @ts-expect-error it has no declarations of its own; what is used here is as in 5
import Ioredis4 from "ioredis4";
import { Redis as Ioredis6 } from "ioredis6";
import { Redis as Iovalkey } from "iovalkey";
import { createClient, createClientPool } from "redis";
import { createClient as createClient4 } from "redis4";
import { afterAll, describe, test } from "vitest";
import { ensure } from "../../scripts/ensure.mjs";
import { startRedis } from "../support/servers/redis.ts";

const seed = Number(process.env["FC_SEED"] ?? 42);
const runs = Number(process.env["FC_RUNS"] ?? 20);

const server = await startRedis();
const valkey = await startRedis({ program: ensure("valkey").valkey });
const single = await createClient({ url: server.url }).connect();
const pool = createClientPool({ url: server.url });
await pool.connect();
const node4 = createClient4({ url: server.url });
await node4.connect();
const ioredis4 = new (Ioredis4 as typeof Ioredis)(server.port);
const ioredis5 = new Ioredis(server.port);
const ioredis6 = new Ioredis6(server.port);
const iovalkey = new Iovalkey(server.port);
const singleOnValkey = await createClient({ url: valkey.url }).connect();
const iovalkeyOnValkey = new Iovalkey(valkey.port);
const clients = {
  "node-redis": single,
  "a pool of node-redis": pool,
  "node-redis 4": node4,
  "ioredis 4": ioredis4,
  "ioredis 5": ioredis5,
  "ioredis 6": ioredis6,
  iovalkey,
  "node-redis, on Valkey": singleOnValkey,
  "iovalkey, on Valkey": iovalkeyOnValkey,
};
let stores = 0;

afterAll(async () => {
  await Promise.all([single.close(), pool.close(), singleOnValkey.close()]);
  const others = [node4, ioredis4, ioredis5, ioredis6, iovalkey, iovalkeyOnValkey];
  await Promise.all(others.map((client) => client.quit()));
  await Promise.all([server.close(), valkey.close()]);
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
