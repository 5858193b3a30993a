// What people bring from other libraries: properties, callbacks and methods that would keep nothing,
// log nobody out or hang here are errors that name the way; all else that looks at a session finds a
// plain object.
import { createReader } from "../../../src/compat/reader.ts";
import { inspect } from "node:util";
import {
  type Session,
  SessionCookieStore,
  sessionKey,
  SessionMiddleware,
  UsageError,
} from "kocha-session";
import { describe, expect, test, vi } from "vitest";
import { freshKeys } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld } from "../engine/client.ts";

/** A function of sloppy mode, as in a CommonJS file, where a refused assignment is silent. */
const sloppy = (body: string): ((session: Session) => unknown) =>
  // oxlint-disable-next-line typescript/no-implied-eval -- the only sloppy code in a module
  new Function("session", body) as (session: Session) => unknown;

const foreign = "ERR_SESSION_USAGE_FOREIGN";

describe.each(kinds)("a session over the %s store", (kind) => {
  const world = makeWorld(kind);
  const open = async (): Promise<Session> => world.engine.open(undefined);

  test.each([
    ["a property", "session.user = { name: 'alice' }", 'session.set("user", …)'],
    ["one by its name", "session['user'] = 'alice'", 'session.set("user", …)'],
    ["several at once", "Object.assign(session, { user: 1 })", 'session.set("user", …)'],
    ["messages", "session.flash = session.flash || {}", "session.flash.set(key, message)"],
    ["the cookie's age", "session.maxAge = 5000", "session.cookieExpires"],
    ["the cookie", "session.cookie = {}", "session.cookieExpires"],
    ["a time of the cookie", "session.cookie.maxAge = 5000", "in seconds"],
    ["the handle", "session.id = 5", 'session.set("id", …)'],
    ["the size", "session.size = 0", 'session.set("size", …)'],
    ["a method's name", "session.start = Date.now()", 'session.set("start", …)'],
    ["a list under a method's name", "session.entries = []", 'session.set("entries", …)'],
    ["a counter", "session.views = (session.views || 0) + 1", 'session.set("views", …)'],
    ["by Reflect", "Reflect.set(session, 'user', 1)", 'session.set("user", …)'],
  ])("assigning %s is an error that names the way", async (_, code, way) => {
    const session = await open();
    for (const run of [sloppy(code), sloppy(`"use strict"; ${code}`)]) {
      const error = thrownBy(() => run(session));
      expect(error).toBeInstanceOf(UsageError);
      expect(error).toMatchObject({ code: foreign });
      expect((error as Error).message).toContain(way);
    }
    expect(Object.keys(session)).toEqual([]);
  });

  test("the message shows no value, and no name that a client could have made up", async () => {
    const session = await open();
    const name = "<script>\n\u001b[31m";
    const error = thrownBy(() => Object.assign(session, { [name]: "a secret value" })) as Error;
    expect(error.message).not.toContain("script");
    expect(error.message).not.toContain("secret");
  });

  test.each(["regenerate", "destroy"] as const)(
    "%s(callback) is an error at once",
    async (name) => {
      const client = world.newClient();
      await client.request((it) => it.set("a", "1"));
      const callback = vi.fn<() => void>();
      await client.request((session) => {
        const method = session[name] as unknown as (callback: () => void) => Promise<void>;
        // Thrown, not rejected: who passes a callback looks at no promise.
        const error = thrownBy(() => void method.call(session, callback)) as Error;
        expect(error).toMatchObject({ code: foreign });
        expect(error.message).toContain(`await session.${name}()`);
      });
      expect(callback).not.toHaveBeenCalled();
      expect(await client.read()).toEqual({ a: "1" });
    },
  );

  test.each([
    ["save", "session.commit()"],
    ["reload", "session.discard()"],
    ["touch", "renewAfter"],
  ])("%s() is an error that names what is there for it", async (name, way) => {
    const session = (await open()) as unknown as Record<string, (done: () => void) => void>;
    const error = thrownBy(() => session[name]?.(() => undefined)) as Error;
    expect(error).toMatchObject({ code: foreign });
    expect(error.message).toContain(way);
  });

  test("what exists is still there to be used, to be mocked, and to be looked at", async () => {
    const session = await open();
    const loose = session as unknown as Record<string, unknown>;
    expect(loose["user"]).toBeUndefined();
    expect("user" in session).toBe(false);
    expect(session).toBeInstanceOf(Object);
    // A promise resolves to it, and asks for its then.
    expect(await Promise.resolve(session)).toBe(session);
    expect(Object.prototype.toString.call(session)).toBe("[object Object]");
    expect("".concat(session as never)).toBe("[object Object]");
    expect(inspect(session)).toMatch(/^Session \{/);
    expect(inspect(session, { customInspect: false })).toMatch(/^Session/);
    expect(structuredClone(session)).toEqual({});
    expect(session).toEqual(session);
    expect(session).not.toEqual({ user: "alice" });
    expect([...session]).toEqual([]);
    const names: string[] = [];
    for (const name in session) names.push(name);
    expect(names).toEqual([]);
    const spy = vi.spyOn(session, "get").mockReturnValue("mocked");
    expect(session.get("a")).toBe("mocked");
    spy.mockRestore();
    expect(session.get("a")).toBe("");
    const mark = Symbol("a tracer's mark");
    expect(Object.assign(session, { [mark]: 1 })[mark]).toBe(1);
  });

  test("an object or a class made from a session is its maker's own affair", async () => {
    const session = await open();
    const mock = Object.assign(Object.create(session) as object, { user: "alice" });
    expect(mock.user).toBe("alice");
    expect(Object.assign(Object.create(session) as Session, { get: () => "mine" }).get("a")).toBe(
      "mine",
    );
    expect(session.get("a")).toBe("");
    const { constructor } = session as unknown as {
      constructor: new (...args: unknown[]) => object;
    };
    class Mine extends constructor {
      readonly user = "alice";
      #secret = "kept";
      get secret(): string {
        return this.#secret;
      }
    }
    const mine = new Mine({}, () => undefined);
    expect([mine.user, mine.secret]).toEqual(["alice", "kept"]);
    Object.assign(Mine.prototype, { more: "1" });
    expect(mine).toMatchObject({ more: "1" });
  });

  test("Object.prototype is as it was", () => {
    const plain: Record<string, unknown> = {};
    plain["user"] = "alice";
    expect(plain).toEqual({ user: "alice" });
  });
});

const anything = { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } as const;
// As sessionKey makes them, past its check of the name.
const forged = { name: "_flash.notice", schema: { "~standard": anything } };

describe.each(kinds)("reserved keys over the %s store", (kind) => {
  const world = makeWorld(kind);

  test("set, write and del refuse what is the library's own, and a flash can't be forged", async () => {
    const client = world.newClient();
    await client.request((session) => {
      session.flash.set("notice", "saved");
      for (const change of [
        () => session.set("_flash.notice", "forged"),
        () => session.set("_flash.", ""),
        () => session.write(forged, "forged"),
        () => session.del("_flash.notice"),
        () => session.delete("_flash.notice"),
        () => sessionKey("_flash.notice", forged.schema),
      ]) {
        const error = thrownBy(change) as Error;
        expect(error).toMatchObject({ code: "ERR_SESSION_USAGE_RESERVED" });
        expect(error.message).toContain("session.flash");
      }
      session.set("_flash", "a key like others");
      session.set("_own", "another");
    });
    await client.request((session) => {
      expect(session.toObject()).toEqual({ _flash: "a key like others", _own: "another" });
      expect(session.size).toBe(2);
      expect([session.get("_flash.notice"), session.has("_flash.notice")]).toEqual(["", false]);
      expect(session.read(forged)).toBeUndefined();
      expect(session.flash.get("notice")).toBe("saved");
    });
  });
});

test("what another library kept under a reserved key is skipped, and the event names it", async () => {
  const skipped: string[] = [];
  const data = new Map([
    ["_flash.notice", "of a stranger"],
    ["name", "alice"],
  ]);
  const migrateFrom = createReader({
    names: ["theirs"],
    until: Infinity,
    open: () => ({ id: "A".repeat(22), data, expires: Infinity, skipped: ["binary"] }),
  });
  const engine = new SessionMiddleware({
    store: new SessionCookieStore({ ...freshKeys(), migrateFrom }),
    on: { skipped: ({ keys }) => void skipped.push(...keys) },
  });
  const session = await engine.open("theirs=x");
  expect(session.toObject()).toEqual({ name: "alice" });
  expect(session.flash.get("notice")).toBe("");
  expect(skipped).toEqual(["binary", "_flash.notice"]);
});
