// A logout with several cookies of our name, as a browser sends them after the cookie's path or
// domain has changed: every session of the request ends, and nothing else does.
import { memoryRevocations, type SessionConfig } from "kocha-session";
import { kochaCookies, sealKochaCookie } from "kocha-session/kocha";
import { mergingCookies } from "kocha-session/merge";
import { describe, expect, test } from "vitest";
import type { AnySessionStore, SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { type Client, Clock, makeStore, makeWorld, type World } from "./client.ts";

const DAY = 86_400;
const GRACE = 60;

interface Subject {
  readonly name: string;
  /** Whether a copied credential dies with the session. */
  readonly isFinal: boolean;
  readonly make: (clock: Clock) => { store: AnySessionStore } & Partial<SessionConfig>;
}

const revocable = (clock: Clock, options: Parameters<typeof makeStore>[2] = {}) => ({
  store: makeStore("cookie", clock, options),
  revocations: memoryRevocations({ now: clock.now }),
  sessionExpires: DAY,
});

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
  { name: "cookie, revocations", isFinal: true, make: (clock) => revocable(clock) },
  {
    name: "cookie, split and revocations",
    isFinal: true,
    make: (clock) => revocable(clock, { maxCookies: 3 }),
  },
  {
    name: "cookie, merge and revocations",
    isFinal: true,
    make: (clock) => revocable(clock, { merge: mergingCookies() }),
  },
  {
    name: "cookie, merge",
    isFinal: false,
    make: (clock) => ({ store: makeStore("cookie", clock, { merge: mergingCookies() }) }),
  },
];

function start({ make }: Subject): World {
  const clock = new Clock();
  const { store, ...config } = make(clock);
  return makeWorld(store, config, clock);
}

/** A client with a session of its own. */
async function logIn(world: World, user: string): Promise<Client> {
  const client = world.newClient();
  await client.request((session) => session.set("user", user));
  // Sessions of one second have no order that a test could rely on.
  world.clock.advance(1);
  return client;
}

/** What a request with these cookies finds. */
async function find(world: World, header: string | undefined): Promise<string> {
  return (await world.engine.open(header)).get("user");
}

/** A logout with these cookies; gives the ids of the sessions that ended. */
async function logOut(world: World, header: string): Promise<{ ids: unknown[]; names: string[] }> {
  world.told.splice(0);
  const session = await world.engine.open(header);
  await session.destroy();
  const { setCookie } = await world.engine.commit(session);
  const ids = world.told.flatMap(({ name, event }) => (name === "destroyed" ? [event["id"]] : []));
  const expired = setCookie.filter((cookie) => cookie.includes("Max-Age=0"));
  return { ids, names: expired.map((cookie) => cookie.slice(0, cookie.indexOf("="))) };
}

function headerOf(...clients: readonly Client[]): string {
  return clients.map(({ jar }) => jar.header).join("; ");
}

function namesIn(header: string): string[] {
  const names = header.split("; ").map((pair) => pair.slice(0, pair.indexOf("=")));
  return [...new Set(names)].toSorted();
}

describe.each(subjects)("a logout on the $name store", (subject) => {
  const { isFinal } = subject;

  test("ends every session of the request, and expires each one's cookies", async () => {
    const world = start(subject);
    const clients = [await logIn(world, "alice"), await logIn(world, "bob")];
    const header = headerOf(...clients);
    const { ids, names } = await logOut(world, header);
    expect(new Set(ids).size).toBe(2);
    expect(names.toSorted()).toEqual(namesIn(header));
    for (const { jar } of isFinal ? clients : []) expect(await find(world, jar.header)).toBe("");
  });
});

describe.each(subjects.filter(({ isFinal }) => isFinal))(
  "a logout on the $name store",
  (subject) => {
    test("ends one that is in its grace, beside one that lives", async () => {
      const world = start(subject);
      const [alice, bob] = [await logIn(world, "alice"), await logIn(world, "bob")];
      const old = alice.jar.header;
      await alice.request((session) => session.regenerate());
      const { ids } = await logOut(world, `${headerOf(bob)}; ${old}`);
      expect(new Set(ids).size).toBe(2);
      expect(await find(world, alice.jar.header)).toBe("");
      expect(await find(world, bob.jar.header)).toBe("");
    });

    test("ends nothing by a retired credential", async () => {
      const world = start(subject);
      const [alice, bob] = [await logIn(world, "alice"), await logIn(world, "bob")];
      const old = alice.jar.header;
      await alice.request((session) => session.regenerate());
      world.clock.advance(GRACE + 1);
      const { ids } = await logOut(world, `${headerOf(bob)}; ${old}`);
      expect(ids).toHaveLength(1);
      expect(await find(world, alice.jar.header)).toBe("alice");
      expect(await find(world, bob.jar.header)).toBe("");
      expect((await logOut(world, old ?? "")).ids).toEqual([]);
      expect(await find(world, alice.jar.header)).toBe("alice");
    });

    test("ends what the request brought, also behind a fresh session", async () => {
      const world = start(subject);
      const client = await logIn(world, "alice");
      const old = client.jar.header;
      await client.request((session) => session.regenerate());
      const session = await world.engine.open(old);
      await session.regenerate();
      session.set("user", "fresh");
      await session.destroy();
      await world.engine.commit(session);
      expect(await find(world, client.jar.header)).toBe("");
    });
  },
);

describe.each([
  ["plain", {}],
  ["merging", { merge: mergingCookies() }],
] as const)("another library's cookie beside a %s one of ours", (_, options) => {
  const HOUR = 3600;
  function migrating() {
    const clock = new Clock();
    const keys = { secretKey: freshKey(), signingKey: freshKey() };
    const migrateFrom = kochaCookies({ name: "kocha", ...keys });
    const world = makeWorld(makeStore("cookie", clock, { ...options, migrateFrom }), {}, clock);
    const ends = String(Math.floor(clock.now() / 1000) + 30 * DAY);
    const data = new Map([
      ["user", "old"],
      ["_kocha._sess._expires", ends],
    ]);
    const client = world.newClient();
    const bring = (): void => client.jar.take([`kocha=${sealKochaCookie(data, keys)}`]);
    return { world, client, bring };
  }

  test("is no session after a logout, at once and later", async () => {
    const { world, client, bring } = migrating();
    await client.request((session) => session.set("user", "new"));
    bring();
    expect(await client.read()).toEqual({ user: "new" });
    await client.request((session) => session.destroy());
    expect(await client.read()).toEqual({});
    world.clock.advance(2 * DAY);
    expect(await client.read()).toEqual({});
  });

  test("goes with the next writes, and isn't there when ours has ended", async () => {
    const { world, client, bring } = migrating();
    await client.request((session) => session.set("user", "new"));
    bring();
    for (const a of ["1", "2"]) await client.request((session) => session.set("a", a));
    world.clock.advance(DAY + HOUR);
    expect(await client.read()).toEqual({});
  });

  test("is opened behind junk of its name", async () => {
    const { world, client, bring } = migrating();
    bring();
    const junk = Array.from({ length: 1000 }, () => "kocha=junk").join("; ");
    const session = await world.engine.open(`${junk}; ${client.jar.header}`);
    expect(session.get("user")).toBe("old");
  });
});

test("a logout among merging cookies holds against one of another path that stays", async () => {
  const clock = new Clock();
  const keys = freshKeys();
  const plain = makeWorld(makeStore("cookie", clock, keys), {}, clock);
  const merging = makeWorld(
    makeStore("cookie", clock, { ...keys, merge: mergingCookies() }),
    {},
    clock,
  );
  const before = await logIn(plain, "alice");
  const client = await logIn(merging, "bob");
  const session = await merging.engine.open(headerOf(before, client));
  expect(session.get("user")).toBe("bob");
  await session.destroy();
  client.jar.take((await merging.engine.commit(session)).setCookie);
  expect(await find(merging, headerOf(before, client))).toBe("");
});

test("a logout on a store that doesn't answer is tried for every session of the request", async () => {
  const memory = new SessionMemoryStore();
  let isDown = false;
  const store: SessionStore = {
    load: (key) => {
      if (isDown) throw new Error("down");
      return memory.load(key);
    },
    save: (key, change) => memory.save(key, change),
  };
  const world = makeWorld(store, { onStoreError: "anonymous" });
  const clients = [await logIn(world, "alice"), await logIn(world, "bob")];
  isDown = true;
  const { ids } = await logOut(world, headerOf(...clients));
  expect(new Set(ids).size).toBe(2);
  isDown = false;
  for (const { jar } of clients) expect(await find(world, jar.header)).toBe("");
});

test("a logout that fails for one session has ended the others", async () => {
  const memory = new SessionMemoryStore();
  let ends = 0;
  const store: SessionStore = {
    load: (key) => memory.load(key),
    save: async (key, change) => {
      if (change.op === "destroy" && ++ends === 1) throw new Error("down");
      return memory.save(key, change);
    },
  };
  const world = makeWorld(store);
  const clients = [await logIn(world, "alice"), await logIn(world, "bob")];
  const session = await world.engine.open(headerOf(...clients));
  await expect(session.destroy()).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
  const left = await Promise.all(clients.map(({ jar }) => find(world, jar.header)));
  expect(left.filter((user) => user !== "")).toHaveLength(1);
});
