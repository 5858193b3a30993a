// Revocations by subject, and what is configured of them, through the engine on the cookie store.
import { memoryRevocations, type Revocations } from "kocha-session";
import { describe, expect, test } from "vitest";
import { type Client, Clock, makeWorld } from "../engine/client.ts";
import { copyOf, DAY, HOUR, logIn, makeRevocable } from "./revocable-world.ts";

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

describe("past the configured idle timeout", () => {
  test("no session of the subject lives, whatever timeout of its own it had", async () => {
    const world = makeRevocable({ sessionExpires: DAY });
    const clients: Client[] = [];
    for (const own of [undefined, 1, HOUR, DAY, 0]) {
      const client = await logIn(world, "alice");
      await client.request((session) => {
        if (own !== undefined) session.sessionExpires = own;
        // None of them can outlive what the list counts on.
        for (const longer of [DAY + 1, -1, 400 * DAY]) {
          expect(() => (session.sessionExpires = longer)).toThrow("raise sessionExpires");
        }
      });
      clients.push(copyOf(world, client));
    }
    await world.revocations.revokeSubject("alice");
    // Hour by hour, over the moment when the entry is forgotten, and looking renews what can be.
    for (let hours = 0; hours < 50; hours++) {
      for (const client of clients) {
        await client.request((session) => expect(session.toObject()).toEqual({}));
      }
      world.clock.advance(HOUR);
    }
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
