// How a request's session is found: lazily, of several cookies the right one, never for a cookie
// that isn't ours, and with Vary for whoever looks at it.
import { describe, expect, test } from "vitest";
import { Session } from "../../../src/session/session.ts";
import { SessionMiddleware } from "../../../src/session/middleware.ts";
import { sessionKey } from "../../../src/session/typed.ts";
import { SessionCookieStore } from "../../../src/stores/cookie.ts";
import type { AnySessionStore } from "../../../src/store/contract.ts";
import { freshKey, freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { z } from "zod";
import { type Client, kinds, makeStore, makeWorld, Clock, type World } from "../engine/client.ts";
import { noEffects, varyOnly } from "../../../src/engine/effects.ts";

/** A store that counts what it is asked. */
function spyOn(store: AnySessionStore): { store: AnySessionStore; calls: string[] } {
  const calls: string[] = [];
  const spied = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        calls.push(String(property));
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { store: spied, calls };
}

async function cookieOf(client: Client, data: Record<string, string>): Promise<string> {
  await client.request((session) => {
    for (const [key, value] of Object.entries(data)) session.set(key, value);
  });
  return client.jar.cookies[0]?.value ?? "";
}

describe("L6 idle is free", () => {
  test("a sealed session is opened at the first touch, once, and an untouched one never", async () => {
    const { store, calls } = spyOn(makeStore("cookie", new Clock()));
    const world = makeWorld(store);
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    calls.length = 0;
    await client.request();
    expect(calls).toEqual([]);
    await client.request((session) => [session.get("a"), session.size, session.id]);
    expect(calls).toEqual(["open"]);
    calls.length = 0;
    await world.newClient().request((session) => session.get("a"));
    expect(calls).toEqual([]);
  });

  test("a server-side store isn't asked without a cookie, nor for a key that isn't ours", async () => {
    const { store, calls } = spyOn(makeStore("memory", new Clock()));
    const world = makeWorld(store);
    const foreign = makeWorld("memory");
    const theirs = await cookieOf(foreign.newClient(), { a: "1" });
    const headers = [undefined, "", "other=1", "session=", "session=junk", `session=${theirs}`];
    for (const header of headers) {
      const session = await world.engine.open(header);
      session.get("a");
      await world.engine.commit(session);
    }
    expect(calls).toEqual([]);
    expect(world.events()).toEqual(["rejected", "rejected", "rejected"]);
  });

  test("several keys of one row are one load", async () => {
    const { store, calls } = spyOn(makeStore("memory", new Clock()));
    const world = makeWorld(store);
    const client = world.newClient();
    const old = await cookieOf(client, { a: "1" });
    await client.request((session) => session.regenerate());
    const now = client.jar.cookies[0]?.value ?? "";
    calls.length = 0;
    const session = await world.engine.open(`session=${old}; session=${now}`);
    expect(session.get("a")).toBe("1");
    expect(session.readOnly).toBe(false);
    expect(calls).toEqual(["load"]);
  });
});

const typed = sessionKey("typed", z.string());

const accessors: Readonly<Record<string, (session: Session) => unknown>> = {
  get: (it) => it.get("a"),
  has: (it) => it.has("a"),
  set: (it) => it.set("a", "1"),
  del: (it) => it.del("a"),
  delete: (it) => it.delete("a"),
  clear: (it) => it.clear(),
  size: (it) => it.size,
  keys: (it) => [...it.keys()],
  values: (it) => [...it.values()],
  entries: (it) => [...it.entries()],
  forEach: (it) => it.forEach(() => undefined),
  [Symbol.iterator.toString()]: (it) => [...it],
  toObject: (it) => it.toObject(),
  flash: (it) => it.flash.get("a"),
  read: (it) => it.read(typed),
  write: (it) => it.write(typed, "x"),
  update: (it) => it.update("a", () => "1"),
  increment: (it) => it.increment("n"),
  take: (it) => it.take("a").catch(() => undefined),
  start: (it) => it.start(),
  regenerate: (it) => it.regenerate(),
  destroy: (it) => it.destroy(),
  discard: (it) => it.discard(),
  bind: (it) => it.bind("alice"),
  id: (it) => it.id,
  isNew: (it) => it.isNew,
  createdAt: (it) => it.createdAt,
  expiresAt: (it) => it.expiresAt,
  readOnly: (it) => it.readOnly,
  unavailable: (it) => it.unavailable,
  cookieExpires: (it) => it.cookieExpires,
  sessionExpires: (it) => it.sessionExpires,
  toJSON: (it) => it.toJSON(),
  [Symbol.for("nodejs.util.inspect.custom").toString()]: (it) =>
    (it as unknown as Record<symbol, () => string>)[Symbol.for("nodejs.util.inspect.custom")]?.(),
};

describe.each(kinds)("Vary over the %s store", (kind) => {
  test("the list of accessors below is every public one", () => {
    const own = Reflect.ownKeys(Session.prototype).map(String);
    // A commit reveals nothing of the session, and neither does having one, or a device without
    // deviceBinding in the configuration.
    const silent = ["constructor", "commit", "bindDevice", "device"];
    expect(new Set(Object.keys(accessors))).toEqual(
      new Set(own.filter((name) => !silent.includes(name))),
    );
  });

  test.each(Object.entries(accessors))("%s makes the response vary", async (_, access) => {
    const world = makeWorld(kind);
    const client = world.newClient();
    expect((await client.request(access)).vary).toBe(true);
    await client.request((session) => session.set("a", "1"));
    expect((await client.request(access)).vary).toBe(true);
  });

  test("no touch, no Vary; a Set-Cookie always comes with no-store", async () => {
    const client = makeWorld(kind).newClient();
    const written = await client.request((session) => session.set("a", "1"));
    expect(written).toMatchObject({ vary: true, noStore: true });
    expect(await client.request()).toEqual(noEffects);
    const destroyed = await client.request((session) => session.destroy());
    expect(destroyed).toMatchObject({ vary: true, noStore: true });
  });
});

describe.each(kinds)("several cookies of one name over the %s store", (kind) => {
  const older = async (world: World): Promise<[string, string]> => {
    const first = await cookieOf(world.newClient(), { which: "older" });
    world.clock.advance(10);
    return [first, await cookieOf(world.newClient(), { which: "newer" })];
  };
  const open = async (world: World, ...values: string[]): Promise<string> => {
    const header = values.map((value) => `session=${value}`).join("; ");
    const session = await world.engine.open(header);
    const which = session.get("which");
    const { setCookie } = await world.engine.commit(session);
    expect(setCookie).toEqual([]);
    return which;
  };

  test("the one that verifies wins, wherever the junk stands, and none is expired", async () => {
    const world = makeWorld(kind);
    const [mine] = await older(world);
    const theirs = await cookieOf(makeWorld(kind).newClient(), { which: "theirs" });
    for (const junk of ["", "junk", "%00", `${mine.slice(0, -4)}AAAA`, theirs]) {
      expect(await open(world, junk, mine)).toBe("older");
      expect(await open(world, mine, junk)).toBe("older");
      expect(await open(world, junk, junk, junk, mine)).toBe("older");
    }
  });

  test("of two that verify the one that was created last wins", async () => {
    const world = makeWorld(kind);
    const [first, second] = await older(world);
    expect(await open(world, first, second)).toBe("newer");
    expect(await open(world, second, first)).toBe("newer");
  });

  /** As many values that have the form of ours, and that nobody of ours has sealed. */
  const forge = (value: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => {
      const digits = String(index).padStart(6, "A");
      return value.slice(0, 20) + digits + value.slice(20 + digits.length);
    });

  test("what isn't of our form shuts nothing out, however much there is", async () => {
    const world = makeWorld(kind);
    const [mine] = await older(world);
    world.events();
    expect(await open(world, ...Array.from({ length: 2000 }, () => "junk"), mine)).toBe("older");
    // The observers hear of it, but not without a bound.
    expect(world.events()).toHaveLength(65);
  });

  test("of what is of our form only what verifies counts, and four of those", async () => {
    const world = makeWorld(kind);
    const [mine, newer] = await older(world);
    expect(await open(world, ...forge(mine, 63), mine)).toBe("older");
    expect(await open(world, mine, mine, mine, mine, newer)).toBe("older");
  });

  test("no more than 64 tags are checked", async () => {
    const world = makeWorld(kind);
    const [mine] = await older(world);
    world.events();
    expect(await open(world, ...forge(mine, 64), mine)).toBe("");
    expect(world.events()).toEqual(Array.from({ length: 64 }, () => "rejected"));
  });

  test("a write goes on with the one that won", async () => {
    const world = makeWorld(kind);
    const [first, second] = await older(world);
    const session = await world.engine.open(`session=${first}; session=${second}; session=x`);
    session.set("more", "1");
    await world.engine.commit(session);
    expect(session.toObject()).toEqual({ which: "newer", more: "1" });
  });
});

describe.each(kinds)("bad cookies over the %s store", (kind) => {
  test("a header over 32 KiB is not read, and says so to the observers", async () => {
    const world = makeWorld(kind);
    const mine = await cookieOf(world.newClient(), { a: "1" });
    const header = (length: number): string => {
      const pair = `session=${mine}; x=`;
      return pair + "y".repeat(length - pair.length);
    };
    world.events();
    expect((await world.engine.open(header(32_768))).get("a")).toBe("1");
    const over = await world.engine.open(header(32_769));
    expect(over.get("a")).toBe("");
    expect(over.isNew).toBe(true);
    expect(world.told.at(-1)).toEqual({
      name: "rejected",
      event: { reason: "header-too-large" },
    });
  });

  test("what isn't a string is no header", async () => {
    const world = makeWorld(kind);
    for (const header of [null, 5, ["session=x"], {}]) {
      const session = await world.engine.open(header as unknown as string);
      expect(session.get("a")).toBe("");
    }
  });

  test("L11 a cookie of one name is nothing under another", async () => {
    const clock = new Clock();
    const store = makeStore(kind, clock);
    const keys = kind === "memory" ? { signingKey: freshKey() } : {};
    const one = makeWorld(store, { ...keys, name: "one" }, clock);
    const other = makeWorld(store, { ...keys, name: "other" }, clock);
    const value = await cookieOf(one.newClient(), { a: "1" });
    expect((await one.engine.open(`one=${value}`)).get("a")).toBe("1");
    expect((await other.engine.open(`other=${value}`)).get("a")).toBe("");
    expect(other.told).toEqual([{ name: "rejected", event: { reason: "forged" } }]);
  });

  test("every defect is one outcome for the client", async () => {
    const world = makeWorld(kind);
    const mine = await cookieOf(world.newClient(), { a: "1" });
    const flipped = mine.slice(0, -2) + (mine.endsWith("AA") ? "BB" : "AA");
    const version = `_${mine.slice(1)}`;
    const values = [
      "",
      "x",
      "=",
      flipped,
      version,
      mine.slice(1),
      `${mine}A`,
      `"${mine}"`,
      "A".repeat(5000),
    ];
    for (const value of values) {
      const session = await world.engine.open(`session=${value}`);
      expect([session.get("a"), session.isNew, session.size]).toEqual(["", true, 0]);
      expect(await world.engine.commit(session)).toEqual(varyOnly);
    }
  });
});

test("a session from the future is refused past five minutes of skew", async () => {
  const ahead = new Clock();
  const keys = freshKeys();
  const store = new SessionCookieStore(keys);
  const theirs = makeWorld(store, {}, ahead);
  ahead.advance(300);
  const near = await cookieOf(theirs.newClient(), { a: "1" });
  ahead.advance(1);
  const far = await cookieOf(theirs.newClient(), { a: "1" });
  const mine = makeWorld(store);
  expect((await mine.engine.open(`session=${near}`)).get("a")).toBe("1");
  expect((await mine.engine.open(`session=${far}`)).get("a")).toBe("");
  expect(mine.told.at(-1)?.event).toEqual({ reason: "future" });
});

test("a row past its end is dead even if the store's clock runs behind", async () => {
  const clock = new Clock();
  const store = makeStore("memory", new Clock());
  const world = makeWorld(store, { sessionExpires: 60, absoluteExpires: 1000 }, clock);
  const value = await cookieOf(world.newClient(), { a: "1" });
  clock.advance(359.999);
  expect((await world.engine.open(`session=${value}`)).get("a")).toBe("1");
  clock.advance(0.001);
  expect((await world.engine.open(`session=${value}`)).get("a")).toBe("");
  expect(world.told.at(-1)?.event).toEqual({ reason: "expired" });
});

describe.each(kinds)("an upgrade over the %s store", (kind) => {
  test("reads, and changes nothing", async () => {
    const world = makeWorld(kind, { cookieExpires: 100 });
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    world.clock.advance(90);
    const session = await world.engine.openReadOnly(client.jar.header);
    expect(session.get("a")).toBe("1");
    expect(session.readOnly).toBe(true);
    expect(session.unavailable).toBe(false);
    const readOnly = { code: "ERR_SESSION_USAGE_READ_ONLY" };
    expect(thrownBy(() => session.set("a", "2"))).toMatchObject(readOnly);
    expect(thrownBy(() => session.clear())).toMatchObject(readOnly);
    await expect(session.destroy()).rejects.toMatchObject(readOnly);
    await expect(session.regenerate()).rejects.toMatchObject(readOnly);
    await session.commit();
    expect(await world.engine.commit(session)).toEqual(varyOnly);
    expect(world.told.map(({ name }) => name)).not.toContain("refused");
  });
});

test("a session of somebody else's is told apart", () => {
  const { engine } = makeWorld("memory");
  for (const other of [{}, Object.create(Session.prototype) as Session]) {
    expect(thrownBy(() => engine.commit(other as Session))).toMatchObject({
      code: "ERR_SESSION_USAGE_NO_SESSION",
    });
  }
  expect(engine).toBeInstanceOf(SessionMiddleware);
});

describe('secure: "auto"', () => {
  test.each([
    [undefined, undefined, true],
    [true, undefined, true],
    [false, undefined, true],
    [undefined, true, true],
    [true, true, true],
    [undefined, false, true],
    [true, false, true],
    [false, false, true],
    [false, true, false],
  ])("https %s, loopback %s: Secure %s", async (secure, loopback, expected) => {
    const { engine } = makeWorld("cookie", { secure: "auto" });
    const session = await engine.open(undefined, { secure, loopback });
    session.set("a", "1");
    const [cookie] = (await engine.commit(session)).setCookie;
    expect(cookie?.includes("; Secure;")).toBe(expected);
  });

  test("the connection is asked only when a cookie is sent", async () => {
    const { engine } = makeWorld("cookie", { secure: "auto" });
    let asked = 0;
    const connection = {
      get secure(): boolean {
        asked++;
        return true;
      },
    };
    const reading = await engine.open(undefined, connection);
    reading.get("a");
    await engine.commit(reading);
    expect(asked).toBe(0);
    const writing = await engine.open(undefined, connection);
    writing.set("a", "1");
    await engine.commit(writing);
    expect(asked).toBe(1);
  });
});
