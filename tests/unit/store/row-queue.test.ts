// The queue of a key's steps: one after the other, and none of them lost to another that never ends.
import { afterEach, describe, expect, test } from "vitest";
import { RowQueue } from "../../../src/store/row-queue.ts";

const PATIENCE = 30;
const globals = { setTimeout: globalThis.setTimeout, Promise: globalThis.Promise };
afterEach(() => void Object.assign(globalThis, globals));

/** A promise and the function that settles it. */
function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

const never = (): Promise<never> => new Promise(() => undefined);

function newQueue(): RowQueue<string> {
  const queue = new RowQueue<string>();
  queue.allow(PATIENCE);
  return queue;
}

/**
 * A step of a request that workerd has cancelled while it waited: none of its timers fire, and
 * nothing that it awaits goes on.
 */
function runCancelled(queue: RowQueue<string>): void {
  class Stuck<T> extends globals.Promise<T> {
    constructor(executor: (resolve: () => void, reject: () => void) => void) {
      super(() => undefined);
      executor(
        () => undefined,
        () => undefined,
      );
    }
  }
  Object.assign(globalThis, { setTimeout: () => 0, Promise: Stuck });
  void queue.run("key", async () => expect.unreachable("it was cancelled"));
  Object.assign(globalThis, globals);
}

test("steps of a key run one after the other, whatever becomes of them; other keys don't wait", async () => {
  const queue = newQueue();
  queue.allow(60_000);
  const done: string[] = [];
  const first = gate();
  const failing = queue.run("a", async () => {
    await first.promise;
    done.push("first");
    throw new Error("no");
  });
  const rest = [1, 2, 3].map((step) => queue.run("a", async () => done.push(`a${step}`)));
  await queue.run("b", async () => done.push("b"));
  first.open();
  await expect(failing).rejects.toThrow("no");
  await Promise.all(rest);
  expect(done).toEqual(["b", "first", "a1", "a2", "a3"]);
});

describe("a step that never ends", () => {
  test("is overtaken by those that wait, and by those that come later", async () => {
    const queue = newQueue();
    void queue.run("key", never);
    expect(await Promise.all([1, 2].map((n) => queue.run("key", async () => n)))).toEqual([1, 2]);
    expect(await queue.run("key", async () => 3)).toBe(3);
  });

  test("keeps nobody for longer than one engine waits: each one after the other is overtaken", async () => {
    const queue = newQueue();
    for (let step = 0; step < 3; step++) void queue.run("key", never);
    expect(await queue.run("key", async () => "after three")).toBe("after three");
  });

  test("learns that it was overtaken, and what a later step has left", async () => {
    const queue = newQueue();
    const slow = gate();
    const seen = queue.run("key", async (turn) => {
      expect(turn.isOvertaken).toBe(false);
      await slow.promise;
      return [turn.isOvertaken, turn.newer];
    });
    for (const value of ["newer", "newest"]) {
      await queue.run("key", async (turn) => turn.leave(value));
    }
    slow.open();
    expect(await seen).toEqual([true, { value: "newest" }]);
    // Nobody is late any more.
    const fresh = await queue.run("key", async (turn) => [turn.isOvertaken, turn.newer]);
    expect(fresh).toEqual([false, undefined]);
  });
});

describe("requests that a worker's runtime has cancelled while they waited", () => {
  test("hold up nobody when the turn ends", async () => {
    const queue = newQueue();
    const first = gate();
    const holder = queue.run("key", () => first.promise);
    runCancelled(queue);
    runCancelled(queue);
    const waiting = queue.run("key", async () => "my turn");
    first.open();
    await holder;
    expect(await waiting).toBe("my turn");
    expect(await queue.run("key", async () => "next")).toBe("next");
  });

  test("hold up nobody when it never ends", async () => {
    const queue = newQueue();
    void queue.run("key", never);
    runCancelled(queue);
    expect(await queue.run("key", async () => "my turn")).toBe("my turn");
  });
});

test("the longest of what engines wait holds", async () => {
  const queue = new RowQueue();
  queue.allow(PATIENCE);
  queue.allow(60_000);
  queue.allow(PATIENCE);
  const slow = gate();
  const first = queue.run("key", () => slow.promise);
  const waits: number[] = [];
  const setTimeout = (run: () => void, ms: number): unknown => {
    waits.push(ms);
    return globals.setTimeout(run, ms);
  };
  Object.assign(globalThis, { setTimeout });
  const other = queue.run("key", async () => undefined);
  Object.assign(globalThis, globals);
  expect(waits).toEqual([expect.any(Number)]);
  expect(waits[0]).toBeGreaterThan(PATIENCE);
  slow.open();
  await Promise.all([first, other]);
});
