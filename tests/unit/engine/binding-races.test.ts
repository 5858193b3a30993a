// A binding or a lifetime of one request refuses no write of another's: only barriers do, and of two
// bindings at once one is refused (laws L1 and L3), on every kind of server-side store.
import { listSessions } from "kocha-session";
import { SessionRedisStore } from "kocha-session/redis";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { createClient } from "redis";
import { createStorage } from "unstorage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import type { SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { type RedisServer, startRedis } from "../../support/servers/redis.ts";
import { slowly } from "../../support/latency.ts";
import { Clock, makeWorld, type World } from "./client.ts";

let server: RedisServer;
let redis: ReturnType<typeof createClient>;
beforeAll(async () => {
  server = await startRedis();
  redis = createClient({ url: server.url });
  await redis.connect();
});
afterAll(async () => {
  await redis.close();
  await server.close();
});

const stores: readonly (readonly [string, (clock: Clock) => SessionStore])[] = [
  ["memory", ({ now }) => new SessionMemoryStore({ now })],
  ["slow memory", ({ now }) => slowly(new SessionMemoryStore({ now }))],
  ["Redis", () => new SessionRedisStore({ client: redis })],
  [
    "unstorage",
    ({ now }) => new SessionUnstorageStore({ storage: createStorage(), acceptRaces: true, now }),
  ],
];

type Step = (session: Session) => unknown;

/** A client's two requests, of which the second loads before the first saves, and saves after it. */
async function raceOf(world: World, first: Step, second: Step) {
  const client = world.newClient();
  await client.request((session) => session.set("user", "alice"));
  world.told.splice(0);
  const late = await world.engine.open(client.jar.header);
  await client.request(first);
  await second(late);
  client.jar.take((await world.engine.commit(late)).setCookie);
  const refused = world.told.filter(({ name }) => name === "refused").length;
  const session = await world.engine.open(client.jar.header);
  return { data: session.toObject(), lifetime: session.cookieExpires, refused, late };
}

const write: Step = (session) => session.set("b", "2");
const bind: Step = (session) => session.bind("alice");
const choose: Step = (session) => (session.cookieExpires = 3600);
const both = { user: "alice", b: "2" };

describe.each(stores)("on the %s store", (_, makeStore) => {
  const start = (): World => {
    const clock = new Clock();
    return makeWorld(makeStore(clock), {}, clock);
  };

  test.each([
    ["a binding", bind],
    ["a lifetime", choose],
  ])("%s refuses no write of another key", async (__, step) => {
    expect(await raceOf(start(), step, write)).toMatchObject({ data: both, refused: 0 });
    expect(await raceOf(start(), write, step)).toMatchObject({ data: both, refused: 0 });
  });

  test("a binding with keys and a lifetime with keys are both kept", async () => {
    const one: Step = (session) => {
      session.set("b", "2");
      session.bind("alice");
    };
    const other: Step = (session) => {
      session.set("c", "3");
      session.cookieExpires = 3600;
    };
    const kept = { data: { ...both, c: "3" }, lifetime: 3600, refused: 0 };
    expect(await raceOf(start(), one, other)).toMatchObject(kept);
    expect(await raceOf(start(), other, one)).toMatchObject(kept);
  });

  test("of two bindings at once the second is refused, of one subject too", async () => {
    for (const subject of ["alice", "bob"]) {
      const second: Step = (session) => {
        session.set("b", "2");
        session.bind(subject);
      };
      expect(await raceOf(start(), bind, second)).toMatchObject({
        data: { user: "alice" },
        refused: 1,
      });
    }
  });

  test("a regenerate or a clear beside a binding takes effect", async () => {
    const regenerated = await raceOf(start(), bind, (session) => session.regenerate());
    expect(regenerated).toMatchObject({ data: { user: "alice" }, refused: 0 });
    expect(regenerated.late.isNew).toBe(false);
    const cleared = await raceOf(start(), choose, (session) => session.clear());
    expect(cleared).toMatchObject({ data: {}, lifetime: 3600, refused: 0 });
  });

  test("what is sent again renews for no longer than the row's own idle timeout", async () => {
    const shorten: Step = (session) => (session.sessionExpires = 600);
    const clock = new Clock();
    const world = makeWorld(makeStore(clock), { sessionExpires: 86_400 }, clock);
    const untouched = world.newClient();
    await untouched.request((session) => session.set("user", "bob"));
    const end = (await world.engine.open(untouched.jar.header)).expiresAt?.getTime() ?? 0;
    const barriers: readonly Step[] = [
      (session) => session.clear(),
      (session) => session.regenerate(),
    ];
    for (const barrier of barriers) {
      const { late, refused } = await raceOf(world, shorten, barrier);
      expect([refused, late.sessionExpires]).toEqual([0, 600]);
      expect(late.expiresAt?.getTime()).toBeLessThan(end - 43_200_000);
    }
  });

  test("a barrier refuses what was loaded before it, bound or not", async () => {
    const barriers: readonly Step[] = [
      (session) => session.clear(),
      (session) => session.regenerate(),
      async (session) => {
        session.bind("alice");
        await session.regenerate();
      },
    ];
    for (const barrier of barriers) {
      for (const late of [write, bind, choose]) {
        const { data, refused } = await raceOf(start(), barrier, late);
        expect([data["b"], refused]).toEqual([undefined, 1]);
      }
    }
  });
});

test("a write that renews beside a shorter idle timeout leaves the session no longer", async () => {
  const world = makeWorld("memory", { sessionExpires: 30 * 86_400 });
  const client = world.newClient();
  await client.request((session) => session.set("user", "alice"));
  world.clock.advance(10 * 86_400);
  const late = await world.engine.open(client.jar.header);
  await client.request((session) => (session.sessionExpires = 600));
  late.set("b", "2");
  client.jar.take((await world.engine.commit(late)).setCookie);
  expect(await client.read()).toEqual(both);
  world.clock.advance(601);
  expect(await client.read()).toEqual({});
});

test("a binding that was made behind a barrier doesn't hide it", async () => {
  const world = makeWorld("memory");
  const client = world.newClient();
  await client.request((session) => session.set("user", "alice"));
  const late = await world.engine.open(client.jar.header);
  await client.request((session) => session.clear());
  await client.request(bind);
  world.told.splice(0);
  late.set("b", "2");
  await world.engine.commit(late);
  expect(world.events()).toEqual(["refused"]);
  expect(await client.read()).toEqual({});
});

test("the list shows the binding that was made, and a chosen lifetime leaves it as it was", async () => {
  const store = new SessionMemoryStore();
  const world = makeWorld(store);
  await raceOf(world, choose, (session) => session.bind("alice", { label: "laptop" }));
  const labels: string[] = [];
  for await (const { label } of listSessions(store, "alice")) labels.push(label);
  expect(labels).toEqual(["laptop"]);
});

describe("a write that was refused for a binding", () => {
  /** A memory store behind a log of its calls, whose next loads may fail. */
  function watched() {
    const memory = new SessionMemoryStore();
    const calls: string[] = [];
    const state = { isDown: false };
    const store: SessionStore = {
      load: (key) => {
        calls.push("load");
        if (state.isDown) throw new Error("down");
        return memory.load(key);
      },
      save: (key, change) => {
        calls.push("save");
        return memory.save(key, change);
      },
    };
    return { store, calls, state };
  }

  test("costs one load and one more save", async () => {
    const { store, calls } = watched();
    await raceOf(makeWorld(store), bind, (session) => {
      calls.splice(0);
      session.set("b", "2");
    });
    // The last load is that of the look at the result.
    expect(calls).toEqual(["save", "load", "save", "load"]);
  });

  test("is an error when the store can't be asked again, and nothing is saved", async () => {
    const { store, state } = watched();
    const world = makeWorld(store);
    const racing = raceOf(world, bind, (session) => {
      session.set("b", "2");
      state.isDown = true;
    });
    await expect(racing).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
    expect(world.told.at(-1)).toMatchObject({ name: "storeError", event: { operation: "load" } });
  });
});
