// The follower of a log, by a clock and a log in the test's hands: when it answers, when it refuses
// to, and when it asks the log.
import type { FollowOptions } from "kocha-session";
import { describe, expect, test } from "vitest";
import { makeWorld, settle } from "./follower-world.ts";

const one = "A".repeat(22);
const other = "B".repeat(22);
const stale = { code: "ERR_SESSION_STORE_FAILED", operation: "load", status: 503 };
const late = { code: "ERR_SESSION_STORE_TIMEOUT" };

describe("before the first load", () => {
  test("nothing is answered, and who waits for it gets the whole list", async () => {
    const { log, follow } = makeWorld();
    log.pageSize = 2;
    const writer = follow();
    for (const letter of "abcde") await writer.revoke(letter.repeat(22));
    const follower = follow();
    expect(() => follower.verdict({ id: one })).toThrow(expect.objectContaining(stale));
    expect(() => follower.bindingTime("alice")).toThrow(expect.objectContaining(stale));
    await follower.ready();
    expect(follower.size).toBe(5);
    expect(follower.verdict({ id: "e".repeat(22) })).toBe("revoked");
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test.each(["fail", "continue"] as const)("with %s, a log that is down fails", async (onStale) => {
    const { log, time, follow, errors } = makeWorld({ onStale });
    log.fault = "fail";
    const follower = follow();
    const cause = expect.objectContaining({ message: "the log is down" });
    await expect(follower.ready()).rejects.toMatchObject({ ...stale, cause });
    expect(() => follower.verdict({ id: one })).toThrow(expect.objectContaining(stale));
    expect(errors).toHaveLength(1);
    // The next poll finds it, without anyone's asking.
    log.fault = undefined;
    await time.advance(1);
    expect(follower.ready()).toBeUndefined();
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test("revoking needs no list", async () => {
    const { follow } = makeWorld();
    const follower = follow();
    await follower.revoke(one);
    expect(follower.size).toBe(1);
  });
});

describe("while the log answers", () => {
  test("a revocation is known here at once, and elsewhere after a poll interval", async () => {
    const { time, follow } = makeWorld({ pollInterval: 2 });
    const [here, there] = [follow(), follow()];
    await Promise.all([here.ready(), there.ready()]);
    await here.revoke(one);
    await here.revokeSubject("alice");
    const bound = { id: other, subject: "alice", boundAt: time.now() };
    expect([here.verdict({ id: one }), here.verdict(bound)]).toEqual(["revoked", "revoked"]);
    expect([there.verdict({ id: one }), there.verdict(bound)]).toEqual([undefined, undefined]);
    await time.advance(2);
    expect([there.verdict({ id: one }), there.verdict(bound)]).toEqual(["revoked", "revoked"]);
  });

  test("no request waits, and none asks the log", async () => {
    const { log, time, follow } = makeWorld();
    const follower = follow();
    await follower.ready();
    await time.advance(100);
    const asked = log.cursors.length;
    expect(asked).toBe(101);
    for (let request = 0; request < 1000; request++) {
      expect(follower.ready()).toBeUndefined();
      follower.verdict({ id: one });
    }
    expect(log.cursors).toHaveLength(asked);
  });

  test("requests at once share the one read that they wait for", async () => {
    const { log, follow } = makeWorld();
    const follower = follow();
    await Promise.all(Array.from({ length: 50 }, async () => follower.ready()));
    expect(log.cursors).toEqual([undefined]);
  });

  test("each poll goes on where the last one ended", async () => {
    const { log, time, follow } = makeWorld();
    log.pageSize = 2;
    const follower = follow();
    await follower.ready();
    for (const letter of "abc") await follower.revoke(letter.repeat(22));
    await time.advance(2);
    expect(log.cursors).toEqual([undefined, "0", "2", "3"]);
  });

  test("what expired is dropped in time, so that the list stays small", async () => {
    const { time, follow } = makeWorld();
    const follower = follow();
    await follower.ready();
    await follower.revoke(one);
    await time.advance(3600);
    expect(follower.size).toBe(1);
    // An idle timeout of an hour, the staleness, and ten minutes for the clocks.
    await time.advance(612);
    expect(follower.size).toBe(0);
  });
});

describe("while the log can't be read", () => {
  test("the list serves for maxStaleness, then every answer is an error until it is back", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    log.fault = "fail";
    await time.advance(5);
    await follower.ready();
    expect(follower.verdict({ id: one })).toBeUndefined();
    await time.advance(0.001);
    expect(() => follower.verdict({ id: one })).toThrow(expect.objectContaining(stale));
    expect(() => follower.bindingTime("alice")).toThrow(expect.objectContaining(stale));
    await expect(follower.ready()).rejects.toMatchObject(stale);
    log.fault = undefined;
    await time.advance(1);
    expect(follower.ready()).toBeUndefined();
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test("requests don't ask a log that has just been asked in vain", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    log.fault = "fail";
    await time.advance(6);
    const asked = log.cursors.length;
    for (let request = 0; request < 100; request++) {
      await expect(follower.ready()).rejects.toMatchObject(stale);
    }
    expect(log.cursors).toHaveLength(asked);
  });

  test('with "continue" the old list goes on, and nobody waits for the log', async () => {
    const { log, time, follow } = makeWorld({ onStale: "continue", maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    await follower.revoke(one);
    log.fault = "hang";
    await time.advance(60);
    const asked = log.cursors.length;
    await follower.ready();
    expect(log.cursors).toHaveLength(asked);
    expect(follower.verdict({ id: one })).toBe("revoked");
    expect(follower.verdict({ id: other })).toBeUndefined();
  });

  test("an observer that throws fails nothing", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const onError = (): never => {
      throw new Error("the observer's own");
    };
    const follower = follow({ onError });
    await follower.ready();
    log.fault = "fail";
    await time.advance(2);
    log.fault = undefined;
    await time.advance(9);
    expect(follower.ready()).toBeUndefined();
  });

  test("a log that never answers is given up in time, and not asked without end", async () => {
    const { log, time, follow, errors } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    log.fault = "hang";
    await time.advance(100);
    // Four, and then one in ten seconds; the whole may be read beside one of them.
    expect(log.hung.length).toBeGreaterThan(4);
    expect(log.hung.length).toBeLessThan(15);
    expect(errors.length).toBeGreaterThan(4);
    expect(errors.every((error) => (error as { code: string }).code === late.code)).toBe(true);
    log.fault = undefined;
    for (const answer of log.hung) answer();
    await settle();
    await time.advance(1);
    expect(follower.ready()).toBeUndefined();
  });

  test("an entry that the log doesn't take is an error, and ends nothing here either", async () => {
    const { log, time, follow } = makeWorld();
    const follower = follow();
    await follower.ready();
    log.fault = "fail";
    const cause = expect.objectContaining({ message: "the log is down" });
    const failed = { code: "ERR_SESSION_STORE_FAILED", operation: "revoke", cause };
    await expect(follower.revoke(one)).rejects.toMatchObject(failed);
    log.fault = "hang";
    const hanging = follower.revokeSubject("alice").catch((error: unknown) => error);
    await time.advance(1);
    expect(await hanging).toMatchObject({ ...late, operation: "revoke" });
    expect(follower.verdict({ id: one })).toBeUndefined();
    expect(follower.size).toBe(0);
  });
});

describe("a process that stood still", () => {
  test("asks early enough that what a request asks later is answered too", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    time.pause(2);
    expect(follower.ready()).toBeUndefined();
    time.pause(0.001);
    await follower.ready();
    expect(log.cursors).toHaveLength(2);
    time.pause(4.9);
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test("asks the log before it answers", async () => {
    const { time, follow } = makeWorld({ maxStaleness: 5 });
    const [paused, writer] = [follow(), follow()];
    await paused.ready();
    await writer.revoke(one);
    time.pause(60);
    expect(() => paused.verdict({ id: one })).toThrow(expect.objectContaining(stale));
    await paused.ready();
    expect(paused.verdict({ id: one })).toBe("revoked");
  });

  test("doesn't trust a poll that began before it", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const [paused, writer] = [follow(), follow()];
    await paused.ready();
    log.fault = "hang";
    // The poll has been asked and not answered when the process stops.
    await time.advance(1);
    log.fault = undefined;
    time.pause(60);
    await writer.revoke(one);
    const ready = paused.ready();
    for (const answer of log.hung) answer();
    await ready;
    expect(paused.verdict({ id: one })).toBe("revoked");
    expect(log.cursors).toHaveLength(3);
  });

  test("knows by the time of day when its machine slept", async () => {
    const { time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    time.sleep(60);
    expect(() => follower.verdict({ id: one })).toThrow(expect.objectContaining(stale));
    await follower.ready();
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test("is not deceived by a clock that was set back", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    log.fault = "fail";
    time.setBack(3600);
    await time.advance(6);
    expect(() => follower.verdict({ id: one })).toThrow(expect.objectContaining(stale));
  });
});

/** About so long after the last time it is read whole, in seconds. */
const HOUR = 3600;

describe("the whole log", () => {
  const missed = async (options: FollowOptions = {}) => {
    const world = makeWorld(options);
    const [reader, writer] = [world.follow(), world.follow()];
    await reader.ready();
    world.log.late = true;
    await writer.revoke(one);
    world.log.late = false;
    await writer.revoke(other);
    await world.time.advance(5);
    world.log.reveal();
    await world.time.advance(5);
    // A log whose cursor passed over it; ours don't, and this is what is left if one did.
    expect(reader.verdict({ id: one })).toBeUndefined();
    expect(reader.verdict({ id: other })).toBe("revoked");
    return { ...world, reader };
  };

  test("is read again now and then, and what was missed is found", async () => {
    const { time, reader } = await missed();
    await time.advance(1.1 * HOUR);
    expect(reader.verdict({ id: one })).toBe("revoked");
  });

  test("is read again soon after it was away", async () => {
    const { log, time, reader } = await missed();
    log.fault = "fail";
    await time.advance(2);
    log.fault = undefined;
    await time.advance(31);
    expect(reader.verdict({ id: one })).toBe("revoked");
  });

  test("may have lost what this process still knows", async () => {
    const { log, time, reader } = await missed();
    log.forget();
    await time.advance(1.1 * HOUR);
    expect(reader.verdict({ id: other })).toBe("revoked");
  });

  test("is swept when it was read, as often as there is something to remove", async () => {
    const { log, time, follow } = makeWorld();
    await follow().ready();
    log.swept = [1000, 1000, 3];
    await time.advance(HOUR);
    expect(log.sweeps).toEqual([1000, 1000, 1000]);
  });

  test("is read beside the polls, which go on", async () => {
    const { log, time, follow } = makeWorld();
    log.pageSize = 1;
    const follower = follow();
    await follower.ready();
    for (const letter of "abcdef") await follower.revoke(letter.repeat(22));
    await time.advance(HOUR - 1);
    log.cursors.length = 0;
    await time.advance(3);
    expect(log.cursors).toContain(undefined);
    // The polls never lost their place: none began anew.
    expect(log.cursors.filter((cursor) => cursor === "6").length).toBeGreaterThanOrEqual(3);
  });
});

describe("the end", () => {
  test("close stops every timer", async () => {
    const { log, time, follow } = makeWorld();
    const follower = follow();
    await follower.ready();
    expect(time.waiting).toBe(2);
    follower.close();
    expect(time.waiting).toBe(0);
    await time.advance(100);
    expect(log.cursors).toHaveLength(1);
    // Who asks it still gets no old answer.
    await follower.ready();
    expect(log.cursors).toHaveLength(2);
    expect(time.waiting).toBe(0);
  });
});
