// What a session costs on Redis, counted at the server: commands for each kind of request, and
// bytes that travel for one changed key however large the session is.
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { SessionMiddleware } from "kocha-session";
import { SessionRedisStore } from "kocha-session/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { startProxy } from "../support/proxy.ts";
import { startRedis } from "../support/servers/redis.ts";
import { until } from "../support/until.ts";

const server = await startRedis();
const proxy = await startProxy(server.port);
const node = await createClient({ url: `redis://127.0.0.1:${proxy.port}` }).connect();
const ioredis = new Redis(proxy.port);
const control = new Redis(server.port);
let seen: string[] = [];
// By hand: ioredis' own monitor fails when another connection speaks while it begins.
const monitor = connect({ port: server.port, host: "127.0.0.1" });
monitor.setEncoding("latin1").write("MONITOR\r\n");
createInterface({ input: monitor }).on("line", (line) => {
  // What a script does inside the server is no command that somebody sent.
  const [, source, rest = ""] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
  if (source === undefined || source === "lua") return;
  seen.push(rest.slice(0, 100).replaceAll('"', "").toLowerCase());
});

afterAll(async () => {
  monitor.destroy();
  await Promise.all([node.close(), ioredis.quit(), control.quit()]);
  await proxy.close();
  await server.close();
});

/** The commands that the server got meanwhile, by their names. */
async function commandsOf(act: () => Promise<unknown>): Promise<string[]> {
  // What an earlier test left to be done behind it is done first: connections keep their order.
  await Promise.all([node.ping(), ioredis.ping()]);
  await until("the monitor began", async () => {
    await control.echo("begin");
    return seen.includes("echo begin");
  });
  seen = [];
  await act();
  await control.echo("end");
  await until("the monitor saw all", () => seen.includes("echo end"));
  const commands = seen.filter((command) => !command.startsWith("echo "));
  return commands.map((command) => command.split(" ", 1)[0] ?? "");
}

const HOUR = 3_600_000;

describe.each([
  ["node-redis", node],
  ["ioredis", ioredis],
] as const)("with %s", (name, client) => {
  const store = new SessionRedisStore({ client, prefix: `${name}:` });
  const engine = new SessionMiddleware({
    store,
    signingKey: freshKey(),
    maxSessionBytes: 4_000_000,
    sessionExpires: 86_400,
  });
  /** One request: what a handler does with its session, and the cookie that comes out of it. */
  async function visit(
    cookie: string,
    handler: (session: Awaited<ReturnType<typeof engine.open>>) => unknown,
  ): Promise<string> {
    const session = await engine.open(cookie);
    await handler(session);
    const { setCookie } = await engine.commit(session);
    return setCookie[0]?.split(";", 1)[0] ?? cookie;
  }

  beforeAll(async () => {
    // The server learns each script at its first use.
    const change = { set: new Map(), del: [], ttl: HOUR, deadline: Infinity } as const;
    await store.save("first", { op: "create", ...change, subject: "first" });
  });

  test("an anonymous visit asks the server nothing", async () => {
    expect(await commandsOf(() => visit("", (session) => session.get("a")))).toEqual([]);
    expect(await commandsOf(() => visit("session=forged", (session) => session.get("a")))).toEqual(
      [],
    );
  });

  test("a load is one command, a commit one more", async () => {
    let cookie = await visit("", (session) => session.set("a", "1"));
    expect(await commandsOf(() => visit(cookie, (session) => session.get("a")))).toEqual([
      "hgetall",
    ]);
    expect(await commandsOf(() => visit(cookie, (session) => session.set("a", "1")))).toEqual([
      "hgetall",
    ]);
    expect(await commandsOf(() => visit(cookie, (session) => session.set("b", "2")))).toEqual([
      "hgetall",
      "evalsha",
    ]);
    proxy.take();
    cookie = await visit(cookie, async (session) => {
      session.set("c", "3");
      await session.regenerate();
    });
    expect(proxy.take().trips).toBe(2);
    expect(await commandsOf(() => visit(cookie, (session) => session.destroy()))).toEqual([
      "hgetall",
      "evalsha",
    ]);
    expect(await commandsOf(() => visit("", (session) => session.set("a", "1")))).toEqual([
      "evalsha",
    ]);
  });

  test("a login claims its place in the index first; a logout gives it up behind it", async () => {
    const cookie = await visit("", (session) => session.set("a", "1"));
    let bound = "";
    const login = await commandsOf(async () => {
      bound = await visit(cookie, async (session) => {
        session.bind("alice");
        await session.regenerate();
      });
    });
    expect(login).toEqual(["hgetall", "evalsha", "evalsha"]);
    expect(await commandsOf(() => visit(bound, (session) => session.set("b", "2")))).toEqual([
      "hgetall",
      "evalsha",
    ]);
    const logout = await commandsOf(async () => {
      await visit(bound, (session) => session.destroy());
      await until("it is given up", () => seen.some((command) => command.startsWith("zrem")));
    });
    expect(logout).toEqual(["hgetall", "evalsha", "zrem"]);
  });

  test("one changed key costs the same few bytes in a session of 1 KB, 100 KB and 1 MB", async () => {
    const sent: number[] = [];
    for (const size of [1000, 100_000, 1_000_000]) {
      const selector = `size ${size}`;
      const blocks = Array.from({ length: 100 }, (_, index) => ({
        key: `block ${index}`,
        value: "x".repeat(size / 100),
      }));
      const set = new Map(blocks.map(({ key: block, value }) => [block, value]));
      const common = { del: [], ttl: HOUR, deadline: Infinity } as const;
      const created = await store.save(selector, { op: "create", set, ...common });
      proxy.take();
      await store.save(selector, {
        op: "update",
        rev: created?.rev ?? 0,
        set: new Map([["cart", "3 apples, 2 pears"]]),
        ...common,
      });
      const traffic = proxy.take();
      expect(traffic.trips).toBe(1);
      sent.push(traffic.sent);
      expect((await store.load(selector))?.data.size).toBe(101);
    }
    expect(Math.max(...sent)).toBeLessThanOrEqual(300);
    // The name of the session is all that differs.
    expect(Math.max(...sent) - Math.min(...sent)).toBeLessThanOrEqual(8);
  });

  test("what an update expects travels with it, in the same command", async () => {
    const key = `${name} expects`;
    const common = { del: [], ttl: HOUR, deadline: Infinity } as const;
    const set = new Map([["n", "1"]]);
    await store.save(key, { op: "create", set, ...common });
    const sentFor = async (expected: Map<string, string | undefined>): Promise<number> => {
      proxy.take();
      const change = { op: "update", rev: 1, set, ...common } as const;
      await store.save(key, { ...change, ...(expected.size > 0 && { expect: expected }) });
      const { sent, trips } = proxy.take();
      expect(trips).toBe(1);
      return sent;
    };
    const plain = await sentFor(new Map());
    expect((await sentFor(new Map([["n", "1"]]))) - plain).toBeLessThan(40);
    expect((await sentFor(new Map([["absent", undefined]]))) - plain).toBeLessThan(40);
  });

  test("a session of a user who has logged in is one listpack, at the server's defaults", async () => {
    let id = "";
    await visit("", async (session) => {
      session.set("cart", "3 apples, 2 pears");
      session.bind("alice@example.com", { label: "Firefox on Linux" });
      await session.commit();
      await session.regenerate();
      ({ id } = session);
    });
    expect(await control.object("ENCODING", `${name}:s:${id}`)).toBe("listpack");
    expect(Number(await control.memory("USAGE", `${name}:s:${id}`))).toBeLessThan(400);
  });

  test("notes of any length and script come back whole, and leave nothing behind", async () => {
    const common = { set: new Map(), del: [], ttl: HOUR, deadline: Infinity } as const;
    const selector = `${name} notes`;
    const notes = [`${"é".repeat(100)}\u{1F36A}`, "x".repeat(64), "\u{1F36A}".repeat(99), "x", ""];
    const saved = await store.save(selector, { op: "create", ...common, meta: "€".repeat(200) });
    let rev = saved?.rev ?? 0;
    for (const meta of notes) {
      const subject = `subject ${meta}`;
      rev = (await store.save(selector, { op: "update", rev, ...common, meta, subject }))?.rev ?? 0;
      const cleared = { op: "update", rev, clear: true, ...common } as const;
      rev = (await store.save(selector, cleared))?.rev ?? 0;
      expect(await store.load(selector)).toMatchObject({ rev, meta });
      expect(await store.destroyAll(subject, { except: selector })).toBe(0);
      const pieces = Math.ceil(Buffer.byteLength(meta) / 61);
      expect(await control.hlen(`${name}:s:${selector}`)).toBeLessThanOrEqual(2 * pieces + 4);
    }
    await store.save(selector, { op: "update", rev, ...common, subject: null });
    expect((await control.hkeys(`${name}:s:${selector}`)).toSorted()).toEqual(["h", "m"]);
  });
});
