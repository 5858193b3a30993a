// The session as an application sees it, over both kinds of store: the string map, what counts as a
// change, and what the life of a session says of itself.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld, parseSetCookie } from "../engine/client.ts";

describe.each(kinds)("the string map over the %s store", (kind) => {
  const world = makeWorld(kind);
  const open = async (): Promise<Session> => world.engine.open(undefined);

  test("get gives the value, and an empty string for what is absent", async () => {
    const session = await open();
    expect(session.get("name")).toBe("");
    expect(session.has("name")).toBe(false);
    session.set("name", "alice");
    expect(session.get("name")).toBe("alice");
    expect(session.has("name")).toBe(true);
    session.set("empty", "");
    expect(session.get("empty")).toBe("");
    expect(session.has("empty")).toBe(true);
  });

  test("del removes a key, whether or not it is there; clear removes all", async () => {
    const session = await open();
    session.set("a", "1");
    session.set("b", "2");
    session.del("a");
    session.del("a");
    session.del("never");
    expect(session.get("a")).toBe("");
    expect(session.size).toBe(1);
    session.clear();
    expect(session.size).toBe(0);
    expect(session.get("b")).toBe("");
  });

  test("size, keys, iteration and toObject agree", async () => {
    const session = await open();
    session.set("b", "2");
    session.set("a", "1");
    session.flash.set("hidden", "x");
    expect(session.size).toBe(2);
    expect([...session.keys()].toSorted()).toEqual(["a", "b"]);
    expect(new Map(session)).toEqual(
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
    expect(session.toObject()).toEqual({ a: "1", b: "2" });
  });

  test("it reads as a Map does", async () => {
    const session = await open();
    const map = new Map<string, string>();
    for (const [key, value] of [
      ["b", "2"],
      ["__proto__", "3"],
      ["a", ""],
    ] as const) {
      session.set(key, value);
      map.set(key, value);
    }
    session.flash.set("hidden", "x");
    for (const key of ["b", "b", "never", "constructor"]) {
      expect(session.delete(key)).toBe(map.delete(key));
      expect(session.has(key)).toBe(map.has(key));
    }
    expect([...session.keys()]).toEqual([...map.keys()]);
    expect([...session.values()]).toEqual([...map.values()]);
    expect([...session.entries()]).toEqual([...map.entries()]);
    expect([...session]).toEqual([...map]);
    const seen: unknown[] = [];
    session.forEach(function (this: unknown, value, key, whole) {
      seen.push([this, key, value, whole === session]);
    }, "self");
    expect(seen).toEqual([...map].map(([key, value]) => ["self", key, value, true]));
  });

  test("toObject is a plain object, and hostile keys are keys like any", async () => {
    const hostile = ["", "__proto__", "constructor", "toString", "\0", "🦆", "a;b=c", '"'];
    const client = world.newClient();
    await client.request((session) => {
      for (const key of hostile) session.set(key, `value of ${key}`);
    });
    const object = await client.read();
    // What React passes on to a client component, and what structuredClone keeps whole.
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(object, "__proto__")).toMatchObject({
      value: "value of __proto__",
      enumerable: true,
    });
    expect(Object.keys(structuredClone(object))).toEqual(Object.keys(object));
    expect(new Set(Object.keys(object))).toEqual(new Set(hostile));
    for (const key of hostile) expect(object[key]).toBe(`value of ${key}`);
    expect(Object.hasOwn(object, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["value"]).toBeUndefined();
  });

  test("what a request iterates over may change under it", async () => {
    const client = world.newClient();
    await client.request((session) => {
      for (const key of "abcd") session.set(key, key);
    });
    await client.request((session) => {
      for (const key of session.keys()) session.del(key);
      expect(session.size).toBe(0);
    });
    expect(await client.read()).toEqual({});
  });

  test.each([
    ["an equal value", (session: Session) => session.set("a", "1")],
    [
      "a value that was set and set back",
      (session: Session) => {
        session.set("a", "2");
        session.set("a", "1");
      },
    ],
    [
      "a key that was removed and set back",
      (session: Session) => {
        session.del("a");
        session.set("a", "1");
      },
    ],
    [
      "a key that was set and removed",
      (session: Session) => {
        session.set("new", "x");
        session.del("new");
      },
    ],
    ["removing what isn't there", (session: Session) => session.del("never")],
    [
      "a change that was discarded",
      (session: Session) => {
        session.set("a", "2");
        session.clear();
        session.bind("alice");
        session.cookieExpires = 60;
        session.discard();
      },
    ],
  ])("L6 %s is no change: no write and no cookie", async (_, change) => {
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    world.events();
    const effects = await client.request(change);
    expect(effects.setCookie).toEqual([]);
    expect(effects.vary).toBe(true);
    expect(world.events()).toEqual(["opened"]);
    expect(await client.read()).toEqual({ a: "1" });
  });

  test.each([
    ["nothing", () => undefined],
    ["reading", (session: Session) => session.get("a")],
    ["clear", (session: Session) => session.clear()],
    [
      "set and del",
      (session: Session) => {
        session.set("a", "1");
        session.del("a");
      },
    ],
    ["regenerate", (session: Session) => session.regenerate()],
    ["destroy", (session: Session) => session.destroy()],
    ["commit", (session: Session) => session.commit()],
    ["a cookie lifetime alone", (session: Session) => (session.cookieExpires = 60)],
  ])("L6 a new session after %s has no row and no cookie", async (_, handle) => {
    // What other tests of this world did is not this one's.
    world.events();
    const effects = await world.newClient().request(handle);
    expect(effects.setCookie).toEqual([]);
    expect(world.events()).not.toContain("created");
  });
});

describe.each(kinds)("what a session says of itself over the %s store", (kind) => {
  test("id is minted at once, survives saves and regenerate, and is no credential", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    const ids: string[] = [];
    await client.request((session) => {
      ids.push(session.id, session.id);
      session.set("a", "1");
    });
    await client.request((session) => ids.push(session.id));
    await client.request(async (session) => {
      await session.regenerate();
      ids.push(session.id);
    });
    await client.request((session) => ids.push(session.id));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const asCookie = await world.engine.open(`session=${ids[0] ?? ""}`);
    expect(asCookie.get("a")).toBe("");
    const other = await world.engine.open(undefined);
    expect(other.id).not.toBe(ids[0]);
  });

  test("isNew, createdAt and expiresAt tell of the session, not of the request", async () => {
    const world = makeWorld(kind, { sessionExpires: 600 });
    const client = world.newClient();
    const start = world.clock.now();
    await client.request((session) => {
      expect(session.isNew).toBe(true);
      expect(session.createdAt).toEqual(new Date(start));
      expect(session.expiresAt).toEqual(new Date(start + 600_000));
      session.set("a", "1");
    });
    world.clock.advance(100);
    await client.request((session) => {
      expect(session.isNew).toBe(false);
      expect(session.createdAt).toEqual(new Date(start));
      expect(session.expiresAt).toEqual(new Date(start + 600_000));
      expect(session.readOnly).toBe(false);
      expect(session.unavailable).toBe(false);
    });
    await client.request((session) => {
      expect(session.expiresAt).toEqual(new Date(start + 700_000));
    });
  });

  test("discard goes back to what is saved", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => session.set("a", "1"));
    await client.request((session) => {
      session.set("a", "2");
      session.set("b", "3");
      session.discard();
      expect(session.toObject()).toEqual({ a: "1" });
      session.set("c", "4");
    });
    expect(await client.read()).toEqual({ a: "1", c: "4" });
  });

  test("commit saves at once; discard keeps what was committed, and drops what came after", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request(async (session) => {
      session.set("a", "1");
      session.bind("alice");
      await session.commit();
      session.set("b", "2");
      session.set("a", "changed");
      session.discard();
      expect(session.toObject()).toEqual({ a: "1" });
    });
    expect(await client.read()).toEqual({ a: "1" });
    await client.request(async (session) => {
      session.del("a");
      session.set("c", "3");
      await session.commit();
      session.set("a", "back");
      session.discard();
    });
    expect(await client.read()).toEqual({ c: "3" });
  });

  test("cookieExpires of one session is kept with it over renewals and regenerate", async () => {
    const world = makeWorld(kind, { cookieExpires: 0 });
    const client = world.newClient();
    const maxAge = (setCookie: readonly string[]): string | undefined =>
      parseSetCookie(setCookie[0] ?? "").attributes.get("max-age");
    const first = await client.request((session) => {
      expect(session.cookieExpires).toBe(0);
      session.set("name", "alice");
      session.cookieExpires = 3600;
      session.cookieExpires = 3600;
    });
    expect(maxAge(first.setCookie)).toBe("3600");
    world.clock.advance(1800);
    const renewed = await client.request((session) => {
      expect(session.cookieExpires).toBe(3600);
      expect(session.get("name")).toBe("alice");
    });
    expect(maxAge(renewed.setCookie)).toBe("3600");
    const regenerated = await client.request((session) => session.regenerate());
    expect(maxAge(regenerated.setCookie)).toBe("3600");
    const forgotten = await client.request((session) => (session.cookieExpires = 0));
    expect(forgotten.setCookie).toHaveLength(1);
    expect(maxAge(forgotten.setCookie)).toBeUndefined();
    const persistent = await client.request((session) => (session.cookieExpires = -1));
    expect(maxAge(persistent.setCookie)).toBe("34560000");
    world.clock.advance(300 * 86_400);
    expect(await client.read()).toEqual({ name: "alice" });
  });

  test("bind alone makes a session, and is saved with the change", async () => {
    const client = makeWorld(kind).newClient();
    const { setCookie } = await client.request((session) =>
      session.bind("alice", { label: "laptop" }),
    );
    expect(setCookie).toHaveLength(1);
    expect(await client.read()).toEqual({});
  });

  test("destroy ends it: reads as empty, changes throw, the cookie is expired", async () => {
    const world = makeWorld(kind);
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    const { setCookie } = await client.request(async (session) => {
      session.set("b", "2");
      await session.destroy();
      await session.destroy();
      expect(session.get("a")).toBe("");
      expect(session.size).toBe(0);
      const destroyed = { code: "ERR_SESSION_USAGE_DESTROYED" };
      expect(thrownBy(() => session.set("c", "3"))).toMatchObject(destroyed);
      expect(thrownBy(() => session.del("c"))).toMatchObject(destroyed);
      expect(thrownBy(() => session.clear())).toMatchObject(destroyed);
      expect(thrownBy(() => session.bind("x"))).toMatchObject(destroyed);
      await expect(session.regenerate()).rejects.toMatchObject(destroyed);
      await session.commit();
    });
    expect(setCookie.map(parseSetCookie)).toMatchObject([{ name: "session", value: "" }]);
    expect(client.jar.header).toBeUndefined();
    expect(world.events()).toEqual(["created", "committed", "opened", "destroyed"]);
  });

  test("inspect and JSON show no value and no credential", async () => {
    const client = makeWorld(kind).newClient();
    await client.request((session) => session.set("key", "marker-of-a-value"));
    const cookie = client.jar.header?.slice("session=".length) ?? "";
    await client.request((session) => {
      const shown = [
        inspect(session, { depth: 10, showHidden: true }),
        JSON.stringify(session),
        inspect({ nested: { session } }, { depth: 10 }),
      ].join("\n");
      expect(shown).not.toContain("marker-of-a-value");
      expect(shown).not.toContain(cookie);
      expect(shown).toContain(`"id":"${session.id}"`);
      expect(JSON.parse(JSON.stringify(session))).toEqual({
        id: session.id,
        isNew: false,
        size: 1,
      });
    });
  });
});
