// React Router's interface of sessions over a store that is as far away as a server: what its users rely
// on, and the promises of the library, which React Router's own storages don't give.
import { createCookie, createSession, isSession, type SessionStorage } from "react-router";
import {
  type ConfigError,
  SessionCookieStore,
  type SessionConfig,
  sessionKey,
  SessionMemoryStore,
  SessionMiddleware,
  type UsageError,
} from "kocha-session";
import { createSessionStorage, type SessionStorageOptions } from "kocha-session/react-router";
import { fakeClock } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { slowStore } from "../support/slow-store.ts";
import { thrownBy } from "../support/thrown.ts";

type Options = Partial<SessionStorageOptions>;

function storageOf(options: Options = {}): SessionStorage {
  const store = slowly(new SessionMemoryStore());
  return createSessionStorage({ store, signingKey: freshKey(), ...options });
}

/** The Cookie header of a browser that got this Set-Cookie. */
const sent = (setCookie: string): string => setCookie.split(";", 1)[0] ?? "";

/** A session with these entries, and the Cookie header of its client. */
async function begun(storage: SessionStorage, data: Record<string, unknown>): Promise<string> {
  const session = await storage.getSession();
  for (const [key, value] of Object.entries(data)) session.set(key, value);
  return sent(await storage.commitSession(session));
}

const codeOf = (error: unknown): unknown => (error as ConfigError | UsageError).code;

test("it is React Router's interface", async () => {
  const storage = storageOf();
  const session = await storage.getSession();
  expect(isSession(session)).toBe(true);
  expect([session.id, session.data]).toEqual(["", {}]);
  session.set("user", { id: 1, roles: ["a"] });
  session.set("gone", true);
  session.unset("gone");
  session.flash("notice", "saved");
  const setCookie = await storage.commitSession(session);
  expect(setCookie).toMatch(/^__session=[\w%-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const next = await storage.getSession(sent(setCookie));
  expect(next.id).toMatch(/^[\w-]{22}$/);
  expect(next.data).toEqual({ user: { id: 1, roles: ["a"] }, __flash_notice__: "saved" });
  expect([next.has("user"), next.has("gone"), next.has("notice")]).toEqual([true, false, true]);
  expect([next.get("notice"), next.get("notice")]).toEqual(["saved", undefined]);
  await storage.commitSession(next);
  expect((await storage.getSession(sent(setCookie))).has("notice")).toBe(false);
});

test("two requests that change different keys keep both", async () => {
  const storage = storageOf();
  const cookie = await begun(storage, { cart: ["tea"], old: 1 });
  const [one, other] = await Promise.all([storage.getSession(cookie), storage.getSession(cookie)]);
  one.set("a", 1);
  other.set("b", 2);
  other.unset("old");
  await Promise.all([storage.commitSession(one), storage.commitSession(other)]);
  expect((await storage.getSession(cookie)).data).toEqual({ a: 1, b: 2, cart: ["tea"] });
});

test("a value that is changed in its place is a change, an equal one is none", async () => {
  const { store } = slowStore();
  const saves: number[] = [];
  const counting = {
    ...store,
    save: (...args: Parameters<typeof store.save>) => {
      saves.push(1);
      return store.save(...args);
    },
  };
  const storage = storageOf({ store: counting });
  const cookie = await begun(storage, { cart: ["tea"] });
  const session = await storage.getSession(cookie);
  (session.get("cart") as string[]).push("jam");
  await storage.commitSession(session);
  const next = await storage.getSession(cookie);
  expect(next.get("cart")).toEqual(["tea", "jam"]);
  expect(saves).toHaveLength(2);
  next.set("cart", ["tea", "jam"]);
  await storage.commitSession(next);
  expect(saves).toHaveLength(2);
});

describe("after a logout", () => {
  test("a slower request can't bring the session back", async () => {
    const storage = storageOf();
    const cookie = await begun(storage, { user: "ada" });
    const slow = await storage.getSession(cookie);
    const out = await storage.destroySession(await storage.getSession(cookie));
    expect(out).toBe("__session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax");
    slow.set("seen", true);
    expect(sent(await storage.commitSession(slow))).not.toContain("__session=");
    expect((await storage.getSession(cookie)).data).toEqual({});
  });

  test("a further commit of a slower request begins no other session", async () => {
    const refused: string[] = [];
    const storage = storageOf({ on: { refused: ({ reason }) => refused.push(reason) } });
    const cookie = await begun(storage, { user: "ada" });
    const slow = await storage.getSession(cookie);
    slow.set("seen", 1);
    await storage.commitSession(slow);
    await storage.destroySession(await storage.getSession(cookie));
    slow.set("seen", 2);
    expect(sent(await storage.commitSession(slow))).not.toContain("__session=");
    expect(refused).toEqual(["uncarried"]);
  });

  test("its session object can't be committed again, and a new one can", async () => {
    const storage = storageOf();
    const session = await storage.getSession(await begun(storage, { user: "ada" }));
    await storage.destroySession(session);
    session.set("user", "eve");
    const error = await storage.commitSession(session).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe("ERR_SESSION_USAGE_DESTROYED");
    expect(await begun(storage, { user: "eve" })).toMatch(/^__session=\S/);
  });

  test("a session that was destroyed right after its first commit is gone", async () => {
    const storage = storageOf();
    const session = await storage.getSession();
    session.set("user", "ada");
    const cookie = sent(await storage.commitSession(session));
    await storage.destroySession(session);
    expect((await storage.getSession(cookie)).data).toEqual({});
  });
});

describe("the cookie that a commit gives", () => {
  test("is one that browsers drop where none is due", async () => {
    const storage = storageOf();
    const nothing = "__session.unchanged=; Path=/; Max-Age=0";
    expect(await storage.commitSession(await storage.getSession())).toBe(nothing);
    const cookie = await begun(storage, { a: 1 });
    const session = await storage.getSession(cookie);
    expect(await storage.commitSession(session)).toBe(nothing);
    session.set("a", 2);
    expect(await storage.commitSession(session)).toBe(nothing);
    expect((await storage.getSession(cookie)).get("a")).toBe(2);
  });

  test("is given again by a further commit of a session that is new in this request", async () => {
    const storage = storageOf();
    const session = await storage.getSession();
    session.set("a", 1);
    const first = await storage.commitSession(session);
    session.set("b", 2);
    const second = await storage.commitSession(session);
    expect(second).toBe(first);
    expect(await storage.commitSession(session)).toBe(first);
    expect((await storage.getSession(sent(first))).data).toEqual({ a: 1, b: 2 });
  });

  test("has the options of the cookie, and those of the call", async () => {
    const cookie = { name: "own", domain: "example.test", path: "/a", httpOnly: false };
    const storage = storageOf({ cookie: { ...cookie, secure: false, maxAge: 600 } });
    const session = await storage.getSession();
    session.set("a", 1);
    const setCookie = await storage.commitSession(session, { sameSite: "strict" });
    expect(setCookie.replace(/=[^;]*/, "=…")).toBe(
      "own=…; Max-Age=600; Domain=example.test; Path=/a; SameSite=Strict",
    );
  });

  test("may be one that React Router's createCookie made", async () => {
    const cookie = createCookie("made", { path: "/b", maxAge: 60 });
    const storage = storageOf({ cookie });
    const session = await storage.getSession();
    session.set("a", 1);
    const setCookie = await storage.commitSession(session);
    expect(setCookie.replace(/=[^;]*/, "=…")).toBe("made=…; Max-Age=60; Path=/b; SameSite=Lax");
    expect((await storage.getSession(sent(setCookie))).get("a")).toBe(1);
  });
});

describe("lifetimes", () => {
  const clock = fakeClock();
  const make = (options: Options = {}): SessionStorage =>
    storageOf({
      store: new SessionMemoryStore({ now: clock.now }),
      now: clock.now,
      ...options,
    });

  test("the cookie's maxAge is the idle timeout, too", async () => {
    const storage = make({ cookie: { maxAge: 600 } });
    const cookie = await begun(storage, { a: 1 });
    await clock.advance(599_000);
    expect((await storage.getSession(cookie)).get("a")).toBe(1);
    await clock.advance(2000);
    expect((await storage.getSession(cookie)).data).toEqual({});
  });

  test("a commit's maxAge is the session's own, and stays", async () => {
    const storage = make({ sessionExpires: 3600 });
    const session = await storage.getSession();
    session.set("a", 1);
    const setCookie = await storage.commitSession(session, { maxAge: 60 });
    expect(setCookie).toContain("Max-Age=60;");
    await clock.advance(30_000);
    const later = await storage.getSession(sent(setCookie));
    later.set("b", 2);
    expect(await storage.commitSession(later)).toContain("Max-Age=60;");
    await clock.advance(61_000);
    expect((await storage.getSession(sent(setCookie))).data).toEqual({});
  });

  test.each([
    ["one that is longer than sessionExpires", { maxAge: 7200 }],
    ["one that is over", { maxAge: 0 }],
    ["a date that is over", { expires: new Date(0) }],
  ])("%s is an error, and nothing is saved", async (_, options) => {
    const storage = make({ sessionExpires: 3600 });
    const session = await storage.getSession();
    session.set("a", 1);
    const error = await storage.commitSession(session, options).catch((thrown: unknown) => thrown);
    expect(codeOf(error)).toBe("ERR_SESSION_USAGE_LIFETIME");
    expect(sent(await storage.commitSession(session))).toMatch(/^__session=\S/);
  });
});

describe("values", () => {
  test("undefined removes a key, and what is no JSON is an error that doesn't show it", async () => {
    const storage = storageOf();
    const cookie = await begun(storage, { a: 1, b: null, c: undefined });
    const session = await storage.getSession(cookie);
    expect(session.data).toEqual({ a: 1, b: null });
    session.set("a", undefined);
    await storage.commitSession(session);
    expect((await storage.getSession(cookie)).data).toEqual({ b: null });
    const circle: Record<string, unknown> = { secret: "s3cret" };
    circle["itself"] = circle;
    for (const value of [circle, 1n, () => "s3cret", Symbol("s3cret")]) {
      session.set("wrong", value);
      const error = await storage.commitSession(session).catch((thrown: unknown) => thrown);
      expect(codeOf(error)).toBe("ERR_SESSION_USAGE_SCHEMA");
      expect((error as Error).message).not.toContain("s3cret");
    }
  });

  test("keys of an object's own stay keys", async () => {
    const storage = storageOf();
    const cookie = await begun(storage, { constructor: 1, toString: 2 });
    const session = await storage.getSession(cookie);
    session.set("__proto__", { polluted: true });
    await storage.commitSession(session);
    const { data } = await storage.getSession(cookie);
    expect(Object.keys(data).toSorted()).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("the middleware reads them as typed values, and what it wrote comes as text", async () => {
    const store = slowly(new SessionMemoryStore());
    const signingKey = freshKey();
    const config: SessionConfig = { store, signingKey, name: "__session" };
    const engine = new SessionMiddleware(config);
    const storage = storageOf({ store, signingKey });
    const cookie = await begun(storage, { user: { id: 7 } });
    const ticket = await createCookie("__session").parse(cookie);
    const ours = await engine.open(`__session=${String(ticket)}`);
    expect(ours.read(sessionKey("user", v.object({ id: v.number() })))).toEqual({ id: 7 });
    ours.set("name", "ada lovelace");
    await engine.commit(ours);
    const session = await storage.getSession(cookie);
    expect(session.get("name")).toBe("ada lovelace");
    session.set("b", 1);
    await storage.commitSession(session);
    const again = await engine.open(`__session=${String(ticket)}`);
    expect(again.get("name")).toBe("ada lovelace");
  });
});

test("a session of React Router's own createSession is a new one", async () => {
  const storage = storageOf();
  const setCookie = await storage.commitSession(createSession({ a: 1 }));
  expect((await storage.getSession(sent(setCookie))).data).toEqual({ a: 1 });
  const known = createSession({ a: 1 }, "an id of elsewhere");
  for (const call of [storage.commitSession(known), storage.destroySession(known)]) {
    expect(codeOf(await call.catch((thrown: unknown) => thrown))).toBe(
      "ERR_SESSION_USAGE_NO_SESSION",
    );
  }
});

test("a cookie that nobody signed, or of another key or kind, is a new session", async () => {
  const storage = storageOf();
  const cookie = await begun(storage, { a: 1 });
  const foreign = await createCookie("__session").serialize({ a: 1 });
  const text = await createCookie("__session").serialize("a; __session=b");
  const cookies = [cookie.slice(0, -8), sent(foreign), sent(text), "__session=", "a=b", "", null];
  for (const header of [...cookies, await begun(storageOf(), { a: 1 })]) {
    const session = await storage.getSession(header);
    expect([session.id, session.data]).toEqual(["", {}]);
  }
});

test("a store that is down rejects, and a later commit saves what was changed", async () => {
  const slow = slowStore();
  const storage = storageOf({ store: slow.store });
  const session = await storage.getSession();
  session.set("a", 1);
  slow.failsToSave = true;
  const error = await storage.commitSession(session).catch((thrown: unknown) => thrown);
  expect(codeOf(error)).toBe("ERR_SESSION_STORE_FAILED");
  slow.failsToSave = false;
  const cookie = sent(await storage.commitSession(session));
  expect((await storage.getSession(cookie)).data).toEqual({ a: 1 });
});

test.each([
  ["cookie.secrets", { cookie: { secrets: ["s3cret"] } }, "ERR_SESSION_CONFIG_KEY"],
  ["cookie.secrets", { cookie: createCookie("a", { secrets: ["s"] }) }, "ERR_SESSION_CONFIG_KEY"],
  ["signingKey", { signingKey: undefined }, "ERR_SESSION_CONFIG_KEY"],
  ["store", { store: new SessionCookieStore(freshKeys()) }, "ERR_SESSION_CONFIG_STORE"],
  ["store", { store: undefined }, "ERR_SESSION_CONFIG_STORE"],
  ["cookie", { cookie: "name" }, "ERR_SESSION_CONFIG_FIELD"],
  ["cookie", { cookie: { expires: new Date(0) } }, "ERR_SESSION_CONFIG_FIELD"],
  ["name", { cookie: { name: "a b" } }, "ERR_SESSION_CONFIG_COOKIE"],
  ["secretKey", { secretKey: freshKey() }, "ERR_SESSION_CONFIG_FIELD"],
])("a wrong %s is an error by its name", (field, options, code) => {
  const error = thrownBy(() => storageOf(options as unknown as Options)) as ConfigError;
  expect([error.field, error.code]).toEqual([field, code]);
  expect(error.message).not.toContain("s3cret");
});
