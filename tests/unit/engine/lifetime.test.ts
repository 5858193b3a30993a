// "Remember me": a session's own cookie lifetime and idle timeout, over both kinds of store.
import type { Session } from "kocha-session";
import { describe, expect, test } from "vitest";
import { freshKey } from "../../support/keys.ts";
import { thrownBy } from "../../support/thrown.ts";
import { kinds, makeWorld, parseSetCookie } from "./client.ts";

const MINUTE = 60;
const DAY = 86_400;
const start = Date.UTC(2026, 0, 1);

describe.each(kinds)("a session's own idle timeout over the %s store", (kind) => {
  const remembering = () => makeWorld(kind, { sessionExpires: 30 * DAY });

  test("is the configuration's until it is set, and kept with the session", async () => {
    const world = remembering();
    const client = world.newClient();
    await client.request((session) => {
      expect(session.sessionExpires).toBe(30 * DAY);
      session.sessionExpires = 30 * MINUTE;
      session.set("a", "1");
      expect(session.sessionExpires).toBe(30 * MINUTE);
    });
    await client.request(async (session) => {
      expect(session.sessionExpires).toBe(30 * MINUTE);
      await session.regenerate();
      expect(session.sessionExpires).toBe(30 * MINUTE);
    });
    await client.request((session) => session.bind("alice"));
    await client.request((session) => expect(session.sessionExpires).toBe(30 * MINUTE));
  });

  test("ends the session earlier from its first save on, and each renewal keeps to it", async () => {
    const world = remembering();
    const client = world.newClient();
    await client.request((session) => {
      session.sessionExpires = 30 * MINUTE;
      session.set("a", "1");
    });
    for (let round = 0; round < 10; round++) {
      world.clock.advance(20 * MINUTE);
      await client.request((session) => expect(session.get("a")).toBe("1"));
    }
    const session = await world.engine.open(client.jar.header);
    expect(session.expiresAt).toEqual(new Date(world.clock.now() + 30 * MINUTE * 1000));
    world.clock.advance(31 * MINUTE);
    expect(await client.read()).toEqual({});
  });

  test("set on a session that would live for weeks, it shrinks its end at once", async () => {
    const world = remembering();
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    await client.request(async (session) => {
      session.sessionExpires = 30 * MINUTE;
      expect(session.expiresAt).toEqual(new Date(start + 30 * MINUTE * 1000));
      await session.commit();
      expect(session.expiresAt).toEqual(new Date(start + 30 * MINUTE * 1000));
    });
    expect(await client.read()).toEqual({ a: "1" });
    world.clock.advance(31 * MINUTE);
    expect(await client.read()).toEqual({});
  });

  test.each([
    ["0", 0],
    ["the configuration's own value", 30 * DAY],
  ])("%s gives the whole of it again, and a longer end", async (_, seconds) => {
    const world = remembering();
    const client = world.newClient();
    await client.request((session) => {
      session.sessionExpires = MINUTE;
      session.set("a", "1");
    });
    await client.request((session) => {
      session.sessionExpires = seconds;
      expect(session.sessionExpires).toBe(30 * DAY);
    });
    world.clock.advance(29 * DAY);
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("an equal one is no change, and a discarded one was none", async () => {
    const world = remembering();
    const client = world.newClient();
    await client.request((session) => {
      session.sessionExpires = MINUTE;
      session.set("a", "1");
    });
    const equal = await client.request((session) => {
      // oxlint-disable-next-line no-self-assign -- that it is none is what is tested
      session.sessionExpires = session.sessionExpires;
    });
    const dropped = await client.request((session) => {
      session.sessionExpires = 5;
      session.discard();
      expect(session.sessionExpires).toBe(MINUTE);
    });
    expect([...equal.setCookie, ...dropped.setCookie]).toEqual([]);
  });

  test("with the cookie's lifetime it is remember me: both are there, or neither", async () => {
    const world = remembering();
    const visit = async (remember: boolean) => {
      const client = world.newClient();
      const effects = await client.request((session) => {
        session.cookieExpires = remember ? 30 * DAY : 0;
        session.sessionExpires = remember ? 30 * DAY : 30 * MINUTE;
        session.set("user", "alice");
      });
      const [cookie] = effects.setCookie.map(parseSetCookie);
      world.clock.advance(31 * MINUTE);
      return [cookie?.attributes.get("max-age"), await client.read()];
    };
    expect(await visit(true)).toEqual([String(30 * DAY), { user: "alice" }]);
    expect(await visit(false)).toEqual([undefined, {}]);
  });

  test("a configuration that was lowered since holds for every session", async () => {
    const { clock, store } = makeWorld(kind);
    const keys = kind === "memory" ? { signingKey: freshKey() } : {};
    const before = makeWorld(store, { sessionExpires: 30 * DAY, ...keys }, clock);
    const client = before.newClient();
    await client.request((session) => {
      session.sessionExpires = 20 * DAY;
      session.set("a", "1");
    });
    const after = makeWorld(store, { sessionExpires: DAY, ...keys }, clock);
    const session = await after.engine.open(client.jar.header);
    expect(session.get("a")).toBe("1");
    clock.advance(DAY / 2);
    const late = await after.engine.open(client.jar.header);
    late.clear();
    late.set("b", "2");
    await late.commit();
    expect(late.expiresAt).toEqual(new Date(clock.now() + DAY * 1000));
  });

  const refused = (session: Session, seconds: unknown): unknown =>
    thrownBy(() => (session.sessionExpires = seconds as number));

  test("longer than the configuration's it is an error that says what to raise", async () => {
    for (const [config, longest, longer] of [
      [{ sessionExpires: DAY }, DAY, [DAY + 1, -1, 30 * DAY]],
      // What follows the cookie's lifetime has that for its longest.
      [{ sessionExpires: 0, cookieExpires: DAY }, DAY, [DAY + 1, -1]],
      [{ sessionExpires: 0, cookieExpires: 0 }, DAY, [DAY + 1, -1]],
    ] as const) {
      const session = await makeWorld(kind, config).engine.open(undefined);
      session.sessionExpires = longest;
      for (const seconds of longer) {
        const error = refused(session, seconds) as Error;
        expect(error).toMatchObject({ code: "ERR_SESSION_USAGE_LIFETIME" });
        expect(error.message).toContain("raise sessionExpires in the configuration");
        expect(error.message).not.toContain("milliseconds");
      }
      expect(refused(session, 30 * DAY * 1000)).toMatchObject({
        message: expect.stringContaining("milliseconds?") as string,
      });
    }
  });

  test("where the configuration has none, any is shorter, and -1 is none again", async () => {
    const world = makeWorld(kind, { sessionExpires: -1 });
    const client = world.newClient();
    await client.request((session) => {
      session.sessionExpires = 1000 * DAY;
      session.set("a", "1");
      expect(session.expiresAt).toEqual(new Date(start + 1000 * DAY * 1000));
    });
    await client.request((session) => {
      session.sessionExpires = -1;
      expect(session.sessionExpires).toBe(-1);
    });
    const session = await world.engine.open(client.jar.header);
    expect(session.expiresAt).toBeUndefined();
  });

  test("anything but whole seconds is an error, and so is a change that comes too late", async () => {
    const world = remembering();
    const session = await world.engine.open(undefined);
    for (const wrong of [1.5, -2, Number.NaN, Infinity, "60", null, undefined, {}]) {
      expect(refused(session, wrong)).toMatchObject({ code: "ERR_SESSION_USAGE_TYPE" });
    }
    await world.engine.commit(session);
    expect(refused(session, 60)).toMatchObject({ code: "ERR_SESSION_USAGE_HEADERS_SENT" });
  });

  test("a cookie that lives longer than browsers keep one is an error that asks", async () => {
    const session = await remembering().engine.open(undefined);
    session.cookieExpires = 400 * DAY;
    for (const wrong of [400 * DAY + 1, 30 * DAY * 1000]) {
      const error = thrownBy(() => (session.cookieExpires = wrong)) as Error;
      expect(error).toMatchObject({ code: "ERR_SESSION_USAGE_TYPE" });
      expect(error.message).toContain("milliseconds?");
    }
    expect(session.cookieExpires).toBe(400 * DAY);
  });
});

test("a renewal that was under way doesn't lengthen what was shortened meanwhile", async () => {
  const world = makeWorld("memory", { sessionExpires: 30 * DAY });
  const client = world.newClient();
  await client.request((session) => session.set("a", "1"));
  world.clock.advance(10 * DAY);
  const renewing = await world.engine.open(client.jar.header);
  renewing.get("a");
  await client.request((session) => (session.sessionExpires = 30 * MINUTE));
  client.jar.take((await world.engine.commit(renewing)).setCookie);
  world.clock.advance(31 * MINUTE);
  expect(await client.read()).toEqual({});
});
