// Device-bound sessions on every kind of store, over node:http.
import { createClient } from "redis";
import { SessionRedisStore } from "kocha-session/redis";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { afterAll, beforeAll, describe, it } from "vitest";
import { freshKey } from "../support/keys.ts";
import { type RedisServer, startRedis } from "../support/servers/redis.ts";
import { scenes } from "./scenes.ts";
import { startSite, type StoreParts, stores } from "./site.ts";

let server: RedisServer;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  await client.connect();
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

const redis: StoreParts = () => ({
  store: new SessionRedisStore({ client }),
  signingKey: freshKey(),
});

describe.each(Object.entries({ ...stores, Redis: redis }))(
  "device-bound sessions: %s",
  (_, parts) => {
    it.each(Object.entries(scenes))("%s", async (__, scene) => {
      const site = await startSite(nodeServer, parts);
      try {
        await scene(site);
      } finally {
        await site.close();
      }
    });
  },
);
