// The engine with revocations on the cookie store: what is dead, for whom, from when on, and what a
// request that raced the end may still do.
import { memoryRevocations, type Revocations, type SessionConfig } from "kocha-session";
import { describe, expect, test } from "vitest";
import { kochaCookies, sealKochaCookie } from "kocha-session/kocha";
import { freshKeys } from "../../../support/keys.ts";
import { type Client, Clock, makeStore, makeWorld, type World } from "../client.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

interface RevocableWorld extends World {
  readonly revocations: Revocations;
  /** The reasons of the events of one name since the last call. */
  readonly reasons: (name: "refused" | "rejected") => unknown[];
}

function makeRevocable(config: Partial<SessionConfig> = {}): RevocableWorld {
  const clock = new Clock();
  const revocations = config.revocations ?? memoryRevocations({ now: clock.now });
  const world = makeWorld("cookie", { sessionExpires: DAY, ...config, revocations }, clock);
  const reasons = (name: string): unknown[] =>
    world.told.splice(0).flatMap((told) => (told.name === name ? [told.event["reason"]] : []));
  return { ...world, revocations, reasons };
}

/** A client that holds the same cookies now: a copy, as a thief has one. */
function copyOf(world: World, client: Client): Client {
  const copy = world.newClient();
  copy.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
  return copy;
}

async function logIn(world: World, subject: string): Promise<Client> {
  const client = world.newClient();
  await client.request(async (session) => {
    await session.regenerate();
    session.bind(subject);
    session.set("name", subject);
  });
  return client;
}

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

describe("the sessions of a subject", () => {
  test("end together, wherever they are, and those of others don't", async () => {
    const world = makeRevocable();
    const alice = [await logIn(world, "alice"), await logIn(world, "alice")];
    const bob = await logIn(world, "bob");
    const nobody = world.newClient();
    await nobody.request((session) => session.set("a", "1"));
    await world.revocations.revokeSubject("alice");
    for (const client of alice) expect(await client.read()).toEqual({});
    expect(await bob.read()).toEqual({ name: "bob" });
    expect(await nobody.read()).toEqual({ a: "1" });
  });

  test("but the one that is excepted", async () => {
    const world = makeRevocable();
    const [here, there] = [await logIn(world, "alice"), await logIn(world, "alice")];
    await here.request(async (session) => {
      await world.revocations.revokeSubject("alice", { except: session.id });
      session.set("changed", "1");
    });
    expect(await here.read()).toEqual({ name: "alice", changed: "1" });
    expect(await there.read()).toEqual({});
    // The next one may spare another, which the first one did not.
    await here.request((session) =>
      world.revocations.revokeSubject("alice", { except: session.id }),
    );
    expect(await here.read()).toEqual({ name: "alice", changed: "1" });
    await world.revocations.revokeSubject("alice");
    expect(await here.read()).toEqual({});
  });

  test("that were bound until a given time alone", async () => {
    const world = makeRevocable();
    const early = await logIn(world, "alice");
    const before = new Date(world.clock.now());
    world.clock.advance(60);
    const late = await logIn(world, "alice");
    world.clock.advance(60);
    await world.revocations.revokeSubject("alice", { before });
    expect(await early.read()).toEqual({});
    expect(await late.read()).toEqual({ name: "alice" });
  });

  test("an instant to come counts as now: who logs in afterwards is logged in", async () => {
    const world = makeRevocable();
    const before = await logIn(world, "alice");
    await world.revocations.revokeSubject("alice", { before: new Date(world.clock.now() + 1e9) });
    const after = await logIn(world, "alice");
    expect(await before.read()).toEqual({});
    expect(await after.read()).toEqual({ name: "alice" });
  });

  test("a new login in the very same millisecond lives, also in the request that ended the others", async () => {
    const world = makeRevocable();
    const [here, there] = [await logIn(world, "alice"), await logIn(world, "alice")];
    await here.request(async (session) => {
      await world.revocations.revokeSubject("alice");
      await session.regenerate();
      session.bind("alice");
      session.set("password", "new");
    });
    expect(await here.read()).toEqual({ password: "new" });
    expect(await there.read()).toEqual({});
  });

  test("a slow request can't bring one back by binding it again", async () => {
    const world = makeRevocable();
    const client = await logIn(world, "alice");
    const slow = await world.engine.open(client.jar.header);
    slow.bind("alice");
    await world.revocations.revokeSubject("alice");
    world.told.length = 0;
    expect((await world.engine.commit(slow)).setCookie).toEqual([]);
    expect(world.reasons("refused")).toEqual(["stale"]);
  });

  test.each([
    ["a subject that is no string", (it: Revocations) => it.revokeSubject(5 as never)],
    ["a lone surrogate", (it: Revocations) => it.revokeSubject("\uD800")],
    ["a time that is no Date", (it: Revocations) => it.revokeSubject("a", { before: 5 as never })],
    [
      "an invalid Date",
      (it: Revocations) => it.revokeSubject("a", { before: new Date(Number.NaN) }),
    ],
    ["an exception that is no id", (it: Revocations) => it.revokeSubject("a", { except: "me" })],
    ["a session's id that is none", (it: Revocations) => it.revoke("alice")],
    ["no session's id", (it: Revocations) => it.revoke(undefined as never)],
  ])("%s is the caller's mistake, and nothing is listed", async (_, call) => {
    const { revocations } = makeRevocable();
    await expect(call(revocations)).rejects.toMatchObject({ name: "UsageError" });
    expect((revocations as unknown as { size: number }).size).toBe(0);
  });
});

describe("what is configured", () => {
  const revocations = memoryRevocations();

  test("a server-side store ends its sessions itself", () => {
    expect(() => makeWorld("memory", { revocations })).toThrow(
      "revocations: belongs with a cookie store",
    );
  });

  test.each([{}, { sessionExpires: -1 }, { sessionExpires: 0, cookieExpires: HOUR }])(
    "%j leaves sessions without an end of the configuration's own: it must have one",
    (config) => {
      expect(() => makeWorld("cookie", { ...config, revocations })).toThrow("absoluteExpires: is");
      makeWorld("cookie", { ...config, revocations, absoluteExpires: DAY });
    },
  );

  test.each([{}, null, 5, "redis"])("%j is no list of the revoked", (wrong) => {
    expect(() => makeWorld("cookie", { revocations: wrong as never })).toThrow(
      "revocations: must be what memoryRevocations() gives",
    );
  });

  test("outside a configuration it must be said how long an entry is kept", async () => {
    const message = "keepFor: is needed";
    await expect(memoryRevocations().revoke("A".repeat(22))).rejects.toThrow(message);
    await memoryRevocations({ keepFor: DAY }).revoke("A".repeat(22));
  });

  test("a list that is full takes no more logouts of strangers, but all that matters", async () => {
    let full = 0;
    const clock = new Clock();
    const onFull = (): void => void full++;
    const list = memoryRevocations({ now: clock.now, maxEntries: 2, onFull });
    const world = makeWorld("cookie", { sessionExpires: DAY, revocations: list }, clock);
    const stranger = async (): Promise<Client> => {
      const client = world.newClient();
      await client.request((session) => session.set("a", "1"));
      const copy = copyOf(world, client);
      await client.request((session) => session.destroy());
      return copy;
    };
    for (let count = 0; count < 2; count++) expect(await (await stranger()).read()).toEqual({});
    expect(full).toBe(0);
    expect(await (await stranger()).read()).toEqual({ a: "1" });
    expect(full).toBe(1);
    const alice = await logIn(world, "alice");
    const thief = copyOf(world, alice);
    await alice.request((session) => session.destroy());
    expect(await thief.read()).toEqual({});
    expect(full).toBe(1);
  });
});
