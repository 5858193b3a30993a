// update, increment and take: one row of the table of their semantics a test, over a store that answers
// at once and one that answers later.
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Session } from "../../../src/session/session.ts";
import type { SessionChange, SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { slowly } from "../../support/latency.ts";
import { Clock, makeWorld, type Client, type World } from "./client.ts";

const stores: readonly (readonly [string, (store: SessionStore) => SessionStore])[] = [
  ["a store that answers at once", (store) => store],
  ["a store that answers later", slowly],
];

describe.each(stores)("over %s", (_kind, timed) => {
  let world: World;
  let client: Client;
  let calls: string[];
  let changes: SessionChange[];
  /** Stands before each save, where a test wants something to come between. */
  let beforeSave: (change: SessionChange) => unknown;

  beforeEach(() => {
    calls = [];
    changes = [];
    beforeSave = () => undefined;
    const clock = new Clock();
    const store = timed(new SessionMemoryStore({ now: clock.now }));
    const spied: SessionStore = {
      ...(store.capabilities !== undefined && { capabilities: store.capabilities }),
      load: (key) => {
        calls.push("load");
        return store.load(key);
      },
      save: async (key, change) => {
        calls.push("save");
        changes.push(change);
        await beforeSave(change);
        return store.save(key, change);
      },
    };
    world = makeWorld(spied, {}, clock);
    client = world.newClient();
  });

  /** A stored session with these keys, and what was told and asked until then forgotten. */
  async function stored(data: Record<string, string>): Promise<void> {
    await client.request((session) => {
      for (const [key, value] of Object.entries(data)) session.set(key, value);
    });
    forget();
  }

  function forget(): void {
    world.told.length = calls.length = changes.length = 0;
  }

  /** A request that has loaded the session by now. */
  const opened = async (): Promise<Session> => world.engine.open(client.jar.header);
  const commit = async (session: Session): Promise<void> => {
    client.jar.take((await world.engine.commit(session)).setCookie);
  };
  const refusals = (): unknown[] =>
    world.told.filter(({ name }) => name === "refused").map(({ event }) => event["reason"]);
  const append =
    (what: string) =>
    (held = ""): string =>
      held + what;
  /** Lets another request change the session between this one's load and its next save. */
  const meanwhile = (step: (other: Session) => unknown): void => {
    beforeSave = async () => {
      beforeSave = () => undefined;
      await client.request(step);
    };
  };

  test("nobody races: one save with the changes so far", async () => {
    await stored({ n: "4", other: "1" });
    const session = await opened();
    session.set("other", "2");
    expect(await session.increment("n")).toBe(5);
    expect(session.get("n")).toBe("5");
    await commit(session);
    expect(calls).toEqual(["load", "save"]);
    expect(changes[0]?.expect).toEqual(new Map([["n", "4"]]));
    expect(await client.read()).toEqual({ n: "5", other: "2" });
  });

  test("each of the three gives what is stored then, and what is absent is undefined or 0", async () => {
    await stored({ word: "a" });
    const session = await opened();
    expect(await session.update("word", append("b"))).toBe("ab");
    expect(await session.update("word", () => null)).toBeUndefined();
    expect(await session.increment("n", -3)).toBe(-3);
    expect(await session.increment("n", 0)).toBe(-3);
    expect(await session.take("n")).toBe("-3");
    expect(await session.take("n")).toBeUndefined();
    await commit(session);
    expect(await client.read()).toEqual({});
  });

  test("an update that changes nothing costs nothing", async () => {
    await stored({ n: "4" });
    const session = await opened();
    await session.update("n", (held) => held ?? "");
    await session.take("absent");
    await session.increment("n", 0);
    await commit(session);
    expect(calls).toEqual(["load"]);
    const anonymous = await world.newClient().request((fresh) => fresh.take("absent"));
    expect(anonymous.setCookie).toEqual([]);
    expect(calls).toEqual(["load"]);
  });

  test("another wrote the key: it runs again on that, and other keys keep their loaded view", async () => {
    await stored({ log: "a", seen: "old" });
    const session = await opened();
    session.set("mine", "1");
    meanwhile((other) => {
      other.set("log", "ab");
      other.set("seen", "new");
    });
    const runs: (string | undefined)[] = [];
    expect(await session.update("log", (held) => (runs.push(held), `${held}c`))).toBe("abc");
    expect(runs).toEqual(["a", "ab"]);
    expect([session.get("seen"), session.get("mine")]).toEqual(["old", "1"]);
    await commit(session);
    // The other one's request is a load and a save.
    expect(calls).toEqual(["load", "save", "load", "save", "load", "save"]);
    expect(await client.read()).toEqual({ log: "abc", mine: "1", seen: "new" });
    expect(refusals()).toEqual([]);
  });

  test("a key that another removed or made is met as it is", async () => {
    await stored({ gone: "1" });
    const session = await opened();
    meanwhile((other) => {
      other.del("gone");
      other.set("made", "7");
    });
    expect(await session.increment("gone")).toBe(1);
    expect(await session.increment("made")).toBe(8);
    await commit(session);
    expect(await client.read()).toEqual({ gone: "1", made: "8" });
  });

  test("racing requests: none is lost, and one takes", async () => {
    await stored({ token: "t" });
    const sessions = await Promise.all(Array.from({ length: 12 }, opened));
    const numbers = await Promise.all(sessions.map((session) => session.increment("n")));
    expect(numbers.toSorted((one, other) => one - other)).toEqual(sessions.map((_, at) => at + 1));
    const taken = await Promise.all(sessions.map((session) => session.take("token")));
    expect(taken.filter((value) => value !== undefined)).toEqual(["t"]);
    // In one process nobody loses a race: who leaves says what is stored. Of those who take nothing, one
    // looks.
    expect(calls.filter((call) => call === "save")).toHaveLength(14);
    await Promise.all(sessions.map(commit));
    expect(await client.read()).toEqual({ n: "12" });
  });

  test("a hint of what is stored is only a hint: another process may have been there", async () => {
    await stored({ n: "1" });
    const [first, second] = [await opened(), await opened()];
    const both = [first.increment("n"), second.increment("n")];
    // After the first one's save, which left a hint, and before the second one's.
    let saves = 0;
    beforeSave = async ({ expect: expected }) => {
      if (expected !== undefined && ++saves === 2) {
        await client.request((other) => other.set("n", "100"));
      }
    };
    expect(await Promise.all(both)).toEqual([2, 101]);
    expect(await client.read()).toEqual({ n: "101" });
  });

  test.each([
    ["cleared", (other: Session) => other.clear()],
    ["regenerated", (other: Session) => other.regenerate()],
    ["destroyed", (other: Session) => other.destroy()],
  ])("%s meanwhile: a conflict, and nothing of it is inserted", async (_name, step) => {
    await stored({ n: "1", seen: "old" });
    const session = await opened();
    session.set("seen", "changed");
    meanwhile(step);
    await expect(session.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_CONFLICT_STALE",
      status: 409,
      statusCode: 409,
    });
    expect(refusals()).toEqual(["stale"]);
    // The view is what was loaded.
    expect([session.get("n"), session.get("seen")]).toEqual(["1", "old"]);
    await commit(session);
    expect(refusals()).toEqual(["stale"]);
    expect((await client.read())["n"]).toBe(_name === "regenerated" ? "1" : undefined);
  });

  test("a binding of another request refuses no update", async () => {
    await stored({ n: "1" });
    const session = await opened();
    meanwhile((other) => {
      other.bind("alice");
      other.set("n", "5");
    });
    expect(await session.increment("n")).toBe(6);
    expect(refusals()).toEqual([]);
  });

  test("in the grace of the credential: a conflict, with its event", async () => {
    await stored({ n: "1" });
    const { header } = client.jar;
    await client.request((other) => other.regenerate());
    forget();
    const session = await world.engine.open(header);
    await expect(session.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_CONFLICT_GRACE",
      status: 409,
    });
    expect(refusals()).toEqual(["grace"]);
    expect(calls).toEqual(["load"]);
  });

  test("read-only, response begun, destroyed: the errors of set", async () => {
    await stored({ n: "1" });
    const upgrade = await world.engine.openReadOnly(client.jar.header);
    await expect(upgrade.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_USAGE_READ_ONLY",
    });
    const begun = await opened();
    await commit(begun);
    await expect(begun.update("n", () => "2")).rejects.toMatchObject({
      code: "ERR_SESSION_USAGE_HEADERS_SENT",
    });
    const ended = await opened();
    await ended.destroy();
    await expect(ended.take("n")).rejects.toMatchObject({ code: "ERR_SESSION_USAGE_DESTROYED" });
  });

  test("64 losses in a row: a conflict that is told, and nothing else is lost", async () => {
    await stored({ n: "0" });
    const session = await opened();
    session.set("mine", "1");
    let rivals = 0;
    beforeSave = async ({ expect: expected }) => {
      // Another process's update, which this one's lanes don't see.
      if (expected?.has("n") === true) {
        await client.request((other) => other.set("n", String(++rivals * 10)));
      }
    };
    await expect(session.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_CONFLICT_CONTENDED",
      status: 409,
    });
    expect(rivals).toBe(64);
    expect(refusals()).toEqual(["contended"]);
    beforeSave = () => undefined;
    await commit(session);
    expect(await client.read()).toEqual({ n: "640", mine: "1" });
  });

  test.each([
    [
      "throws",
      () => {
        throw new RangeError("mine");
      },
      { name: "RangeError" },
    ],
    ["is async", async () => "5", { code: "ERR_SESSION_USAGE_UPDATE" }],
    ["gives undefined", () => undefined, { code: "ERR_SESSION_USAGE_UPDATE" }],
    ["gives no string", () => 5, { code: "ERR_SESSION_USAGE_TYPE" }],
    ["is over a limit", () => "x".repeat(70_000), { code: "ERR_SESSION_LIMIT_SESSION" }],
  ])("an edit that %s: it rejects, and nothing changed", async (_name, edit, error) => {
    await stored({ n: "1" });
    const session = await opened();
    session.set("mine", "1");
    await expect(session.update("n", edit as never)).rejects.toMatchObject(error);
    expect(calls).toEqual(["load"]);
    expect([session.get("n"), session.get("mine")]).toEqual(["1", "1"]);
    await commit(session);
    expect(await client.read()).toEqual({ n: "1", mine: "1" });
  });

  test.each([
    ["what is added", "1", 1.5],
    ["what is added", "one", NaN],
    ["the key's value", "one", 1],
    ["the key's value", "1.5", 1],
    ["the key's value", "9007199254740992", -1],
    ["the sum", "9007199254740991", 1],
  ])("increment says that %s is no safe whole number: %s + %d", async (what, held, by) => {
    await stored({ n: held });
    const session = await opened();
    await expect(session.increment("n", by)).rejects.toMatchObject({
      code: "ERR_SESSION_USAGE_TYPE",
      message: expect.stringContaining(`${what} is no safe whole number (`) as string,
    });
    expect(session.get("n")).toBe(held);
  });

  test("an edit that throws when it runs again takes back its first run", async () => {
    await stored({ n: "1" });
    const session = await opened();
    session.set("mine", "1");
    meanwhile((other) => other.set("n", "no number"));
    await expect(session.increment("n")).rejects.toMatchObject({ code: "ERR_SESSION_USAGE_TYPE" });
    expect(session.get("n")).toBe("1");
    await commit(session);
    expect(await client.read()).toEqual({ n: "no number", mine: "1" });
  });

  test.each(["", "1.5", "1e3", " 1", "0x1", "9007199254740993", "a"])(
    "%j is no number to add to",
    async (text) => {
      await stored({ n: text });
      const session = await opened();
      await expect(session.increment("n")).rejects.toMatchObject({
        code: "ERR_SESSION_USAGE_TYPE",
      });
    },
  );

  test("a save that fails: one save, never retried, and those that wait go at once", async () => {
    await stored({ n: "1" });
    const sessions = await Promise.all([opened(), opened(), opened()]);
    forget();
    beforeSave = () => {
      throw new Error("out of order");
    };
    const outcomes = await Promise.allSettled(sessions.map((session) => session.increment("n")));
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.code)).toEqual(
      Array(3).fill("ERR_SESSION_STORE_FAILED"),
    );
    expect(calls).toEqual(["save", "save", "save"]);
    const [first] = sessions;
    await expect(first?.increment("n")).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_FAILED",
    });
  });

  test("two first writes of a client without a session: two sessions, and one is kept", async () => {
    const sessions = [await opened(), await opened()];
    await Promise.all(sessions.map((session, at) => session.update(`k${at}`, () => "1")));
    for (const session of sessions) await commit(session);
    expect(Object.keys(await client.read())).toHaveLength(1);
  });

  test("the same, when the page before has started a session: both are kept", async () => {
    const page = await client.request((session) => session.start());
    expect(page.setCookie).toHaveLength(1);
    expect(world.events()).toEqual(["created", "committed"]);
    const sessions = [await opened(), await opened()];
    expect(sessions.map(({ isNew }) => isNew)).toEqual([false, false]);
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(1);
    await Promise.all(sessions.map((session, at) => session.update(`k${at}`, () => "1")));
    for (const session of sessions) await commit(session);
    expect(await client.read()).toEqual({ k0: "1", k1: "1" });
  });

  test("starting a session that is stored costs nothing", async () => {
    await stored({ n: "1" });
    await client.request((session) => session.start());
    expect(calls).toEqual(["load"]);
  });

  test("not stored yet: one create, and the second update is one save", async () => {
    const session = await opened();
    session.set("mine", "1");
    expect(await session.increment("n")).toBe(1);
    expect(await session.increment("n")).toBe(2);
    await commit(session);
    expect(changes.map(({ op }) => op)).toEqual(["create", "update"]);
    expect(await client.read()).toEqual({ n: "2", mine: "1" });
  });

  test("after regenerate or bind: one save each", async () => {
    await stored({ n: "1" });
    const session = await opened();
    await session.regenerate();
    expect(await session.increment("n")).toBe(2);
    session.bind("alice");
    expect(await session.increment("n")).toBe(3);
    await commit(session);
    expect(calls).toEqual(["load", "save", "save", "save"]);
    expect(changes.map(({ subject }) => subject)).toEqual([undefined, undefined, "alice"]);
    expect(await client.read()).toEqual({ n: "3" });
  });

  test("what the request has set itself is what an update sees", async () => {
    await stored({ n: "1" });
    const session = await opened();
    session.set("n", "40");
    meanwhile((other) => other.set("n", "7"));
    expect(await session.increment("n", 2)).toBe(42);
    expect(await client.read()).toEqual({ n: "42" });
  });

  test("discard goes back to the last update", async () => {
    await stored({ n: "1" });
    const session = await opened();
    await session.increment("n");
    session.set("n", "100");
    session.discard();
    expect(session.get("n")).toBe("2");
    await commit(session);
    expect(await client.read()).toEqual({ n: "2" });
  });

  test.each([
    ["of another key", "mine", { n: "11", mine: "set" }],
    ["of the same key", "n", { n: "set" }],
  ])("set() %s while an update is under way is kept", async (_name, key, data) => {
    await stored({ n: "1" });
    const session = await opened();
    meanwhile((other) => other.set("n", "10"));
    const updating = session.increment("n");
    await vi.waitUntil(() => calls.includes("save"), { interval: 1 });
    session.set(key, "set");
    expect(await updating).toBe(11);
    expect(session.get(key)).toBe("set");
    await commit(session);
    expect(await client.read()).toEqual(data);
  });

  test("an update that nobody awaits is saved before the response", async () => {
    await stored({ n: "1" });
    const session = await opened();
    void session.increment("n");
    await commit(session);
    expect(await client.read()).toEqual({ n: "2" });
  });
});

describe("reserved keys and wrong arguments", () => {
  test.each(["_flash.notice", "_map.cart.tea"])("%s is refused by all three", async (key) => {
    const session = await makeWorld("memory").newClient().engine.open(undefined);
    const reserved = { code: "ERR_SESSION_USAGE_RESERVED" };
    await expect(session.update(key, () => "1")).rejects.toMatchObject(reserved);
    await expect(session.increment(key)).rejects.toMatchObject(reserved);
    await expect(session.take(key)).rejects.toMatchObject(reserved);
    expect(() => session.set(key, "1")).toThrow(expect.objectContaining(reserved) as Error);
  });

  test("what is no key, no function or no number", async () => {
    const session = await makeWorld("memory").newClient().engine.open(undefined);
    const wrong = { code: "ERR_SESSION_USAGE_TYPE" };
    await expect(session.update(undefined as never, () => "1")).rejects.toMatchObject(wrong);
    await expect(session.update("n", "1" as never)).rejects.toMatchObject({
      code: "ERR_SESSION_USAGE_UPDATE",
    });
    for (const by of [1.5, Number.NaN, 1n, "1", null, {}, Symbol("one")]) {
      await expect(session.increment("n", by as never)).rejects.toMatchObject(wrong);
    }
    for (const key of [5, { name: "n", schema: {} }]) {
      await expect(session.increment(key as never)).rejects.toMatchObject(wrong);
    }
    await expect(session.take(null as never)).rejects.toMatchObject(wrong);
  });
});

describe("cookies", () => {
  test("update and increment run on what the request saw; take names get and del", async () => {
    const world = makeWorld("cookie");
    const client = world.newClient();
    await client.request(async (session) => {
      session.set("mine", "1");
      expect(await session.increment("n")).toBe(1);
      expect(await session.increment("n")).toBe(2);
    });
    expect(await client.read()).toEqual({ mine: "1", n: "2" });
    const session = await world.engine.open(client.jar.header);
    await expect(session.take("n")).rejects.toThrow(/get and del/);
    await expect(session.take("n")).rejects.toMatchObject({ code: "ERR_SESSION_USAGE_STORE" });
    expect(session.get("n")).toBe("2");
  });

  test("an update that doesn't fit rejects, and the rest still goes out", async () => {
    const client = makeWorld("cookie").newClient();
    await client.request((session) => session.set("n", "1"));
    const large = Array.from({ length: 5000 }, () => Math.random().toString(36)[2]).join("");
    const { setCookie } = await client.request(async (session) => {
      session.set("mine", "1");
      await expect(session.update("n", () => large)).rejects.toMatchObject({
        code: "ERR_SESSION_LIMIT_COOKIE",
      });
      expect(session.get("n")).toBe("1");
    });
    expect(setCookie).toHaveLength(1);
    expect(await client.read()).toEqual({ n: "1", mine: "1" });
  });

  test("start() makes a cookie with nothing in it, also when it is committed before the end", async () => {
    for (const commits of [false, true]) {
      const world = makeWorld("cookie");
      const client = world.newClient();
      const { setCookie } = await client.request(async (session) => {
        session.start();
        if (commits) await session.commit();
      });
      expect(setCookie).toHaveLength(1);
      expect((await world.engine.open(client.jar.header)).isNew).toBe(false);
    }
  });

  test("an update that leaves nothing makes no cookie", async () => {
    const { setCookie } = await makeWorld("cookie")
      .newClient()
      .request((session) => session.update("n", () => null));
    expect(setCookie).toEqual([]);
  });
});
