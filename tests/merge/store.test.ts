// The merging cookie store as an application meets it: quiet and after a burst, its limits and its
// events, attributes and prefixes, logout, what came before it, and what it refuses to be.
import { describe, expect, test } from "vitest";
import { mergingCookies } from "kocha-session/merge";
import { SessionMiddleware } from "../../src/session/middleware.ts";
import type { Session } from "../../src/session/session.ts";
import type { SessionConfig } from "../../src/engine/config.ts";
import { SessionCookieStore, type SessionCookieStoreOptions } from "../../src/stores/cookie.ts";
import { ConfigError } from "../../src/errors.ts";
import { freshKeys } from "../support/keys.ts";
import { thrownBy } from "../support/thrown.ts";
import {
  type Client,
  Clock,
  makeWorld,
  parseSetCookie,
  type World,
} from "../unit/engine/client.ts";

const keys = freshKeys();
const PART = /^session\.[A-Za-z0-9_-]{5}[AQgw]$/;

function merging(
  config: Partial<SessionConfig> = {},
  options: Partial<SessionCookieStoreOptions> = {},
  clock: Clock = new Clock(),
): World {
  const store = new SessionCookieStore({
    ...keys,
    merge: mergingCookies(),
    ...options,
  });
  return makeWorld(store, config, clock);
}

/** Requests at once: all take the jar as it is now, and their responses come when all have committed. */
async function atOnce(
  world: World,
  client: Client,
  ...handlers: readonly ((session: Session) => unknown)[]
): Promise<void> {
  const header = client.jar.header;
  const responses: (readonly string[])[] = [];
  for (const handle of handlers) {
    const session = await world.engine.open(header);
    await handle(session);
    responses.push((await world.engine.commit(session)).setCookie);
  }
  for (const setCookie of responses.toReversed()) client.jar.take(setCookie);
}

const set =
  (key: string, value: string) =>
  (session: Session): void =>
    session.set(key, value);
const namesOf = ({ jar }: Client): string[] => jar.cookies.map(({ name }) => name);

describe("parts", () => {
  test("two when it is quiet, one more for each write at once, and down again in two writes", async () => {
    const world = merging();
    const client = world.newClient();
    const counts = [];
    for (let step = 0; step < 4; step++) {
      await client.request(set("a", String(step)));
      counts.push(namesOf(client).length);
    }
    await atOnce(world, client, ...Array.from({ length: 6 }, (_, n) => set(`k${n}`, "1")));
    counts.push(namesOf(client).length);
    for (const value of ["x", "y"]) {
      await client.request(set("a", value));
      counts.push(namesOf(client).length);
    }
    expect(counts).toEqual([1, 2, 2, 2, 7, 7, 2]);
    expect(namesOf(client).every((name) => PART.test(name))).toBe(true);
    const written = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`k${n}`, "1"]));
    expect(await client.read()).toEqual({ a: "y", ...written });
  });

  test("a deletion that races with a write of another key holds, and so does the write", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request((session) => (session.set("a", "1"), session.set("b", "2")));
    await atOnce(world, client, (session) => session.del("a"), set("b", "3"));
    expect(await client.read()).toEqual({ b: "3" });
  });

  test("renewals at once are one cookie, however many read", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "1"));
    world.clock.advance(12 * 3600);
    const reads = Array.from({ length: 20 }, () => (session: Session) => session.get("a"));
    await atOnce(world, client, ...reads);
    expect(namesOf(client)).toHaveLength(2);
    world.clock.advance(20 * 3600);
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("each has all attributes of the session's cookie, and so has its end", async () => {
    const world = merging({
      name: "__Host-Http-app",
      cookieExpires: 3600,
      sameSite: "none",
      partitioned: true,
      priority: "high",
    });
    const client = world.newClient();
    await client.request(set("a", "1"));
    await client.request(set("a", "2"));
    const { setCookie } = await client.request(set("a", "3"));
    const [part, end] = setCookie.map(parseSetCookie);
    const attributes = ["path", "secure", "httponly", "samesite", "partitioned", "priority"];
    for (const one of [part, end]) {
      expect(one?.name).toMatch(/^__Host-Http-app\.[A-Za-z0-9_-]{6}$/);
      expect([...(one?.attributes.keys() ?? [])]).toEqual(expect.arrayContaining(attributes));
    }
    expect(part?.attributes.get("max-age")).toBe("3600");
    expect(end?.attributes.get("max-age")).toBe("0");
  });
});

describe("limits", () => {
  test("1536 bytes of keys and values, at set, after the join", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "x".repeat(1000)));
    await atOnce(world, client, set("b", "x".repeat(300)), set("c", "x".repeat(300)));
    // Together they are over it; what shrinks the session is always taken.
    await expect(client.request(set("d", "1"))).rejects.toMatchObject({
      code: "ERR_SESSION_LIMIT_SESSION",
      actual: 1605,
      limit: 1536,
    });
    await client.request(set("a", "x".repeat(100)));
    await client.request(set("d", "1"));
    expect(Object.keys(await client.read())).toEqual(["a", "b", "c", "d"]);
  });

  test("the configuration can ask for less, not for more", () => {
    const store = new SessionCookieStore({ ...keys, merge: mergingCookies() });
    expect(() => new SessionMiddleware({ store, maxSessionBytes: 512 })).not.toThrow();
    expect(() => new SessionMiddleware({ store, maxSessionBytes: 1537 })).toThrow(/at most 1536/);
  });

  test("8 KB of header: over it one part takes the place of all, and observers hear", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "x".repeat(900)));
    await atOnce(world, client, ...Array.from({ length: 7 }, (_, n) => set(`k${n}`, "1")));
    world.told.length = 0;
    await client.request(set("last", "1"));
    const collapsed = world.told.filter(({ name }) => name === "collapsed");
    expect(collapsed).toHaveLength(1);
    expect(collapsed[0]?.event["bytes"]).toBeGreaterThan(8192);
    expect(namesOf(client)).toHaveLength(1);
    expect(Object.keys(await client.read())).toHaveLength(9);
  });

  test("what doesn't fit one cookie any more is an error, and clearing it helps", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "1"));
    const large = ["b", "c", "d"].map((key) => set(key, key.repeat(1400)));
    await atOnce(world, client, ...large);
    await expect(client.request((session) => session.del("a"))).rejects.toMatchObject({
      code: "ERR_SESSION_LIMIT_COOKIE",
      limit: 4096,
    });
    await client.request((session) => session.clear());
    await client.request(set("e", "1"));
    expect(await client.read()).toEqual({ e: "1" });
  });

  test("deletions of many keys don't fill the cookie", async () => {
    const client = merging().newClient();
    for (let step = 0; step < 300; step++) {
      await client.request(set(`a key of twenty ${step}`, "1"));
      await client.request((session) => session.del(`a key of twenty ${step}`));
    }
    const bytes = client.jar.cookies.map(({ value }) => value.length);
    expect(Math.max(...bytes)).toBeLessThan(2200);
    expect(await client.read()).toEqual({});
  });
});

describe("barriers and logouts", () => {
  test("a barrier expires what it saw, and a late write is swept by the next one", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "1"));
    const late = await world.engine.open(client.jar.header);
    late.set("late", "1");
    await client.request((session) => session.clear());
    client.jar.take((await world.engine.commit(late)).setCookie);
    world.events();
    expect(await client.read()).toEqual({});
    expect(world.events()).toContain("rejected");
    await client.request(set("b", "2"));
    world.events();
    expect(await client.read()).toEqual({ b: "2" });
    expect(world.events()).toEqual(["opened"]);
  });

  test("a logout leaves one small tombstone, which outlives what could still arrive", async () => {
    const world = merging({ sessionExpires: 1800 });
    const client = world.newClient();
    await client.request(set("a", "1"));
    const late = await world.engine.open(client.jar.header);
    late.set("late", "1");
    const { setCookie } = await client.request((session) => session.destroy());
    const [tombstone] = setCookie.map(parseSetCookie);
    expect(tombstone?.attributes.get("max-age")).toBe(String(1800 + 3600));
    expect(setCookie[0]?.length).toBeLessThan(220);
    client.jar.take((await world.engine.commit(late)).setCookie);
    for (let minutes = 0; minutes < 120; minutes++) {
      expect(await client.read()).toEqual({});
      world.clock.advance(60);
    }
  });

  test("a second logout leaves the tombstone of the first, and late writes dead", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "1"));
    const late = await world.engine.open(client.jar.header);
    late.set("late", "1");
    for (let round = 0; round < 2; round++) await client.request((session) => session.destroy());
    expect(namesOf(client)).toHaveLength(1);
    client.jar.take((await world.engine.commit(late)).setCookie);
    expect(await client.read()).toEqual({});
    // The late part came with this one, so it has a tombstone of its own.
    await client.request((session) => session.destroy());
    expect(namesOf(client)).toHaveLength(1);
    expect(await client.read()).toEqual({});
  });

  test("logouts in a row leave one tombstone that names them all", async () => {
    const world = merging();
    const client = world.newClient();
    const late: Session[] = [];
    for (let round = 0; round < 5; round++) {
      await client.request(set("a", String(round)));
      const session = await world.engine.open(client.jar.header);
      session.set("late", "1");
      late.push(session);
      await client.request((one) => one.destroy());
    }
    expect(namesOf(client)).toHaveLength(1);
    for (const session of late) client.jar.take((await world.engine.commit(session)).setCookie);
    expect(await client.read()).toEqual({});
  });

  test("the next session sweeps what the dead one left, and the tombstone after an hour", async () => {
    const world = merging();
    const client = world.newClient();
    await client.request(set("a", "1"));
    await client.request((session) => session.destroy());
    await client.request(set("b", "1"));
    await client.request(set("b", "2"));
    expect(namesOf(client)).toHaveLength(3);
    world.clock.advance(3700);
    await client.request(set("b", "3"));
    await client.request(set("b", "4"));
    expect(namesOf(client)).toHaveLength(2);
    expect(await client.read()).toEqual({ b: "4" });
  });

  test("a barrier after which the session ends earlier doesn't bring the old one back", async () => {
    const world = merging({ sessionExpires: 86_400 });
    const client = world.newClient();
    await client.request((session) => {
      session.cookieExpires = 30 * 86_400;
      session.set("user", "alice");
    });
    const late = await world.engine.open(client.jar.header);
    late.set("late", "1");
    await client.request((session) => {
      session.clear();
      session.cookieExpires = 60;
    });
    client.jar.take((await world.engine.commit(late)).setCookie);
    world.clock.advance(120);
    expect(await client.read()).toEqual({});
  });

  test("a shorter idle timeout doesn't bring back what a late write kept for longer", async () => {
    const world = merging({ sessionExpires: 86_400 });
    const client = world.newClient();
    await client.request(set("user", "alice"));
    const late = await world.engine.open(client.jar.header);
    late.set("late", "1");
    await client.request((session) => (session.sessionExpires = 60));
    client.jar.take((await world.engine.commit(late)).setCookie);
    expect(await client.read()).toEqual({ user: "alice" });
    world.clock.advance(120);
    expect(await client.read()).toEqual({});
  });

  test("a logout outlives a late write that gave the session the whole idle timeout again", async () => {
    const world = merging({ sessionExpires: 86_400 });
    const client = world.newClient();
    await client.request((session) => {
      session.sessionExpires = 60;
      session.set("user", "alice");
    });
    const late = await world.engine.open(client.jar.header);
    late.sessionExpires = 0;
    await client.request((session) => session.destroy());
    client.jar.take((await world.engine.commit(late)).setCookie);
    for (let hours = 0; hours < 24; hours++) {
      expect(await client.read()).toEqual({});
      world.clock.advance(3600);
    }
    expect(await client.read()).toEqual({});
  });
});

describe("what came before", () => {
  test("a plain session goes on, also from requests at once, and its cookie goes with the next write", async () => {
    const clock = new Clock();
    const plain = makeWorld(new SessionCookieStore({ ...keys }), {}, clock);
    const before = plain.newClient();
    await before.request((session) => (session.set("a", "1"), session.set("b", "2")));
    const world = merging({}, {}, clock);
    const client = world.newClient();
    client.jar.take(before.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    await atOnce(world, client, set("c", "3"), (session) => session.del("a"));
    expect(await client.read()).toEqual({ b: "2", c: "3" });
    expect(namesOf(client)).toContain("session");
    await client.request(set("d", "4"));
    expect(namesOf(client)).not.toContain("session");
    expect(await client.read()).toEqual({ b: "2", c: "3", d: "4" });
  });

  test("a ring's older key is left behind at the next write", async () => {
    const clock = new Clock();
    const next = freshKeys();
    const client = merging({}, {}, clock).newClient();
    await client.request(set("a", "1"));
    const rolled = makeWorld(
      new SessionCookieStore({ keys: [next, { ...keys, seals: false }], merge: mergingCookies() }),
      {},
      clock,
    ).newClient();
    rolled.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    await rolled.request(set("b", "2"));
    await rolled.request(set("c", "3"));
    const alone = makeWorld(
      new SessionCookieStore({ ...next, merge: mergingCookies() }),
      {},
      clock,
    ).newClient();
    alone.jar.take(rolled.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    expect(await alone.read()).toEqual({ a: "1", b: "2", c: "3" });
  });
});

describe("the option", () => {
  test.each([
    ["merge", { merge: "yes" }],
    ["merge", { merge: true }],
    ["merge", { merge: false }],
    ["merge", { merge: mergingCookies(), maxCookies: 2 }],
  ])("%s is refused by name: %o", (field, options) => {
    const error = thrownBy(
      () => new SessionCookieStore({ ...keys, ...(options as SessionCookieStoreOptions) }),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).field).toBe(field);
    expect((error as ConfigError).message).toMatch(
      /mergingCookies\(\) of kocha-session\/merge|both/,
    );
  });

  test("says what it promises", () => {
    const { capabilities } = new SessionCookieStore({ ...keys, merge: mergingCookies() });
    expect(capabilities).toEqual({ merges: true });
    expect(new SessionCookieStore(keys).capabilities).toEqual({ merges: false });
  });
});
