// `npm run sizing:kv`: the bytes that a small session takes in Redis, memcached and this process's
// memory, beside connect-redis and memorystore in the same run.
import { mkdirSync, writeFileSync } from "node:fs";
import { RedisStore } from "connect-redis";
import session, { type SessionData, type Store } from "express-session";
import createMemoryStore from "memorystore";
import { Memcache } from "memcache";
import { createClient } from "redis";
import { mintSelector } from "../../src/store/selector.ts";
import { encodeMeta } from "../../src/engine/ticketed/meta.ts";
import type { SessionStore } from "../../src/store/contract.ts";
import { SessionMemcachedStore } from "../../src/stores/memcached.ts";
import { SessionMemoryStore } from "../../src/stores/memory.ts";
import { SessionRedisStore } from "../../src/stores/redis.ts";
import { startMemcached } from "../../tests/support/servers/memcached.ts";
import { startRedis } from "../../tests/support/servers/redis.ts";
import { sessions } from "../lib/data.ts";
import { describeMachine } from "../lib/machine.ts";
import { option, readArguments } from "../../trials/lib/arguments.ts";

const { rows: SESSIONS } = readArguments("sizing:kv", { rows: option.number(100_000, "sessions") });
const AT_ONCE = 64;
const DAY = 86_400_000;
const results: Record<string, number> = {};

async function forAll(work: (index: number) => Promise<unknown> | void): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < SESSIONS) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Bytes a session by a measure of the whole, before and after. */
async function measure(
  name: string,
  bytes: () => Promise<number> | number,
  create: (index: number) => Promise<unknown> | void,
): Promise<void> {
  const before = await bytes();
  await forAll(create);
  results[name] = Math.round(((await bytes()) - before) / SESSIONS);
  console.log(`${name}: ${results[name]} bytes a session`);
}

const data = new Map(Object.entries(sessions.small));

function ours(store: SessionStore, isBound: boolean): (index: number) => Promise<unknown> {
  return async (index) => {
    const created = Date.now();
    const subject = `user-${Math.floor(index / 3)}`;
    const bound = isBound ? { subject } : {};
    const notes = {
      created,
      deadline: Infinity,
      barriers: 0,
      barrierAt: 0,
      boundAt: isBound ? created : 0,
    };
    const meta = encodeMeta({ ...notes, ...bound });
    const change = { op: "create", set: data, del: [], ttl: DAY, deadline: Infinity } as const;
    const saved = await store.save(mintSelector(), { ...change, meta, ...bound });
    if (saved === undefined) throw new Error("the store refused a session");
  };
}

function theirs(store: Store): (index: number) => Promise<void> {
  return () =>
    new Promise((resolve, reject) => {
      const cookie = { originalMaxAge: DAY, expires: new Date(Date.now() + DAY), httpOnly: true };
      const held = { cookie: { ...cookie, path: "/" }, ...sessions.small } as unknown;
      const id = `${mintSelector()}${mintSelector().slice(12)}`;
      store.set(id, held as SessionData, (error: unknown) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
}

for (const [name, isBound] of [
  ["Redis", false],
  ["Redis, bound", true],
  ["connect-redis", undefined],
] as const) {
  const server = await startRedis({ args: ["--appendonly", "no"] });
  const client = createClient({ url: server.url });
  await client.connect();
  const used = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
  const create =
    isBound === undefined
      ? theirs(new RedisStore({ client }))
      : ours(new SessionRedisStore({ client }), isBound);
  await measure(name, used, create);
  client.destroy();
  await server.close();
}

const memcached = await startMemcached(1024);
const memcache = new Memcache({ nodes: [`127.0.0.1:${memcached.port}`] });
const stored = async (): Promise<number> => {
  const stats = await memcache.stats();
  const [first] = [...stats.values()];
  return Number(first?.["bytes"]);
};
await measure("memcached", stored, ours(new SessionMemcachedStore({ client: memcache }), false));
await memcache.disconnect();
await memcached.close();

const heap = (): number => {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const memory = new SessionMemoryStore({ maxEntries: SESSIONS, maxBytes: 2 ** 40 });
await measure("memory, id included", heap, ours(memory, false));
memory.close();
const MemoryStore = createMemoryStore(session);
const peer = new MemoryStore({ max: SESSIONS });
await measure("memorystore, id included", heap, theirs(peer));

const folder = new URL("../results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const result = {
  machine: describeMachine(new URL("../../", import.meta.url)),
  sessions: SESSIONS,
  results,
};
const file = SESSIONS === 100_000 ? "sizing-kv.json" : "sizing-kv.quick.json";
writeFileSync(new URL(file, folder), `${JSON.stringify(result, undefined, 1)}\n`);
