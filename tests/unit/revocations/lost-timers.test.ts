// A follower on Workers, where the timers and continuations of a request end with it: nobody waits for
// ever for what another request began, and a logout is known although no timer polls.
import { describe, expect, test } from "vitest";
import { makeWorld, settle } from "./follower-world.ts";

const one = "A".repeat(22);
const late = { code: "ERR_SESSION_STORE_TIMEOUT" };

/** A first request whose poll was asked and never comes back: it was cancelled. */
async function cancelledPoll() {
  const world = makeWorld({ maxStaleness: 5 });
  const follower = world.follow();
  world.log.fault = "hang";
  const cancelled = follower.ready();
  await settle();
  world.time.loseTimers();
  world.log.fault = undefined;
  return { ...world, follower, cancelled };
}

describe("a poll whose request was cancelled", () => {
  test("is taken over when the log's time is over", async () => {
    const { log, time, follower } = await cancelledPoll();
    const waiting = Promise.all([follower.ready(), follower.ready()]);
    await time.advance(0.9);
    expect(log.cursors).toHaveLength(1);
    await time.advance(0.3);
    await waiting;
    expect(log.cursors).toHaveLength(2);
    expect(follower.verdict({ id: one })).toBeUndefined();
  });

  test("is not waited for when it is older than that", async () => {
    const { log, time, follower } = await cancelledPoll();
    time.pause(30);
    await follower.ready();
    expect(log.cursors).toHaveLength(2);
  });

  test("changes nothing if it ends after all", async () => {
    const { log, time, follow, follower, cancelled } = await cancelledPoll();
    time.pause(30);
    await follower.ready();
    await follow().revoke(one);
    await time.advance(1);
    for (const answer of log.hung) answer();
    await settle();
    await cancelled;
    expect(follower.verdict({ id: one })).toBe("revoked");
    log.cursors.length = 0;
    await time.advance(1);
    expect(log.cursors).toEqual(["1"]);
  });

  test("and a log that goes on hanging is an outage for each who waits, not a hang", async () => {
    const { log, time, follower } = await cancelledPoll();
    log.fault = "hang";
    const outage = (async () => follower.ready())().catch((error: unknown) => error);
    await time.advance(3);
    expect(await outage).toMatchObject({ code: "ERR_SESSION_STORE_FAILED", cause: late });
  });

  test("four of them don't silence the log for ever", async () => {
    const { log, time, follow } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    log.fault = "hang";
    for (let request = 0; request < 4; request++) {
      const failed = (async () => follower.ready())().catch((error: unknown) => error);
      await time.advance(2.5);
      expect(await failed).toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
      time.loseTimers();
    }
    log.fault = undefined;
    time.pause(10);
    await follower.ready();
    expect(follower.verdict({ id: one })).toBeUndefined();
  });
});

test("a log of many pages, each in time, is not read twice", async () => {
  const { log, time, follow } = makeWorld();
  const writer = follow();
  for (const letter of "abcd") await writer.revoke(letter.repeat(22));
  log.pageSize = 1;
  log.fault = "hang";
  const follower = follow();
  const ready = follower.ready();
  for (let page = 0; page < 4; page++) {
    await time.advance(0.9);
    log.hung.pop()?.();
    await settle();
  }
  await ready;
  expect(log.cursors).toEqual([undefined, "1", "2", "3"]);
  expect(follower.size).toBe(4);
});

describe("without timers", () => {
  test("a request catches up when the last poll ended two poll intervals ago", async () => {
    const { time, follow } = makeWorld({ pollInterval: 1, maxStaleness: 10 });
    const [here, there] = [follow(), follow()];
    await Promise.all([here.ready(), there.ready()]);
    await here.revoke(one);
    time.loseTimers();
    time.pause(2.001);
    await there.ready();
    expect(there.verdict({ id: one })).toBe("revoked");
  });

  test("a log that is slower than its poll interval makes nobody wait", async () => {
    const { log, time, follow } = makeWorld({ pollInterval: 0.2, maxStaleness: 10 });
    const follower = follow();
    await follower.ready();
    log.fault = "hang";
    // The next poll has been asked, and is on its way.
    await time.advance(0.9);
    expect(log.hung).toHaveLength(1);
    expect(follower.ready()).toBeUndefined();
  });

  test("the whole log is read again after a failure", async () => {
    const { log, time, follow, errors } = makeWorld({ maxStaleness: 5 });
    const follower = follow();
    await follower.ready();
    log.fault = "fail";
    await time.advance(1);
    expect(errors).toHaveLength(1);
    time.loseTimers();
    log.fault = undefined;
    log.cursors.length = 0;
    time.pause(33);
    await follower.ready();
    expect(log.cursors).toEqual([undefined]);
    // And only once.
    time.loseTimers();
    time.pause(33);
    await follower.ready();
    expect(log.cursors).toHaveLength(2);
    expect(log.cursors[1]).toBeDefined();
  });
});
