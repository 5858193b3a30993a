// The lanes of exact steps: one after the other, and nobody depends on a request that is gone.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lanes } from "../../../../src/engine/ticketed/lanes.ts";
import { StoreError } from "../../../../src/errors.ts";

const PATIENCE = 1000;
let lanes: Lanes<string>;
beforeEach(() => {
  vi.useFakeTimers();
  lanes = new Lanes(PATIENCE);
});
afterEach(() => {
  vi.useRealTimers();
});

/** A step that goes on until it is let go. */
function heldStep(): { step: () => Promise<void>; letGo: () => void } {
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { step: () => held, letGo };
}

const never = (): Promise<never> => new Promise(() => undefined);
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

test("the steps of one key come in their order, and those of another don't wait", async () => {
  const order: string[] = [];
  const first = heldStep();
  const running = [
    lanes.run("key", async () => {
      await first.step();
      order.push("first");
    }),
    ...["second", "third", "fourth"].map((name) =>
      lanes.run("key", async () => {
        await settle();
        order.push(name);
      }),
    ),
    lanes.run("other", async () => {
      order.push("other");
    }),
  ];
  await settle();
  expect(order).toEqual(["other"]);
  first.letGo();
  await vi.advanceTimersByTimeAsync(10);
  await Promise.all(running);
  expect(order).toEqual(["other", "first", "second", "third", "fourth"]);
});

test("what a step has left is handed on to each that waited, and to nobody after them", async () => {
  const first = heldStep();
  const hints: (string | undefined)[] = [];
  const step = (name: string) =>
    lanes.run("key", async (lane) => {
      hints.push(lane.hint);
      if (name === "a") await first.step();
      lane.hint = name;
    });
  const running = ["a", "b", "c"].map(step);
  first.letGo();
  await Promise.all(running);
  await step("d");
  expect(hints).toEqual([undefined, "a", "b", undefined]);
});

test("a lane without steps is gone", async () => {
  const first = heldStep();
  const running = [
    lanes.run("key", first.step),
    lanes.run("key", async () => "second"),
    lanes
      .run("failing", async () => {
        throw new Error("out of order");
      })
      .catch(() => undefined),
  ];
  expect(lanes.size).toBe(2);
  first.letGo();
  await Promise.all(running);
  expect(lanes.size).toBe(0);
});

test("a step that never ends is waited for as long as the store may take, and no longer", async () => {
  void lanes.run("key", never);
  const second = lanes.run("key", async () => "second");
  let isDone = false;
  void second.then(() => (isDone = true));
  await vi.advanceTimersByTimeAsync(PATIENCE - 1);
  expect(isDone).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await second).toBe("second");
  expect(lanes.size).toBe(0);
});

test("a waiter that is gone, with its timers, holds up nobody", async () => {
  const first = heldStep();
  const running = lanes.run("key", first.step);
  // A cancelled request on Workers: whatever it waits for, its code doesn't go on.
  const realPromise = globalThis.setTimeout;
  vi.stubGlobal("setTimeout", () => 0);
  void lanes.run("key", never);
  vi.stubGlobal("setTimeout", realPromise);
  const third = lanes.run("key", async () => "third");
  first.letGo();
  await running;
  await vi.advanceTimersByTimeAsync(PATIENCE);
  expect(await third).toBe("third");
  vi.unstubAllGlobals();
});

test("64 wait for a key; the next one is told so", async () => {
  const first = heldStep();
  const running = [lanes.run("key", first.step)];
  const outcomes = Array.from({ length: 65 }, () => lanes.run("key", async () => "done"));
  expect(await outcomes[64]).toBe("contended");
  first.letGo();
  expect(await Promise.all(outcomes.slice(0, 64))).toEqual(Array(64).fill("done"));
  await Promise.all(running);
  expect(lanes.size).toBe(0);
});

test("nobody waits longer than ten times as long as the store may take", async () => {
  // Each of these goes on a little shorter than it may.
  const slow = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, PATIENCE - 1);
    });
  const running = Array.from({ length: 12 }, () => lanes.run("key", slow));
  const last = lanes.run("key", async () => "last");
  await vi.advanceTimersByTimeAsync(10 * PATIENCE);
  expect(await last).toBe("contended");
  await vi.advanceTimersByTimeAsync(10 * PATIENCE);
  const outcomes = await Promise.all(running);
  expect(outcomes.filter((outcome) => outcome === "contended")).toHaveLength(1);
  expect(lanes.size).toBe(0);
});

test("once the store has failed, whoever waits goes at once", async () => {
  const began: number[] = [];
  const fails = (): Promise<never> =>
    new Promise((_, reject) => {
      began.push(performance.now());
      const error = new StoreError("ERR_SESSION_STORE_TIMEOUT", "save", "no answer");
      setTimeout(() => reject(error), PATIENCE / 2);
    });
  const start = performance.now();
  const running = Promise.allSettled(Array.from({ length: 4 }, () => lanes.run("key", fails)));
  await vi.advanceTimersByTimeAsync(PATIENCE);
  await running;
  expect(began.map((time) => time - start)).toEqual([0, 500, 500, 500]);
  expect(lanes.size).toBe(0);
});

test("lanes that nobody ever leaves are removed when others come", async () => {
  for (let lane = 0; lane < 100; lane++) void lanes.run(`gone ${lane}`, never);
  expect(lanes.size).toBe(100);
  await vi.advanceTimersByTimeAsync(12 * PATIENCE);
  for (let lane = 0; lane < 50; lane++) await lanes.run(`new ${lane}`, async () => undefined);
  expect(lanes.size).toBe(0);
});
