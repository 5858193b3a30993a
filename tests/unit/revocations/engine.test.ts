// The engine with revocations on the cookie store: what is dead, for whom, from when on, and what a
// request that raced the end may still do.
import { memoryRevocations } from "kocha-session";
import { kochaCookies, sealKochaCookie } from "kocha-session/kocha";
import { describe, expect, test } from "vitest";
import { freshKeys } from "../../support/keys.ts";
import { Clock, makeStore, makeWorld } from "../engine/client.ts";
import { copyOf, DAY, HOUR, logIn, makeRevocable } from "./revocable-world.ts";

describe("a session that was ended", () => {
  test.each(["destroy", "revoke"] as const)("by %s is dead in every copy", async (how) => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    const thief = copyOf(world, client);
    await client.request(async (session) => {
      if (how === "destroy") await session.destroy();
      else await world.revocations.revoke(session.id);
    });
    world.told.length = 0;
    expect(await thief.read()).toEqual({});
    expect(world.reasons("rejected")).toEqual(["revoked"]);
    await thief.request((session) => session.set("own", "1"));
    expect(await thief.read()).toEqual({ own: "1" });
  });

  test("is dead under each credential that it ever had", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    const first = copyOf(world, client);
    await client.request((session) => session.regenerate());
    const second = copyOf(world, client);
    await client.request((session) => session.regenerate());
    await client.request((session) => world.revocations.revoke(session.id));
    for (const copy of [first, second, client]) expect(await copy.read()).toEqual({});
    expect(world.reasons("rejected")).toEqual(["revoked", "revoked", "revoked"]);
  });

  test("leaves the sessions of others alone", async () => {
    const world = makeRevocable();
    const [one, other] = [await logIn(world, "alice"), await logIn(world, "alice")];
    await one.request((session) => session.destroy());
    expect(await other.read()).toEqual({ name: "alice" });
  });

  test("gets no late write: it is refused, and no cookie is set", async () => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    const slow = await world.engine.open(client.jar.header);
    slow.set("late", "1");
    await client.request((session) => session.destroy());
    world.told.length = 0;
    expect((await world.engine.commit(slow)).setCookie).toEqual([]);
    expect(world.reasons("refused")).toEqual(["stale"]);
  });

  test("gets no late renewal, which nobody misses", async () => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    world.clock.advance(12 * HOUR);
    const slow = await world.engine.open(client.jar.header);
    expect(slow.get("name")).toBe("alice");
    await client.request((session) => session.destroy());
    world.told.length = 0;
    expect((await world.engine.commit(slow)).setCookie).toEqual([]);
    expect(world.told).toEqual([]);
  });

  test("takes back what a slow request had saved before", async () => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    const slow = await world.engine.open(client.jar.header);
    slow.set("late", "1");
    await slow.commit();
    await client.request((session) => session.destroy());
    slow.set("later", "1");
    expect((await world.engine.commit(slow)).setCookie).toEqual([]);
  });

  test("stays dead as long as its cookie could live, and is then forgotten", async () => {
    const world = makeRevocable({ absoluteExpires: 2 * DAY });
    const client = await logIn(world, "alice");
    const thief = copyOf(world, client);
    await client.request((session) => session.destroy());
    for (let hours = 0; hours <= 24; hours++) {
      expect(await thief.read()).toEqual({});
      world.clock.advance(HOUR);
    }
    world.told.length = 0;
    expect(await thief.read()).toEqual({});
    expect(world.reasons("rejected")).toEqual(["expired"]);
    const { revocations } = world as unknown as { revocations: { size: number } };
    // Nothing keeps it now, but the sweep comes with the next entries.
    expect(revocations.size).toBe(1);
    for (let round = 0; round < 2; round++) {
      await (await logIn(world, "bob")).request((session) => session.destroy());
      world.clock.advance(2 * DAY);
    }
    expect(revocations.size).toBe(1);
  });

  test("is not opened for an upgrade either", async () => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    const cookie = client.jar.header;
    expect((await world.engine.openReadOnly(cookie)).get("name")).toBe("alice");
    await client.request((session) => session.destroy());
    expect((await world.engine.openReadOnly(cookie)).get("name")).toBe("");
  });

  test("doesn't hide a live one that came beside it", async () => {
    const world = makeRevocable();
    const live = await logIn(world, "alice");
    world.clock.advance(5);
    const dead = await logIn(world, "bob");
    const cookie = dead.jar.header;
    await dead.request((session) => session.destroy());
    const session = await world.engine.open(`${cookie}; ${live.jar.header}`);
    expect(session.get("name")).toBe("alice");
  });

  test("doesn't hide a live one in its grace either", async () => {
    const world = makeRevocable();
    const live = await logIn(world, "alice");
    world.clock.advance(5);
    const bob = await logIn(world, "bob");
    const cookie = bob.jar.header;
    await bob.request((session) => session.regenerate());
    const session = await world.engine.open(`${cookie}; ${live.jar.header}`);
    expect([session.get("name"), session.readOnly]).toEqual(["alice", false]);
  });

  test("that was split over several cookies is dead in all of them", async () => {
    const clock = new Clock();
    const revocations = memoryRevocations({ now: clock.now });
    const store = makeStore("cookie", clock, { maxCookies: 3 });
    const world = makeWorld(store, { sessionExpires: DAY, revocations }, clock);
    const client = world.newClient();
    await client.request((session) => session.set("big", "x".repeat(5000)));
    const thief = copyOf(world, client);
    expect(thief.jar.cookies.length).toBeGreaterThan(1);
    await client.request((session) => session.destroy());
    expect(await thief.read()).toEqual({});
    await thief.request((session) => session.set("own", "1"));
    expect(await thief.read()).toEqual({ own: "1" });
  });

  test("may have come from another library", async () => {
    const keys = freshKeys();
    const clock = new Clock();
    const revocations = memoryRevocations({ now: clock.now });
    const migrateFrom = kochaCookies({ name: "kocha", ...keys });
    const store = makeStore("cookie", clock, { migrateFrom });
    const world = makeWorld(store, { sessionExpires: DAY, revocations }, clock);
    const expires = String(Math.floor(clock.now() / 1000) + 9 * DAY);
    const data = new Map([
      ["name", "alice"],
      ["_kocha._sess._expires", expires],
    ]);
    const client = world.newClient();
    client.jar.take([`kocha=${sealKochaCookie(data, keys)}`]);
    const thief = copyOf(world, client);
    expect(await client.read()).toEqual({ name: "alice" });
    await client.request((session) => session.destroy());
    expect(await thief.read()).toEqual({});
    // Its own end is far behind our idle timeout, and so is the entry's.
    clock.advance(3 * DAY);
    for (let round = 0; round < 9; round++) {
      await (await logIn(world, "bob")).request((session) => session.destroy());
    }
    expect(await thief.read()).toEqual({});
  });
});

describe("a credential that a regenerate replaced", () => {
  test("reads nothing, changes nothing, and is unknown after its grace", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("cart", "1"));
    const before = copyOf(world, client);
    await client.request(async (session) => {
      await session.regenerate();
      session.set("name", "alice");
    });
    world.told.length = 0;
    const old = await world.engine.open(before.jar.header);
    expect([old.get("cart"), old.readOnly, old.isNew]).toEqual(["", true, true]);
    old.set("cart", "2");
    expect((await world.engine.commit(old)).setCookie).toEqual([]);
    expect(world.reasons("refused")).toEqual(["grace"]);
    expect(await client.read()).toEqual({ cart: "1", name: "alice" });
    world.clock.advance(61);
    const later = await world.engine.open(before.jar.header);
    later.set("own", "1");
    expect(later.readOnly).toBe(false);
    expect(world.reasons("rejected")).toEqual(["retired"]);
  });

  test("can still end the session", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    const before = copyOf(world, client);
    await client.request((session) => session.regenerate());
    await before.request((session) => session.destroy());
    expect(before.jar.cookies.every(({ value }) => value === "")).toBe(true);
    expect(await client.read()).toEqual({});
  });

  test("logs in at the second try when the first response was lost", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("cart", "1"));
    const before = copyOf(world, client);
    // This response never arrives.
    await copyOf(world, client).request((session) => session.regenerate());
    await before.request(async (session) => {
      await session.regenerate();
      session.set("name", "alice");
    });
    expect(await before.read()).toEqual({ name: "alice" });
  });

  test("keeps the session's handle", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      await client.request(async (session) => {
        session.set("round", String(round));
        ids.push(session.id);
        await session.regenerate();
        ids.push(session.id);
      });
    }
    expect(new Set(ids).size).toBe(1);
  });

  test("is replaced once in a request, however often that is asked for", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    const before = copyOf(world, client);
    await client.request(async (session) => {
      await session.regenerate();
      session.set("b", "2");
      await session.regenerate();
    });
    expect((world.revocations as unknown as { size: number }).size).toBe(1);
    expect(await client.read()).toEqual({ a: "1", b: "2" });
    expect(await before.read()).toEqual({});
  });

  test("was replaced by another request meanwhile: this one goes on without the old data", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("cart", "1"));
    const slow = await world.engine.open(client.jar.header);
    expect(slow.get("cart")).toBe("1");
    await client.request((session) => session.regenerate());
    world.told.length = 0;
    await slow.regenerate();
    expect(world.reasons("refused")).toEqual(["stale"]);
    slow.set("name", "alice");
    const late = world.newClient();
    late.jar.take((await world.engine.commit(slow)).setCookie);
    expect(await late.read()).toEqual({ name: "alice" });
    expect(await client.read()).toEqual({ cart: "1" });
  });

  test("stays good when what was to be saved doesn't fit", async () => {
    const world = makeRevocable();
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    const session = await world.engine.open(client.jar.header);
    session.set("big", "x".repeat(5000));
    await expect(session.regenerate()).rejects.toMatchObject({ code: "ERR_SESSION_LIMIT_COOKIE" });
    expect(await client.read()).toEqual({ a: "1" });
    session.del("big");
    await session.regenerate();
    expect(await client.read()).toEqual({});
  });

  test("doesn't exist before the session is stored: nothing is listed", async () => {
    const world = makeRevocable();
    const effects = await world.newClient().request((session) => session.regenerate());
    expect(effects.setCookie).toEqual([]);
    expect((world.revocations as unknown as { size: number }).size).toBe(0);
  });
});
