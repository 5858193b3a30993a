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
import { until } from "../support/until.ts";
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
    // On a busy machine its many requests at once take longer than Redis' own.
    resolutionMs: 1000,
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

describe("the sessions of one user", () => {
  /** A store with so many, and one of somebody else's. */
  async function crowded(count: number): Promise<SessionRedisStore> {
    const store = freshStore();
    await store.save(newSelector(), creation({ a: "1" }, { subject: "other" }));
    const bound = creation({ a: "1" }, { subject: "alice" });
    await Promise.all(Array.from({ length: count }, () => store.save(newSelector(), bound)));
    // The server learns each script at its first use.
    await store.destroyAll("nobody");
    front.requests.length = 0;
    return store;
  }
  async function idsOf(store: SessionRedisStore, subject: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of store.list(subject)) ids.push(id);
    return ids;
  }
  /** The number of scripts in each request of the last store; what other tests left to be done may come between. */
  const sizes = (): number[] =>
    front.requests
      .filter((commands) => commands.every((command) => command[0]?.startsWith("eval")))
      .filter((commands) => commands.some((command) => command[3]?.startsWith(`test ${stores}:`)))
      .map(({ length }) => length);
  /** Once all have been ended and their places released, without a wait for that. */
  const released = (): Promise<void> =>
    until("the index is empty", async () => {
      const index = await client.exec<string[]>(["keys", `test ${stores}:u:alice`]);
      return index.length === 0;
    });

  test.each([
    { count: 60, batches: [60] },
    { count: 120, batches: [100, 20] },
  ])("are listed and ended by a few requests: $count", async ({ count, batches }) => {
    const store = await crowded(count);
    expect(await idsOf(store, "alice")).toHaveLength(count);
    expect(sizes()).toEqual([1, ...batches]);
    front.requests.length = 0;
    expect(await store.destroyAll("alice")).toBe(count);
    await released();
    expect(sizes()).toEqual([1, ...batches]);
    const releases = front.commands.filter(
      ([name, key]) => name === "zrem" && key === `test ${stores}:u:alice`,
    );
    expect(releases).toHaveLength(batches.length);
    expect(await idsOf(store, "alice")).toHaveLength(0);
    expect(await idsOf(store, "other")).toHaveLength(1);
  });

  test("are ended where the server has forgotten the script", async () => {
    const store = await crowded(60);
    await client.exec(["script", "flush"]);
    expect(await store.destroyAll("alice")).toBe(60);
    expect(await idsOf(store, "alice")).toHaveLength(0);
  });

  /** The store of `crowded` by a client whose lists of commands are answered by `answer`. */
  function answeredBy(answer: (command: string[]) => Promise<object>): SessionRedisStore {
    const answered = new Redis({
      request: async ({ path, body }) =>
        path?.[0] === "pipeline"
          ? (Promise.all((body as string[][]).map(answer)) as never)
          : { result: await directly(body) },
    });
    Object.assign(answered, { opts: { automaticDeserialization: false } });
    return new SessionRedisStore({ client: answered, prefix: `test ${stores}:` });
  }
  const directly = (command: unknown) =>
    client.exec<never>(command as [command: string, ...args: string[]]);

  test("are ended except for those that the server fails to end, which is an error", async () => {
    const store = await crowded(3);
    const [spared = ""] = await idsOf(store, "alice");
    const failing = answeredBy(async (command) =>
      command.includes(`test ${stores}:s:${spared}`)
        ? { error: "ERR no, command was: secret" }
        : { result: await directly(command) },
    );
    await expect(failing.destroyAll("alice")).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_FAILED",
      operation: "destroyAll",
      cause: { name: "UpstashError", message: "ERR no" },
    });
    expect(await idsOf(store, "alice")).toEqual([spared]);
    expect(await store.destroyAll("alice")).toBe(1);
  });

  test("are no fewer for an answer without a result, which is an error", async () => {
    const store = await crowded(2);
    const empty = answeredBy(() => Promise.resolve({}));
    const failed = {
      code: "ERR_SESSION_STORE_FAILED",
      cause: { message: "the command has no answer" },
    };
    await expect(idsOf(empty, "alice")).rejects.toMatchObject(failed);
    await expect(empty.destroyAll("alice")).rejects.toMatchObject(failed);
    expect(await idsOf(store, "alice")).toHaveLength(2);
  });

  test("are listed by a server that says of each answer that there is no error", async () => {
    await crowded(2);
    const plain = answeredBy(async (command) => ({ result: await directly(command), error: null }));
    expect(await idsOf(plain, "alice")).toHaveLength(2);
  });

  test("are neither listed nor ended by a server that doesn't answer", async () => {
    const store = await crowded(2);
    const silent = answeredBy(() => Promise.reject(new Error("no answer")));
    const failed = { code: "ERR_SESSION_STORE_FAILED", cause: { message: "no answer" } };
    await expect(idsOf(silent, "alice")).rejects.toMatchObject(failed);
    await expect(silent.destroyAll("alice")).rejects.toMatchObject(failed);
    expect(await idsOf(store, "alice")).toHaveLength(2);
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
