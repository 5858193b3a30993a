// The follower's other duties: the instant of a binding by the log's clock, how long an entry lives,
// and what is configured.
import {
  followRevocations,
  type FollowOptions,
  type Revocations,
  SessionMiddleware,
} from "kocha-session";
import { describe, expect, test } from "vitest";
import { Client, Clock, makeStore } from "../engine/client.ts";
import { makeWorld, settle } from "./follower-world.ts";

const one = "A".repeat(22);

describe("the instant of a binding", () => {
  test("is the log's, whatever this machine's clock says", async () => {
    const { log, time, follow } = makeWorld();
    log.ahead = -7_200_000;
    const follower = follow();
    await follower.ready();
    expect(follower.bindingTime("alice")).toBe(time.now() - 7_200_000);
    // The machine's clock jumps; the log's doesn't.
    const before = follower.bindingTime("alice");
    time.setBack(86_400);
    log.ahead += 86_400_000;
    expect(follower.bindingTime("alice")).toBe(before);
    await time.advance(0.5);
    expect(follower.bindingTime("alice")).toBe(before + 500);
  });

  test("is never after the log's own, so that no revocation misses it", async () => {
    const { log, time, follow } = makeWorld();
    const follower = follow();
    log.fault = "hang";
    const ready = follower.ready();
    await settle();
    log.fault = undefined;
    // The answer took its time on the way, which nobody can know.
    time.pause(0.8);
    for (const answer of log.hung) answer();
    await ready;
    expect(follower.bindingTime("alice")).toBeLessThanOrEqual(log.now);
  });

  test("comes after every revocation of the subject that is known", async () => {
    const { time, follow } = makeWorld();
    const [here, there] = [follow(), follow()];
    await Promise.all([here.ready(), there.ready()]);
    await here.revokeSubject("alice");
    const bound = { id: one, subject: "alice", boundAt: here.bindingTime("alice") };
    expect(bound.boundAt).toBe(time.now() + 300_001);
    expect(here.verdict(bound)).toBeUndefined();
    await time.advance(1);
    expect(there.verdict(bound)).toBeUndefined();
    expect(there.bindingTime("bob")).toBe(time.now());
  });

  test("never goes back when a session is bound anew where the revocation isn't known", async () => {
    const { time, follow } = makeWorld();
    const [here, there] = [follow(), follow()];
    const store = makeStore("cookie", new Clock());
    const engineOf = (revocations: Revocations): SessionMiddleware =>
      new SessionMiddleware({ store, revocations, sessionExpires: 3600, now: time.now });
    const clients = [here, there].map((list) => new Client(engineOf(list), new Clock()));
    const [atHere, atThere] = clients as [Client, Client];
    await atThere.request((session) => session.set("warm", "1"));
    await Promise.all([here.ready(), there.ready()]);
    await here.revokeSubject("alice");
    await atHere.request((session) => session.bind("alice"));
    atThere.jar.take(atHere.jar.cookies.map(({ name, value }) => `${name}=${value}`));
    await atThere.request((session) => {
      session.bind("alice");
      session.set("a", "1");
    });
    await time.advance(1);
    expect(await atThere.read()).toEqual({ a: "1" });
  });
});

describe("what is configured", () => {
  const log = makeWorld().log;
  const hour = 3_600_000;
  const slack = 600_000;

  test.each([
    ["fail", 20, Infinity, hour + 20_000 + slack],
    ["fail", 20, 2 * hour, hour + 20_000 + slack],
    ["fail", 20, hour / 2, hour / 2 + slack],
    // A node that goes on with an old list renews what the others know to be dead.
    ["continue", 20, 9 * hour, 9 * hour + slack],
  ] as const)(
    "with %s, %d s and an absolute end of %d ms an entry lives for %d ms",
    async (onStale, maxStaleness, absolute, life) => {
      const { log: own, follow } = makeWorld({ onStale, maxStaleness });
      const follower = follow({}, { idle: hour, absolute, timeout: 1000 });
      await follower.revoke(one);
      const { records } = await own.read(undefined);
      expect(records.map(({ at, until }) => until - at)).toEqual([life]);
    },
  );

  test("what goes on with an old list needs sessions that end", () => {
    const { follow } = makeWorld({ onStale: "continue" });
    const limits = { idle: hour, absolute: Infinity, timeout: 1000 };
    expect(() => follow({}, limits)).toThrow("absoluteExpires: is needed");
  });

  test.each<[FollowOptions, string]>([
    [{ pollInterval: 0 }, "pollInterval: must be a number of seconds over 0, not 0"],
    [{ pollInterval: 86_401 }, "pollInterval: must be at most 86400 seconds"],
    [{ maxStaleness: -1 }, "maxStaleness: must be a number of seconds over 0, not -1"],
    [{ pollInterval: 10 }, "maxStaleness: must be longer than pollInterval"],
    [{ keepFor: "1" as unknown as number }, "keepFor: must be a number of seconds over 0"],
    [{ maxEntries: 0 }, "maxEntries: must be a whole number from 1"],
    [{ onStale: "panic" as "fail" }, 'onStale: must be "fail" or "continue"'],
    [{ reloadInterval: 60 } as FollowOptions, "reloadInterval: is not an option"],
  ])("%j is refused", (options, message) => {
    expect(() => followRevocations(log, options)).toThrow(message);
  });
});
