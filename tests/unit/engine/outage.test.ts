// A store that fails while a session is opened: every look at it says the same, on both kinds of
// store, and an upgrade's session too; no failure of one of several loads is left without a handler.
import { describe, expect, test } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import type {
  AnySessionStore,
  SealedSessionStore,
  SessionStore,
} from "../../../src/store/contract.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { type Client, kinds, makeWorld } from "./client.ts";

type Kind = (typeof kinds)[number];

/** A store that opens nothing as long as it is told so. */
function breakable(kind: Kind): { store: AnySessionStore; state: { isDown: boolean } } {
  const state = { isDown: false };
  const fail = (): void => {
    if (state.isDown) throw new Error("the store is down");
  };
  if (kind === "memory") {
    const inner = new SessionMemoryStore();
    const load = (selector: string): ReturnType<SessionStore["load"]> => {
      fail();
      return inner.load(selector);
    };
    const save: SessionStore["save"] = (selector, change) => inner.save(selector, change);
    return { store: { load, save }, state };
  }
  const sealed = new SessionCookieStore(freshKeys());
  const store: SealedSessionStore = {
    sealed: true,
    open: (cookies, context) => {
      fail();
      return sealed.open(cookies, context);
    },
    write: (opened, change, context) => sealed.write(opened, change, context),
  };
  return { store, state };
}

async function logIn(client: Client): Promise<void> {
  await client.request((session) => session.set("user", "alice"));
}

const failed = { code: "ERR_SESSION_STORE_FAILED" };

describe.each(kinds)("a %s store that fails to open", (kind) => {
  test('where `onStoreError` is "anonymous" the session is unavailable at every look', async () => {
    const { store, state } = breakable(kind);
    const world = makeWorld(store, { onStoreError: "anonymous" });
    const client = world.newClient();
    await logIn(client);
    state.isDown = true;
    const session = await world.engine.open(client.jar.header);
    for (let look = 0; look < 2; look++) {
      expect([session.get("user"), session.unavailable, session.readOnly]).toEqual([
        "",
        true,
        true,
      ]);
    }
    session.set("late", "1");
    await expect(session.regenerate()).rejects.toMatchObject(failed);
    expect((await world.engine.commit(session)).setCookie).toEqual([]);
    expect(world.told.at(-1)).toMatchObject({ name: "refused", event: { reason: "unavailable" } });
    state.isDown = false;
    expect(await client.read()).toEqual({ user: "alice" });
  });

  test("an upgrade's session is unavailable too, and still can't be changed", async () => {
    const { store, state } = breakable(kind);
    const world = makeWorld(store, { onStoreError: "anonymous" });
    const client = world.newClient();
    await logIn(client);
    state.isDown = true;
    const session = await world.engine.openReadOnly(client.jar.header);
    expect([session.get("user"), session.unavailable, session.readOnly]).toEqual(["", true, true]);
    const readOnly = { code: "ERR_SESSION_USAGE_READ_ONLY" };
    expect(thrownBy(() => session.set("late", "1"))).toMatchObject(readOnly);
    await expect(session.destroy()).rejects.toMatchObject(readOnly);
    expect((await world.engine.commit(session)).setCookie).toEqual([]);
  });
});

test('a cookie store that fails to open fails every look where `onStoreError` is "fail"', async () => {
  const { store, state } = breakable("cookie");
  const world = makeWorld(store);
  const client = world.newClient();
  await logIn(client);
  state.isDown = true;
  const session = await world.engine.open(client.jar.header);
  const looks: ((one: Session) => unknown)[] = [
    (one) => one.get("user"),
    (one) => one.get("user"),
    (one) => one.size,
    (one) => one.isNew,
    (one) => one.set("user", "mallory"),
  ];
  for (const look of looks) expect(thrownBy(() => look(session))).toMatchObject(failed);
  await expect(session.destroy()).rejects.toMatchObject(failed);
  expect((await world.engine.commit(session)).setCookie).toEqual([]);
  // The store is asked once a request, and says so once.
  expect(world.told.filter(({ name }) => name === "storeError")).toHaveLength(1);
});

describe.each(kinds)("the events of a regenerate over the %s store", (kind) => {
  test("a bare one is no change that was saved", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await logIn(client);
    for (const seconds of [0, 80_000]) {
      world.clock.advance(seconds);
      world.events();
      await client.request((session) => session.regenerate());
      expect(world.events()).toEqual(["opened", "regenerated"]);
    }
  });

  test("one that saves changes says both", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await logIn(client);
    world.events();
    await client.request(async (session) => {
      session.set("user", "bob");
      await session.regenerate();
    });
    expect(world.events()).toEqual(["opened", "regenerated", "committed"]);
  });
});

test("a regenerate that times out sends no key, and landing late it shuts the old one", async () => {
  const memory = new SessionMemoryStore();
  let land = (): void => undefined;
  const store: SessionStore = {
    load: (key) => memory.load(key),
    save: async (key, change) => {
      if (change.bump === true) await new Promise<void>((resolve) => (land = resolve));
      return memory.save(key, change);
    },
  };
  const world = makeWorld(store, { storeTimeout: 0.01 });
  const client = world.newClient();
  await logIn(client);
  const session = await world.engine.open(client.jar.header);
  const timeout = { code: "ERR_SESSION_STORE_TIMEOUT" };
  await expect(session.regenerate()).rejects.toMatchObject(timeout);
  expect((await world.engine.commit(session)).setCookie).toEqual([]);
  // As long as it hasn't landed the client has lost nothing.
  expect(await client.read()).toEqual({ user: "alice" });
  land();
  await new Promise((resolve) => setImmediate(resolve));
  const shut = await world.engine.open(client.jar.header);
  expect([shut.get("user"), shut.readOnly]).toEqual(["", true]);
  world.clock.advance(61);
  const unknown = await world.engine.open(client.jar.header);
  expect([unknown.get("user"), unknown.isNew, unknown.readOnly]).toEqual(["", true, false]);
});

test("of several loads that fail none is left without a handler", async () => {
  const memory = new SessionMemoryStore();
  let load: SessionStore["load"] = (key) => memory.load(key);
  const store: SessionStore = {
    load: (key) => load(key),
    save: (key, change) => memory.save(key, change),
  };
  const world = makeWorld(store);
  const clients = [world.newClient(), world.newClient(), world.newClient()];
  for (const client of clients) await logIn(client);
  const header = clients.map(({ jar }) => jar.header).join("; ");
  let loads = 0;
  load = () => {
    loads++;
    if (loads === 3) throw new Error("at once");
    return new Promise((_, reject) => setImmediate(() => reject(new Error("later"))));
  };
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listen);
  try {
    await expect((async () => world.engine.open(header))()).rejects.toMatchObject(failed);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", listen);
  }
  expect([loads, unhandled]).toEqual([3, []]);
});
