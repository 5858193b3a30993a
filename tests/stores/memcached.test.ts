// The memcached store on a real memcached: the laws, what it costs there, and its failures by name.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createNode, Memcache, BroadcastHash } from "memcache";
import { Client as MemjsClient } from "memjs";
import { applyChange, type SessionChange } from "kocha-session";
import {
  SessionMemcachedStore,
  type MemcachedClient,
  type MemcachedNode,
} from "kocha-session/memcached";
import { fakeClock, storeLaws } from "kocha-session/testing";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { Visitor } from "../support/visitor.ts";
import { startMemcached } from "../support/servers/memcached.ts";
import { thrownBy } from "../support/thrown.ts";

const DAY = 86_400_000;
const memcached = await startMemcached();
const client = await clientOf(memcached.port);
/** Far enough from real time to be told apart, near enough for memcached's own expiry. */
const clock = fakeClock(Date.now());

afterAll(async () => {
  await client.disconnect();
  await memcached.close();
});

async function clientOf(port: number): Promise<Memcache> {
  const made = new Memcache({ nodes: [`127.0.0.1:${port}`] });
  await made.connect();
  return made;
}

/** The client, whose next swap can be made to hang. */
function hangingClient() {
  let held: Promise<void> | undefined;
  const hanging: MemcachedClient = {
    getNodesByKey: async (key) => {
      const [node] = await client.getNodesByKey(key);
      if (node === undefined) throw new Error("no node");
      const command: MemcachedNode["command"] = async (line, options) => {
        if (line.startsWith("cas ")) {
          const taken = held;
          held = undefined;
          await taken;
        }
        return node.command(line, options);
      };
      return [{ command }];
    },
  };
  const hang = (): (() => void) => {
    let release = (): void => undefined;
    held = new Promise((resolve) => (release = resolve));
    return release;
  };
  return { hanging, hang };
}

function change(more: Partial<SessionChange>): SessionChange {
  return { op: "update", set: new Map(), del: [], ttl: DAY, deadline: Infinity, ...more };
}

let rows = 0;
const newSelector = (): string => `row-${++rows}`;

describe("the laws", async () => {
  const makeStore = async () => {
    const { hanging, hang } = hangingClient();
    const store = new SessionMemcachedStore({ client: hanging, now: clock.now });
    return { store, hang, close: () => undefined };
  };
  const cases = await storeLaws(makeStore, { name: "the memcached store", clock, seed: 42 });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());

  test("nothing is left out but what needs an index or a sweep", () => {
    const left = cases.flatMap(({ id, applies }) =>
      applies === true ? [] : [`${id}: ${applies}`],
    );
    expect(left).toEqual([
      expect.stringContaining("the store says that it doesn't list"),
      expect.stringContaining("the store has no sweep: it expires by itself"),
    ]);
  });
});

describe("what it costs at the server", () => {
  test("one command to load, two round trips to commit, none for an anonymous visit", async () => {
    const proxy = await countingProxy(memcached.port);
    onTestFinished(() => proxy.close());
    const counted = await clientOf(proxy.port);
    const visitor = new Visitor(new SessionMemcachedStore({ client: counted }));
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take()).toEqual({ commands: [], trips: 0 });
    await visitor.visit((session) => session.set("a", "1"));
    expect(proxy.take()).toEqual({ commands: ["add"], trips: 1 });
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take()).toEqual({ commands: ["get"], trips: 1 });
    await visitor.visit((session) => session.set("b", "2"));
    expect(proxy.take()).toEqual({ commands: ["get", "mg", "get", "cas"], trips: 3 });
    await visitor.visit((session) => session.destroy());
    expect(proxy.take()).toEqual({ commands: ["get", "delete"], trips: 2 });
    await counted.disconnect();
  });
});

describe("two clients, as two processes have", () => {
  test("32 writers through each keep every key", async () => {
    const other = await clientOf(memcached.port);
    const stores = [client, other].map((one) => new SessionMemcachedStore({ client: one }));
    const selector = newSelector();
    const created = await stores[0]?.save(selector, change({ op: "create", meta: "m" }));
    const names = Array.from({ length: 64 }, (_, index) => `k${index}`);
    const saved = await Promise.all(
      names.map(async (name, index) => {
        const set = new Map([[name, name]]);
        return stores[index % 2]?.save(selector, change({ rev: created?.rev ?? 0, set }));
      }),
    );
    expect(saved).not.toContain(undefined);
    expect([...((await stores[1]?.load(selector))?.data.keys() ?? [])].toSorted()).toEqual(
      names.toSorted(),
    );
    await other.disconnect();
  });

  test("a writer that is outrun every time is a StoreError, and nothing of it was saved", async () => {
    const selector = newSelector();
    const fast = new SessionMemcachedStore({ client });
    const created = await fast.save(selector, change({ op: "create", meta: "m" }));
    const rev = created?.rev ?? 0;
    let races = 0;
    const [node] = await client.getNodesByKey("any");
    if (node === undefined) throw new Error("no node");
    // Somebody else writes between each read and its swap.
    const outrun: MemcachedClient = {
      getNodesByKey: async () => [
        {
          command: async (line, options) => {
            if (line.startsWith("cas ")) {
              const set = new Map([["race", String(++races)]]);
              await fast.save(selector, change({ rev, set }));
            }
            return node.command(line, options);
          },
        },
      ],
    };
    const slow = new SessionMemcachedStore({ client: outrun });
    await expect(
      slow.save(selector, change({ rev, set: new Map([["mine", "1"]]) })),
    ).rejects.toThrow(
      expect.objectContaining({
        name: "StoreError",
        code: "ERR_SESSION_STORE_FAILED",
        message: expect.stringContaining("16 times in a row") as string,
      }) as Error,
    );
    expect(races).toBe(16);
    expect((await fast.load(selector))?.data).toEqual(new Map([["race", "16"]]));
  });

  test("a writer that was overtaken while its swap hung is told that it was late", async () => {
    const selector = newSelector();
    const [node] = await client.getNodesByKey("any");
    if (node === undefined) throw new Error("no node");
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let swaps = 0;
    const hanging: MemcachedClient = {
      getNodesByKey: async () => [
        {
          command: async (line, options) => {
            if (line.startsWith("cas ") && ++swaps === 1) await held;
            return node.command(line, options);
          },
        },
      ],
    };
    const store = new SessionMemcachedStore({ client: hanging });
    store.answerWithin(20);
    const rev = (await store.save(selector, change({ op: "create", meta: "m" })))?.rev ?? 0;
    const late = store.save(selector, change({ rev, set: new Map([["late", "1"]]) }));
    await store.save(selector, change({ rev, set: new Map([["newer", "1"]]) }));
    letGo();
    await expect(late).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    expect((await store.load(selector))?.data).toEqual(new Map([["newer", "1"]]));
  });

  test("a destroy between a writer's read and its swap stands", async () => {
    const selector = newSelector();
    const fast = new SessionMemcachedStore({ client });
    const created = await fast.save(selector, change({ op: "create", meta: "m" }));
    const [node] = await client.getNodesByKey("any");
    if (node === undefined) throw new Error("no node");
    const outrun: MemcachedClient = {
      getNodesByKey: async () => [
        {
          command: async (line, options) => {
            if (line.startsWith("cas ")) await fast.save(selector, change({ op: "destroy" }));
            return node.command(line, options);
          },
        },
      ],
    };
    const slow = new SessionMemcachedStore({ client: outrun });
    const late = change({ rev: created?.rev ?? 0, set: new Map([["late", "1"]]) });
    expect(await slow.save(selector, late)).toBeUndefined();
    expect(await fast.load(selector)).toBeUndefined();
  });
});

describe("what memcached would get wrong", () => {
  test("a session of over 30 days is there, and so is one without an end", async () => {
    const store = new SessionMemcachedStore({ client });
    for (const ttl of [31 * DAY, 400 * DAY, 36_500 * DAY, Infinity]) {
      const selector = newSelector();
      await store.save(
        selector,
        change({ op: "create", meta: "m", ttl, set: new Map([["a", "1"]]) }),
      );
      expect((await store.load(selector))?.data.get("a")).toBe("1");
    }
  });

  test("an item outlives its session at the server, and the end inside it decides", async () => {
    const store = new SessionMemcachedStore({ client, now: clock.now });
    const selector = newSelector();
    await store.save(selector, change({ op: "create", meta: "m", ttl: 1000 }));
    await clock.advance(1001);
    expect(await client.get(`kocha:${selector}`)).toContain("k1[");
    expect(await store.load(selector)).toBeUndefined();
    // The key is free again: a create takes it over by compare-and-swap, never by a set.
    const again = change({ op: "create", meta: "n", set: new Map([["b", "2"]]) });
    expect(await store.save(selector, again)).toBeDefined();
    expect((await store.load(selector))?.data).toEqual(new Map([["b", "2"]]));
  });

  test("an item that someone else wrote or cut is no session, and no error", async () => {
    const store = new SessionMemcachedStore({ client });
    const whole = applyChange(undefined, change({ op: "create" }), 0).stored;
    for (const text of ["", "x", "k1", "k1[]", "k1[1,1,null,2,[]]", 'k1[1,1,null,"m",[["a"]]]']) {
      const selector = newSelector();
      await client.set(`kocha:${selector}`, text);
      expect(await store.load(selector)).toBeUndefined();
      expect(await store.save(selector, change({ rev: whole?.rev ?? 0 }))).toBeUndefined();
      expect(await store.save(selector, change({ op: "create", meta: "m" }))).toBeDefined();
      expect((await store.load(selector))?.meta).toBe("m");
    }
  });

  test("a session over 1 MiB is a LimitError, and the one that was there stays", async () => {
    // The second limit is the server's own word: it counts the key and a header too.
    for (const [maxItemBytes, size] of [
      [undefined, 2_000_000],
      [2_000_000, 1_048_570],
    ] as const) {
      const store = new SessionMemcachedStore({ client, maxItemBytes });
      const selector = newSelector();
      const small = new Map([["a", "1"]]);
      const created = await store.save(selector, change({ op: "create", meta: "m", set: small }));
      const big = change({ rev: created?.rev ?? 0, set: new Map([["big", "x".repeat(size)]]) });
      await expect(store.save(selector, big)).rejects.toMatchObject({
        name: "LimitError",
        code: "ERR_SESSION_LIMIT_SESSION",
        limit: maxItemBytes ?? 1_048_576,
      });
      expect((await store.load(selector))?.data).toEqual(small);
    }
  });

  test("no key that isn't a selector reaches the server", async () => {
    const never: MemcachedClient = { getNodesByKey: () => Promise.reject(new Error("asked")) };
    const store = new SessionMemcachedStore({ client: never });
    for (const selector of ["", "two words", "a\r\nflush_all\r\n", "x".repeat(251), "é"]) {
      expect(await store.load(selector)).toBeUndefined();
      expect(await store.save(selector, change({ op: "create", meta: "m" }))).toBeUndefined();
    }
  });
});

describe("a server that can't answer", () => {
  test("is a StoreError that leaves the cookie, and works again when it is back", async () => {
    const own = await startMemcached();
    onTestFinished(() => own.close());
    const ownClient = await clientOf(own.port);
    const visitor = new Visitor(new SessionMemcachedStore({ client: ownClient }));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    await own.server.kill();
    await expect(visitor.visit((session) => session.get("a"))).rejects.toMatchObject({
      name: "StoreError",
      operation: "load",
      status: 503,
    });
    expect(visitor.cookie).toBe(cookie);
    await own.server.start();
    // What memcached held is gone with it: the visitor is anonymous, and can begin again.
    expect(await visitor.visit((session) => session.get("a"))).toBe("");
    await visitor.visit((session) => session.set("a", "2"));
    expect(await visitor.visit((session) => session.get("a"))).toBe("2");
    await ownClient.disconnect();
  });

  test("that takes commands and never answers is a timeout, not a missing session", async () => {
    const proxy = await countingProxy(memcached.port);
    onTestFinished(() => proxy.close());
    const held = await clientOf(proxy.port);
    const visitor = new Visitor(new SessionMemcachedStore({ client: held }));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    proxy.hold(true);
    await expect(visitor.visit((session) => session.get("a"))).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_TIMEOUT",
    });
    expect(visitor.cookie).toBe(cookie);
    proxy.hold(false);
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
    await held.disconnect();
  });

  test("and a connection that never comes about holds up no other look-up", async () => {
    let asked = 0;
    const stuck: MemcachedClient = {
      getNodesByKey: (key) =>
        asked++ === 0 ? new Promise(() => undefined) : client.getNodesByKey(key),
    };
    const visitor = new Visitor(new SessionMemcachedStore({ client: stuck }), {
      storeTimeout: 0.1,
    });
    const first = visitor.visit((session) => session.set("a", "1"));
    await expect(first).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    await visitor.visit((session) => session.set("a", "2"));
    expect(await visitor.visit((session) => session.get("a"))).toBe("2");
  });

  test("an answer that the protocol doesn't have is an error that shows no key", async () => {
    const odd: MemcachedClient = {
      getNodesByKey: async () => [{ command: async () => "WAT" }],
    };
    const store = new SessionMemcachedStore({ client: odd });
    const failed = store.save("the-key", change({ op: "create", meta: "m" }));
    await expect(failed).rejects.toThrow("memcached answered add with something else than it may");
    await expect(store.save("the-key", change({ rev: 1 }))).rejects.toThrow("answered mg");
  });
});

describe("the configuration", () => {
  test("names what is wrong with the client", async () => {
    const memjs = MemjsClient.create(`127.0.0.1:${memcached.port}`) as unknown;
    expect(
      thrownBy(() => new SessionMemcachedStore({ client: memjs as MemcachedClient })),
    ).toMatchObject({ code: "ERR_SESSION_CONFIG_STORE", field: "client" });
    const copies = new Memcache({ nodes: [], hash: new BroadcastHash() });
    for (const name of ["one:1", "two:2"]) await copies.addNode(name);
    copies.getNodesByKey = async () => copies.getNodes();
    const store = new SessionMemcachedStore({ client: copies });
    await expect(store.load("a")).rejects.toThrow("names 2 servers for one key");
    const sasl = createNode("127.0.0.1", 1, { sasl: { username: "u", password: "p" } });
    const secret: MemcachedClient = { getNodesByKey: async () => [sasl] };
    await expect(new SessionMemcachedStore({ client: secret }).load("a")).rejects.toThrow("SASL");
  });

  test.each([
    [{ prefix: "two words" }, "prefix"],
    [{ prefix: "x".repeat(101) }, "prefix"],
    [{ prefix: "é" }, "prefix"],
    [{ attempts: 3 }, "attempts"],
    [{ maxItemBytes: 1.5 }, "maxItemBytes"],
  ])("refuses %o", (options, field) => {
    expect(thrownBy(() => new SessionMemcachedStore({ client, ...options }))).toMatchObject({
      code: "ERR_SESSION_CONFIG_FIELD",
      field,
    });
  });
});

/** Passes everything on, or holds it, and notes each command and how often the client waited for replies. */
async function countingProxy(target: number) {
  let commands: string[] = [];
  let trips = 0;
  let isHeld = false;
  let release = (): void => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(target, "127.0.0.1");
    let waiting = false;
    for (const socket of [inner, outer]) sockets.add(socket);
    const pending: Buffer[] = [];
    release = () => {
      for (const chunk of pending.splice(0)) outer.write(chunk);
    };
    inner.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString("latin1").split("\r\n")) {
        const command = /^(get|gets|mg|cas|add|set|delete|touch) /.exec(line)?.[1];
        if (command !== undefined) commands.push(command);
      }
      if (!waiting) trips++;
      waiting = true;
      pending.push(chunk);
      if (!isHeld) release();
    });
    outer.on("data", (chunk: Buffer) => {
      waiting = false;
      inner.write(chunk);
    });
    inner.on("close", () => outer.destroy());
    outer.on("close", () => inner.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    take: () => {
      const counted = { commands, trips };
      commands = [];
      trips = 0;
      return counted;
    },
    hold: (is: boolean) => {
      isHeld = is;
      if (!is) release();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
