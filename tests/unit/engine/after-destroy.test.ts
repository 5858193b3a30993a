// What was destroyed stays dead, whatever the request does before and after it, in any order,
// awaited or not, on every kind of store.
import { memoryRevocations, type Session, type SessionConfig } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { SessionRedisStore } from "kocha-session/redis";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { createClient } from "redis";
import { createStorage } from "unstorage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnySessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { type RedisServer, startRedis } from "../../support/servers/redis.ts";
import { slowly } from "../../support/latency.ts";
import { type Client, Clock, makeStore, makeWorld, type World } from "./client.ts";

const DAY = 86_400;
/** How many orders are tried at once. */
const WORLDS = 16;

/** What a handler can do to its session; the name is what the test is called by. */
const operations: Readonly<Record<string, (session: Session) => unknown>> = {
  set: (session) => session.set("late", "1"),
  del: (session) => session.del("user"),
  clear: (session) => session.clear(),
  regenerate: (session) => session.regenerate(),
  destroy: (session) => session.destroy(),
  commit: (session) => session.commit(),
  bind: (session) => session.bind("mallory"),
  cookieExpires: (session) => (session.cookieExpires = 3600),
  discard: (session) => session.discard(),
};
const names = Object.keys(operations);
/** What only looks or saves is no change, and may be called on what is destroyed. */
const harmless = new Set(["destroy", "commit", "discard"]);

/** Every order of two and of three that destroys. */
const orders = [
  ...names.flatMap((one) => names.map((other) => [one, other])),
  ...names.flatMap((one) => names.flatMap((two) => names.map((three) => [one, two, three]))),
].filter((order) => order.includes("destroy"));

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

interface Subject {
  readonly name: string;
  /** Whether a copied credential dies with the session. */
  readonly isFinal: boolean;
  readonly make: (clock: Clock) => { store: AnySessionStore } & Partial<SessionConfig>;
}

const subjects: readonly Subject[] = [
  {
    name: "memory",
    isFinal: true,
    make: ({ now }) => ({ store: new SessionMemoryStore({ now }) }),
  },
  {
    name: "a slow memory",
    isFinal: true,
    make: ({ now }) => ({ store: slowly(new SessionMemoryStore({ now })) }),
  },
  { name: "cookie", isFinal: false, make: (clock) => ({ store: makeStore("cookie", clock) }) },
  {
    name: "cookie, split",
    isFinal: false,
    make: (clock) => ({ store: makeStore("cookie", clock, { maxCookies: 3 }) }),
  },
  {
    name: "cookie, merge",
    isFinal: false,
    make: (clock) => ({ store: makeStore("cookie", clock, { merge: mergingCookies() }) }),
  },
  {
    name: "cookie, revocations",
    isFinal: true,
    make: (clock) => ({
      store: makeStore("cookie", clock),
      revocations: memoryRevocations({ now: clock.now }),
      sessionExpires: DAY,
    }),
  },
  {
    name: "cookie, merge and revocations",
    isFinal: true,
    make: (clock) => ({
      store: makeStore("cookie", clock, { merge: mergingCookies() }),
      revocations: memoryRevocations({ now: clock.now }),
      sessionExpires: DAY,
    }),
  },
  {
    name: "Redis",
    isFinal: true,
    make: () => ({ store: new SessionRedisStore({ client: redis }) }),
  },
  {
    name: "unstorage",
    isFinal: true,
    make: ({ now }) => ({
      store: new SessionUnstorageStore({ storage: createStorage(), acceptRaces: true, now }),
    }),
  },
];

/** The codes of what an operation throws or rejects with; "": it went through. */
type Outcome = Promise<string>;

function run(session: Session, name: string): Outcome {
  const outcome = async (): Promise<string> => {
    try {
      await operations[name]?.(session);
      return "";
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  return outcome();
}

/** How a test is run. */
interface Way {
  readonly awaits: boolean;
  /** Whether the client has logged in before; else it does so in the request. */
  readonly isStored: boolean;
}

function logIn(session: Session): void {
  session.set("user", "alice");
  session.set("filler", "x".repeat(500));
}

/** One request of a client; gives each operation's outcome. */
async function perform(
  client: Client,
  order: readonly string[],
  { awaits, isStored }: Way,
): Promise<{ outcomes: string[]; credentials: (string | undefined)[] }> {
  if (isStored) await client.request(logIn);
  const credentials = [client.jar.header];
  const outcomes: Outcome[] = [];
  await client.request(async (session) => {
    if (!isStored) logIn(session);
    for (const name of order) {
      const outcome = run(session, name);
      outcomes.push(outcome);
      if (awaits) await outcome;
    }
  });
  credentials.push(client.jar.header);
  return { outcomes: await Promise.all(outcomes), credentials };
}

/** What is wrong with an order's result; undefined: nothing. */
async function faultOf(
  world: World,
  order: readonly string[],
  way: Way,
  isFinal: boolean,
): Promise<string | undefined> {
  const client = world.newClient();
  const { outcomes, credentials } = await perform(client, order, way);
  const destroyed = order.indexOf("destroy");
  const wanted = order.map((name, index) =>
    index > destroyed && !harmless.has(name) ? "ERR_SESSION_USAGE_DESTROYED" : "",
  );
  if (outcomes.join() !== wanted.join()) return `came to [${outcomes.join()}]`;
  const left = await world.engine.open(client.jar.header);
  if (left.size > 0 || !left.isNew) return `leaves ${JSON.stringify(left.toObject())}`;
  for (const credential of isFinal ? credentials : []) {
    const copy = await world.engine.open(credential);
    if (copy.size > 0 || !copy.isNew) return "leaves a credential that opens";
  }
  const ends = world.told.filter(({ name }) => name === "destroyed").length;
  if (way.isStored && ends !== 1) return `told of ${ends} ends`;
  world.told.splice(0);
  return undefined;
}

describe.each(subjects)("on the $name store", ({ make, isFinal }) => {
  test.each([
    ["awaited", { awaits: true, isStored: true }],
    ["without an await", { awaits: false, isStored: true }],
    ["of a new session, awaited", { awaits: true, isStored: false }],
    ["of a new session, without an await", { awaits: false, isStored: false }],
  ])("every order of operations with a destroy leaves nothing alive, %s", async (_, way) => {
    const faults: string[] = [];
    // Several worlds side by side, each with a share of the orders: a slow store is mostly waited for.
    const share = async (nth: number): Promise<void> => {
      const clock = new Clock();
      const { store, ...config } = make(clock);
      const world = makeWorld(store, config, clock);
      for (const order of orders.filter((_order, index) => index % WORLDS === nth)) {
        const fault = await faultOf(world, order, way, isFinal);
        if (fault === undefined) continue;
        faults.push(`${order.join(", ")}: ${fault}`);
        world.told.splice(0);
      }
    };
    await Promise.all(Array.from({ length: WORLDS }, (_world, nth) => share(nth)));
    expect(faults).toEqual([]);
  });
});
