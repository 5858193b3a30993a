// The unstorage store on drivers of three kinds: in memory, in files, and on a real Redis.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionUnstorageStore, type UnstorageStorage } from "kocha-session/unstorage";
import { fakeClock, storeLaws, type MakeStore } from "kocha-session/testing";
import { createStorage, prefixStorage, type Driver, type Storage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import lruDriver from "unstorage/drivers/lru-cache";
import memoryDriver from "unstorage/drivers/memory";
import redisDriver from "unstorage/drivers/redis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { Redis } from "ioredis";
import { startRedis } from "../support/servers/redis.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { warningsOf } from "../support/warnings.ts";

const clock = fakeClock(Date.now());
const redis = await startRedis();
const folder = mkdtempSync(join(tmpdir(), "kocha-session-unstorage-"));
const client = new Redis(redis.port, "127.0.0.1");

afterAll(async () => {
  rmSync(folder, { recursive: true });
  client.disconnect();
  await redis.close();
});

let folders = 0;
const drivers: Readonly<Record<string, () => Driver>> = {
  memory: () => memoryDriver() as Driver,
  "lru-cache": () => lruDriver({}) as Driver,
  fs: () => fsDriver({ base: join(folder, String(++folders)) }) as Driver,
  redis: () => redisDriver({ url: redis.url }) as Driver,
};

/** The storage, whose next write can be made to hang. */
function hangingStorage(storage: Storage) {
  let held: Promise<void> | undefined;
  const takeHeld = async (): Promise<void> => {
    const taken = held;
    held = undefined;
    await taken;
  };
  const hanging: UnstorageStorage = {
    getItem: (key) => storage.getItem(key),
    setItem: async (key, value, options) => {
      await takeHeld();
      await storage.setItem(key, value, options);
    },
    removeItem: async (key) => storage.removeItem(key),
  };
  const hang = (): (() => void) => {
    let release = (): void => undefined;
    held = new Promise((resolve) => (release = resolve));
    return release;
  };
  return { hanging, hang };
}

describe.each(Object.entries(drivers))("on the driver %s", async (name, makeDriver) => {
  const makeStore: MakeStore = async () => {
    const storage = createStorage({ driver: makeDriver() });
    const { hanging, hang } = hangingStorage(storage);
    return {
      store: new SessionUnstorageStore({ storage: hanging, acceptRaces: true, now: clock.now }),
      hang,
      close: () => storage.dispose(),
    };
  };
  const cases = await storeLaws(makeStore, {
    name: `unstorage on ${name}`,
    clock,
    seed: 42,
    runs: 15,
  });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());
});

describe("what a driver is told", () => {
  test("Redis gets a time to live that is never shorter than the session's", async () => {
    const storage = createStorage({ driver: redisDriver({ url: redis.url, base: "ttl" }) });
    const store = new SessionUnstorageStore({ storage, prefix: "s-" });
    const base = { op: "create", set: new Map(), del: [], deadline: Infinity, meta: "m" } as const;
    await store.save("hour", { ...base, ttl: 3_600_000 });
    await store.save("ever", { ...base, ttl: Infinity });
    expect(await client.ttl("ttl:s-hour")).toBeGreaterThan(3600);
    expect(await client.ttl("ttl:s-hour")).toBeLessThanOrEqual(3660);
    expect(await client.ttl("ttl:s-ever")).toBe(-1);
    await storage.dispose();
  });

  test("a driver that keeps no time gives no expired session back", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    const store = new SessionUnstorageStore({ storage, now: clock.now });
    const base = { op: "create", set: new Map(), del: [], deadline: Infinity, meta: "m" } as const;
    await store.save("row", { ...base, ttl: 1000 });
    await clock.advance(1000);
    expect(await storage.getKeys()).toHaveLength(1);
    expect(await store.load("row")).toBeUndefined();
  });

  test("a part of a storage is enough", async () => {
    const storage = prefixStorage(createStorage({ driver: memoryDriver() }), "mine");
    const visitor = new Visitor(new SessionUnstorageStore({ storage }));
    await visitor.visit((session) => session.set("a", "1"));
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
  });

  test("what someone else wrote is an error in the end, never no session", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    const store = new SessionUnstorageStore({ storage, prefix: "" });
    for (const value of ["text", 7, true, { rev: 1 }, [1], "k1[1,1,null,2,[]]", ""]) {
      await storage.setItem("row", value as string);
      await expect(store.load("row")).rejects.toMatchObject({
        name: "StoreError",
        code: "ERR_SESSION_STORE_ANSWER",
      });
    }
    await storage.removeItem("row");
    expect(await store.load("row")).toBeUndefined();
  });
});

describe("files that another process writes", () => {
  test("are read whole, at each of 200 reads", { timeout: 60_000 }, async () => {
    const base = join(folder, "two-processes");
    const program = join(import.meta.dirname, "unstorage-writer.ts");
    const execArgv = ["--conditions=kocha-session-source", "--import", "tsx"];
    const writer = fork(program, [base, "row"], { execArgv });
    onTestFinished(() => void writer.kill());
    await once(writer, "message");
    writer.send("begin");
    const storage = createStorage({ driver: fsDriver({ base }) as Driver });
    const store = new SessionUnstorageStore({ storage });
    let missed = 0;
    for (let read = 0; read < 200; read++) {
      if ((await store.load("row"))?.data.get("a") === undefined) missed++;
    }
    expect(missed).toBe(0);
    writer.disconnect();
    await once(writer, "exit");
  });
});

describe("keys that a storage doesn't keep apart", () => {
  test.each(["app?", "?", "a?b:", "..:", "../x:", "a..b"])(
    "the prefix %j is refused at once",
    (prefix) => {
      const storage = createStorage({ driver: memoryDriver() });
      expect(thrownBy(() => new SessionUnstorageStore({ storage, prefix }))).toMatchObject({
        name: "ConfigError",
        code: "ERR_SESSION_CONFIG_FIELD",
        field: "prefix",
      });
    },
  );

  test("a storage of another kind is found out by the first request, and by each", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    const cutting: UnstorageStorage = {
      getItem: (key) => storage.getItem(key.slice(0, 8)),
      setItem: (key, value) => storage.setItem(key.slice(0, 8), value),
      removeItem: (key) => storage.removeItem(key.slice(0, 8)),
    };
    const visitor = new Visitor(
      new SessionUnstorageStore({ storage: cutting, prefix: "sessions" }),
    );
    for (let request = 0; request < 2; request++) {
      await expect(visitor.visit((session) => session.set("a", "1"))).rejects.toMatchObject({
        name: "ConfigError",
        field: "prefix",
      });
    }
    expect(visitor.cookie).toBeUndefined();
    expect(await storage.getKeys()).toEqual([]);
  });

  test.each(["", "a:", "a::b//", "a\\", "#%&", "$", "."])(
    "the prefix %j is taken",
    async (prefix) => {
      const storage = createStorage({
        driver: fsDriver({ base: join(folder, String(++folders)) }) as Driver,
      });
      const store = new SessionUnstorageStore({ storage, prefix });
      const one = new Visitor(store);
      const other = new Visitor(store);
      await one.visit((session) => session.set("a", "one"));
      await other.visit((session) => session.set("a", "other"));
      expect(await one.visit((session) => session.get("a"))).toBe("one");
    },
  );

  test("two keys are tried once, and removed", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    let written = 0;
    const counting: UnstorageStorage = {
      getItem: (key) => storage.getItem(key),
      setItem: (key, value) => storage.setItem(key, value, { n: ++written }),
      removeItem: (key) => storage.removeItem(key),
    };
    const store = new SessionUnstorageStore({ storage: counting });
    for (let load = 0; load < 3; load++) expect(await store.load("row")).toBeUndefined();
    expect([written, await storage.getKeys()]).toEqual([2, []]);
  });
});

describe("races", () => {
  test("within one process there are none", async () => {
    const storage = createStorage({
      driver: fsDriver({ base: join(folder, "races") }) as Driver,
    });
    const visitor = new Visitor(new SessionUnstorageStore({ storage }));
    await visitor.visit((session) => session.set("base", "0"));
    const keys = Array.from({ length: 16 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => visitor.visit((session) => session.set(key, key))));
    const found = await visitor.visit((session) => [...session.keys()]);
    expect(found.toSorted()).toEqual([...keys, "base"].toSorted());
  });

  test("it says once that between processes there are, and not to those who know", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    const said = await warningsOf(`
      const { SessionUnstorageStore } = await import("kocha-session/unstorage");
      const storage = { getItem() {}, setItem() {}, removeItem() {} };
      new SessionUnstorageStore({ storage, acceptRaces: true });
      console.log("known");
      for (let n = 0; n < 3; n++) new SessionUnstorageStore({ storage });
    `);
    expect(said).toEqual(["KOCHA_SESSION_NOT_ATOMIC"]);
    expect(new SessionUnstorageStore({ storage }).capabilities.atomic).toBe(false);
  });
});

describe("a driver that never answers", () => {
  test("costs the request that asked it, and no other of that session", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    const { hanging, hang } = hangingStorage(storage);
    const store = new SessionUnstorageStore({ storage: hanging });
    const visitor = new Visitor(store, { storeTimeout: 0.1 });
    await visitor.visit((session) => session.set("a", "1"));
    hang();
    const write = visitor.visit((session) => session.set("b", "2"));
    await expect(write).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    await visitor.visit((session) => session.set("c", "3"));
    expect(await visitor.visit((session) => [...session.keys()])).toEqual(["a", "c"]);
    await visitor.visit((session) => session.destroy());
    expect(await storage.getKeys()).toEqual([]);
  });

  test("a read that comes late writes nothing", async () => {
    const storage = createStorage({ driver: memoryDriver() });
    let release = (): void => undefined;
    let held: Promise<void> | undefined;
    const store = new SessionUnstorageStore({
      storage: {
        getItem: async (key) => {
          const value = await storage.getItem(key);
          const taken = held;
          held = undefined;
          await taken;
          return value;
        },
        setItem: (key, value) => storage.setItem(key, value),
        removeItem: (key) => storage.removeItem(key),
      },
    });
    store.answerWithin(50);
    const base = { set: new Map(), del: [], deadline: Infinity, ttl: 3_600_000 } as const;
    await store.save("row", { ...base, op: "create", meta: "m" });
    held = new Promise((resolve) => (release = resolve));
    const late = store.save("row", { ...base, op: "update", rev: 1, set: new Map([["a", "1"]]) });
    await store.save("row", { ...base, op: "destroy" });
    release();
    await expect(late).rejects.toMatchObject({
      name: "StoreError",
      code: "ERR_SESSION_STORE_TIMEOUT",
      message: expect.stringContaining("nothing was saved") as string,
    });
    expect(await store.load("row")).toBeUndefined();
  });
});

test("it says what is wrong with the storage", () => {
  for (const storage of [undefined, null, {}, new Map(), { getItem: () => undefined }]) {
    const options = { storage: storage as unknown as UnstorageStorage };
    expect(thrownBy(() => new SessionUnstorageStore(options))).toMatchObject({
      code: "ERR_SESSION_CONFIG_STORE",
      field: "storage",
    });
  }
});

test("a driver that fails is a StoreError with its own error as the cause", async () => {
  const cause = new Error("the disk is gone");
  const storage: UnstorageStorage = {
    getItem: () => Promise.reject(cause),
    setItem: () => Promise.reject(cause),
    removeItem: () => Promise.reject(cause),
  };
  const visitor = new Visitor(new SessionUnstorageStore({ storage }));
  await expect(visitor.visit((session) => session.set("a", "1"))).rejects.toMatchObject({
    name: "StoreError",
    operation: "save",
    cause,
  });
});
