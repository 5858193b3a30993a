// The Redis store by Upstash's client, which speaks HTTP: the laws on a real Redis behind a front of the
// tests' own, and what is refused.
import { Redis } from "@upstash/redis";
import { redisRevocations, SessionRedisStore } from "kocha-session/redis";
import { type MakeStore, storeLaws } from "kocha-session/testing";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { startRedis } from "../support/servers/redis.ts";
import { startUpstash, upstashClientOf } from "../support/servers/upstash.ts";
import { thrownBy } from "../support/thrown.ts";
import { change, creation } from "./sql.ts";

const server = await startRedis();
const front = await startUpstash(server.url);
const client = upstashClientOf(front.url);
let stores = 0;

afterAll(async () => {
  await front.close();
  await server.close();
});

function freshStore(): SessionRedisStore {
  return new SessionRedisStore({ client, prefix: `test ${++stores}:` });
}

describe("the laws", async () => {
  const makeStore: MakeStore = async () => ({ store: freshStore(), close: () => undefined });
  const cases = await storeLaws(makeStore, {
    name: "the Redis store on Upstash's client",
    seed: Number(process.env["FC_SEED"] ?? 42),
    runs: Number(process.env["FC_RUNS"] ?? 6),
    resolutionMs: 200,
  });
  const applying = cases.filter(({ applies }) => applies === true);
  test.concurrent.each(applying)("$id", ({ run }) => run());
});

describe("what travels", () => {
  test("a session is read by a script, which no replica answers", async () => {
    const store = freshStore();
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    front.commands.length = 0;
    expect((await store.load(selector))?.data.get("a")).toBe("1");
    expect(front.commands).toEqual([
      ["eval", 'return redis.call("HGETALL", KEYS[1])', "1", `test ${stores}:s:${selector}`],
    ]);
  });

  test("values that look like something else come back as they are", async () => {
    const store = freshStore();
    const selector = newSelector();
    const texts = [
      "1",
      "1e3",
      "0x10",
      "true",
      "null",
      '{"a":1}',
      "[1]",
      "OK",
      "T0s=",
      "\uFEFFx",
      "",
    ];
    const data = Object.fromEntries(texts.map((text, index) => [`${index} ${text}`, text]));
    await store.save(selector, creation(data, { subject: "12345678901234567890" }));
    expect((await store.load(selector))?.data).toEqual(new Map(Object.entries(data)));
    const ids: string[] = [];
    for await (const { id } of store.list("12345678901234567890")) ids.push(id);
    expect(ids).toEqual([selector]);
  });

  test("a key of somebody else's under our name is no session", async () => {
    const store = freshStore();
    const selector = newSelector();
    await client.exec(["set", `test ${stores}:s:${selector}`, "theirs"]);
    expect(await store.load(selector)).toBeUndefined();
  });
});

describe("an error", () => {
  test("holds no session's value, where the client puts the whole command into it", async () => {
    const store = freshStore();
    await client.exec(["config", "set", "maxmemory", "1"]);
    await client.exec(["config", "set", "maxmemory-policy", "noeviction"]);
    const saved = store.save(newSelector(), creation({ card: "4111-1111" }));
    const error = await saved.then(() => undefined, String);
    await client.exec(["config", "set", "maxmemory", "0"]);
    expect(error).toMatch(/^UpstashError: OOM /);
    expect(error).not.toMatch(/4111|command was/);
    // The client's own error has it.
    await expect(client.exec(["hset", "no-hash", "4111-1111"])).rejects.toThrow("4111-1111");
  });

  test("quotes no answer that was cut off", async () => {
    const broken = new Redis({
      request: () =>
        Promise.reject(
          Object.assign(new Error('Unable to parse response body: {"result":["card","4111-1111'), {
            name: "UpstashJSONParseError",
          }),
        ),
    });
    Object.assign(broken, { opts: { automaticDeserialization: false } });
    const store = new SessionRedisStore({ client: broken });
    const error = await Promise.resolve(store.load(newSelector())).then(() => undefined, String);
    expect(error).toContain("Upstash's answer is no JSON");
    expect(error).not.toContain("4111");
  });
});

describe("a client", () => {
  const sentence =
    "client: needs automaticDeserialization: false and responseEncoding: false, or it changes values " +
    "that look like JSON or base64";
  test.each([
    ["with its defaults", { automaticDeserialization: true, responseEncoding: "base64" }, sentence],
    ["that parses answers", { automaticDeserialization: true }, sentence],
    ["that parses answers by default", { automaticDeserialization: undefined }, sentence],
    ["that decodes base64", { responseEncoding: "base64" }, "needs responseEncoding: false"],
    ["whose abort looks like an answer", { signal: new AbortController().signal }, "AbortSignal"],
  ] as const)("%s is refused", (_, options, message) => {
    const refused = upstashClientOf(front.url, options as object);
    for (const make of [
      () => new SessionRedisStore({ client: refused }),
      () => redisRevocations({ client: refused }),
    ]) {
      const error = thrownBy(make);
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_STORE", field: "client" });
      expect((error as Error).message).toContain(message);
    }
  });

  test("that makes pipelines by itself sends each command by itself", async () => {
    const pipelining = upstashClientOf(front.url, { enableAutoPipelining: true });
    const store = new SessionRedisStore({ client: pipelining, prefix: `test ${++stores}:` });
    const selectors = Array.from({ length: 8 }, newSelector);
    await Promise.all(selectors.map((selector) => store.save(selector, creation({ selector }))));
    const loaded = await Promise.all(selectors.map((selector) => store.load(selector)));
    expect(loaded.map((stored) => stored?.data.get("selector"))).toEqual(selectors);
  });

  test("can't wait for replicas", () => {
    for (const make of [
      () => new SessionRedisStore({ client, durability: "replicated" }),
      () => redisRevocations({ client, durability: "replicated" }),
    ]) {
      const error = thrownBy(make);
      expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "durability" });
      expect((error as Error).message).toContain("WAIT knows of no write before it");
    }
  });

  test("that sends a change twice has it applied once", async () => {
    const resending = new Redis({
      request: async ({ body }) => {
        const command = body as [string, ...string[]];
        // The first answer is lost, and the client sends the request again.
        await client.exec(command).catch(() => undefined);
        return { result: await client.exec<never>(command) };
      },
    });
    Object.assign(resending, { opts: { automaticDeserialization: false } });
    const store = new SessionRedisStore({ client: resending, prefix: `test ${++stores}:` });
    const selector = newSelector();
    expect(await store.save(selector, creation({ a: "1" }))).toMatchObject({ rev: 1 });
    const saved = await store.save(selector, change({ bump: true, meta: "m" }));
    expect(saved).toMatchObject({ rev: 2, generation: 2 });
  });
});
