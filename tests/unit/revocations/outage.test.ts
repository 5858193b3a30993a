// The engine while nobody can say who is revoked: law L9. An outage is an error or a read-only
// session, never a logout, and never a session that may be dead.
import type { SessionConfig } from "kocha-session";
import { describe, expect, test } from "vitest";
import type { FollowOptions } from "../../../src/revocations/follower.ts";
import { type Client, Clock, makeWorld as makeEngine } from "../engine/client.ts";
import { makeWorld as makeFollower, settle } from "./follower-world.ts";

const DAY = 86_400;
const unavailable = { name: "StoreError", status: 503 };

function makeWorld(config: Partial<SessionConfig> = {}, options: FollowOptions = {}) {
  const { time, log, follow } = makeFollower({ maxStaleness: 5, ...options });
  const revocations = follow();
  const common = { sessionExpires: DAY, absoluteExpires: 9 * DAY, now: time.now, storeTimeout: 1 };
  const world = makeEngine("cookie", { ...common, revocations, ...config }, new Clock());
  const other = makeEngine(world.store, { ...common, revocations: follow() });
  /** The same browser at another node. */
  const elsewhere = (client: Client): Client => {
    const copy = other.newClient();
    copy.jar.take(client.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    return copy;
  };
  const newVisitor = async (): Promise<Client> => {
    const client = world.newClient();
    await client.request((session) => session.set("a", "1"));
    return client;
  };
  const goStale = async (): Promise<void> => {
    log.fault = "fail";
    await time.advance(6);
    world.told.length = 0;
  };
  return { ...world, time, log, revocations, elsewhere, newVisitor, goStale };
}

describe("while the log can't be read", () => {
  test("a request with a cookie is an error that observers hear of, and the cookie stays", async () => {
    const { log, time, told, newVisitor, goStale } = makeWorld();
    const client = await newVisitor();
    await client.read();
    await goStale();
    await expect(client.read()).rejects.toMatchObject(unavailable);
    const error = expect.objectContaining(unavailable);
    expect(told).toEqual([{ name: "storeError", event: { operation: "load", error } }]);
    log.fault = undefined;
    await time.advance(1);
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("who has no cookie notices nothing, and may begin a session", async () => {
    const { log, newClient, goStale } = makeWorld();
    await goStale();
    const asked = log.cursors.length;
    const client = newClient();
    const effects = await client.request((session) => session.set("a", "1"));
    expect(effects.setCookie).toHaveLength(1);
    expect(log.cursors).toHaveLength(asked);
  });

  test("binding a new session to its subject needs the list", async () => {
    const { newClient, goStale } = makeWorld();
    await goStale();
    const login = newClient().request((session) => session.bind("alice"));
    await expect(login).rejects.toMatchObject(unavailable);
  });

  test('with "anonymous" it reads as empty, and only ending it is tried', async () => {
    const { engine, log, time, told, newVisitor, goStale } = makeWorld({
      onStoreError: "anonymous",
    });
    const client = await newVisitor();
    await client.read();
    await goStale();
    const session = await engine.open(client.jar.header);
    expect([session.get("a"), session.unavailable, session.readOnly]).toEqual(["", true, true]);
    session.set("b", "2");
    await expect(session.regenerate()).rejects.toMatchObject(unavailable);
    expect((await engine.commit(session)).setCookie).toEqual([]);
    expect(told.at(-1)).toMatchObject({ name: "refused", event: { reason: "unavailable" } });
    const logout = await engine.open(client.jar.header);
    await expect(logout.destroy()).rejects.toMatchObject({ ...unavailable, operation: "revoke" });
    expect((await engine.commit(logout)).setCookie).toEqual([]);
    // The log takes entries again before it was read.
    log.fault = undefined;
    const again = await engine.open(client.jar.header);
    expect(again.unavailable).toBe(true);
    await again.destroy();
    expect((await engine.commit(again)).setCookie).toHaveLength(1);
    await time.advance(1);
    expect(await client.read()).toEqual({});
  });

  test('with "anonymous" an upgrade reads as empty too', async () => {
    const { engine, newVisitor, goStale } = makeWorld({ onStoreError: "anonymous" });
    const client = await newVisitor();
    await client.read();
    const before = await engine.openReadOnly(client.jar.header);
    await goStale();
    const session = await engine.openReadOnly(client.jar.header);
    for (const upgrade of [before, session]) {
      expect(upgrade.get("a")).toBe("");
      expect(() => upgrade.set("a", "2")).toThrow("read-only");
    }
  });

  test("a request that couldn't be told stays as it was begun", async () => {
    const { engine, log, time, newVisitor, goStale } = makeWorld({ onStoreError: "anonymous" });
    const client = await newVisitor();
    await client.read();
    await goStale();
    const session = await engine.open(client.jar.header);
    log.fault = undefined;
    await time.advance(1);
    expect([session.get("a"), session.unavailable]).toEqual(["", true]);
  });

  test('with onStale "continue" sessions live on, and die as soon as it is back', async () => {
    const { log, time, elsewhere, newVisitor, goStale } = makeWorld({}, { onStale: "continue" });
    const client = await newVisitor();
    expect(await client.read()).toEqual({ a: "1" });
    const copy = elsewhere(client);
    await goStale();
    expect(await client.read()).toEqual({ a: "1" });
    log.fault = undefined;
    await copy.request((session) => session.destroy());
    await time.advance(1);
    expect(await client.read()).toEqual({});
  });
});

describe("a request during which the list got too old", () => {
  test("fails at its first look, and at each after it", async () => {
    const { engine, time, newVisitor } = makeWorld();
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    time.pause(60);
    for (let look = 0; look < 3; look++) {
      expect(() => session.get("a")).toThrow(expect.objectContaining(unavailable));
    }
    expect(() => session.set("a", "2")).toThrow(expect.objectContaining(unavailable));
    expect((await engine.commit(session)).setCookie).toEqual([]);
  });

  test('reads as empty with "anonymous"', async () => {
    const { engine, time, newVisitor } = makeWorld({ onStoreError: "anonymous" });
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    time.pause(60);
    expect([session.get("a"), session.unavailable]).toEqual(["", true]);
    session.set("a", "2");
    expect((await engine.commit(session)).setCookie).toEqual([]);
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("asks again before it writes: who ended meanwhile gets nothing", async () => {
    const { engine, told, time, elsewhere, newVisitor } = makeWorld();
    const client = await newVisitor();
    const copy = elsewhere(client);
    const slow = await engine.open(client.jar.header);
    slow.set("a", "late");
    await copy.request((session) => session.destroy());
    // Paused between its look and its write, for longer than the list may be trusted.
    time.pause(60);
    told.length = 0;
    expect((await engine.commit(slow)).setCookie).toEqual([]);
    expect(told).toMatchObject([{ name: "refused", event: { reason: "stale" } }]);
  });

  test("fails when it can't ask, unless there is nothing to write", async () => {
    const { engine, time, log, newVisitor } = makeWorld();
    const client = await newVisitor();
    const [writer, reader] = [
      await engine.open(client.jar.header),
      await engine.open(client.jar.header),
    ];
    writer.set("a", "2");
    expect(reader.get("a")).toBe("1");
    log.fault = "fail";
    await time.advance(6);
    await expect(Promise.resolve(engine.commit(writer))).rejects.toMatchObject(unavailable);
    expect((await engine.commit(reader)).setCookie).toEqual([]);
  });
});

describe("while the log takes no entry", () => {
  test("a logout is an error, and the browser keeps its cookie", async () => {
    const { engine, log, told, newVisitor } = makeWorld();
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    expect(session.get("a")).toBe("1");
    log.fault = "fail";
    told.length = 0;
    const failed = { ...unavailable, operation: "revoke" };
    await expect(session.destroy()).rejects.toMatchObject(failed);
    expect(told).toMatchObject([{ name: "storeError", event: { operation: "revoke" } }]);
    expect((await engine.commit(session)).setCookie).toEqual([]);
    log.fault = undefined;
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("a regenerate is an error, nothing more is saved, and the old credential lives", async () => {
    const { engine, log, told, newVisitor } = makeWorld();
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    session.set("a", "2");
    log.fault = "fail";
    await expect(session.regenerate()).rejects.toMatchObject({ operation: "revoke" });
    log.fault = undefined;
    session.set("name", "alice");
    await expect(session.regenerate()).rejects.toMatchObject({ operation: "revoke" });
    expect((await engine.commit(session)).setCookie).toEqual([]);
    expect(told.at(-1)).toMatchObject({ name: "refused", event: { reason: "unavailable" } });
    expect(await client.read()).toEqual({ a: "1" });
  });

  test("what was saved before that still goes out", async () => {
    const { engine, log, newVisitor } = makeWorld();
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    session.set("a", "2");
    await session.commit();
    log.fault = "fail";
    await expect(session.regenerate()).rejects.toMatchObject({ operation: "revoke" });
    log.fault = undefined;
    client.jar.take((await engine.commit(session)).setCookie);
    expect(await client.read()).toEqual({ a: "2" });
  });

  test("an entry that came through after all is a session in its grace", async () => {
    const { engine, log, time, newVisitor } = makeWorld();
    const client = await newVisitor();
    const session = await engine.open(client.jar.header);
    log.fault = "hang";
    const outcome = session.regenerate().catch((error: unknown) => error);
    await settle();
    log.fault = undefined;
    await time.advance(1);
    expect(await outcome).toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    expect((await engine.commit(session)).setCookie).toEqual([]);
    // Late, but it lands.
    for (const answer of log.hung) answer();
    await settle();
    await time.advance(1);
    const after = await engine.open(client.jar.header);
    expect([after.get("a"), after.readOnly]).toEqual(["", true]);
    await after.regenerate();
    after.set("name", "alice");
    client.jar.take((await engine.commit(after)).setCookie);
    expect(await client.read()).toEqual({ name: "alice" });
  });
});
