// One call of a store: it is timed where someone observes it, it has one outcome, and its error is reported
// once, also when it fails after it was given up.
import { afterEach, describe, expect, test, vi } from "vitest";
import { LimitError, StoreError } from "../../../src/errors.ts";
import type { SessionObservers, StoreCallEvent } from "../../../src/events.ts";
import { callStore, type StoreCallOptions } from "../../../src/store/call.ts";
import { CallsInFlight, MAX_CALLS_IN_FLIGHT } from "../../../src/store/calls-in-flight.ts";

afterEach(() => void vi.restoreAllMocks());

function optionsWith(on: SessionObservers, storeTimeoutMs = 1000): StoreCallOptions {
  return { on, storeTimeoutMs, inFlight: new CallsInFlight() };
}

/** A promise that a test settles. */
function later<T>() {
  let settle: { resolve: (value: T) => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  if (settle === undefined) throw new Error("a promise calls its executor at once");
  return { promise, ...settle };
}

test("a call that fails after it was given up is one failure, not two", async () => {
  const errors: string[] = [];
  const calls: string[] = [];
  const options = optionsWith(
    {
      storeError: ({ error }) => void errors.push(error.code),
      storeCall: ({ outcome }) => void calls.push(outcome),
    },
    5,
  );
  const { promise, reject } = later<never>();
  await expect(callStore(options, "load", () => promise)).rejects.toMatchObject({
    code: "ERR_SESSION_STORE_TIMEOUT",
  });
  reject(new Error("the connection was closed"));
  await expect(promise).rejects.toThrow("closed");
  expect(errors).toEqual(["ERR_SESSION_STORE_TIMEOUT"]);
  expect(calls).toEqual(["ERR_SESSION_STORE_TIMEOUT"]);
});

describe("storeCall", () => {
  const ok = { outcome: "ok" };
  const unreplicated = new StoreError("ERR_SESSION_STORE_UNREPLICATED", "save", "no replica");
  const tooLarge = new LimitError("ERR_SESSION_LIMIT_COOKIE", "no", { actual: 2, limit: 1 });

  async function callWith(call: () => unknown, more: Partial<StoreCallOptions> = {}) {
    const told: StoreCallEvent[] = [];
    const options = { ...optionsWith({ storeCall: (event) => void told.push(event) }), ...more };
    try {
      await callStore(options, "save", call, "the-id");
    } catch {
      // Its error is another test's.
    }
    return told;
  }

  function fail(error: Error): never {
    throw error;
  }

  test.each<[string, () => unknown, { outcome: string }]>([
    ["an answer at once", () => 1, ok],
    ["a refusal", () => undefined, ok],
    ["a later answer", async () => 1, ok],
    ["an error", () => fail(new Error("no")), { outcome: "ERR_SESSION_STORE_FAILED" }],
    ["a later error", async () => fail(new Error("no")), { outcome: "ERR_SESSION_STORE_FAILED" }],
    [
      "a StoreError of the store's own",
      async () => fail(unreplicated),
      { outcome: unreplicated.code },
    ],
    ["what doesn't fit a cookie", () => fail(tooLarge), { outcome: tooLarge.code }],
  ])("tells the outcome of %s, once", async (_, call, outcome) => {
    const told = await callWith(call);
    expect(told).toEqual([
      { id: "the-id", operation: "save", ms: expect.any(Number) as number, ...outcome },
    ]);
  });

  test("tells the milliseconds that the call took, by the monotonic clock", async () => {
    vi.spyOn(performance, "now").mockReturnValueOnce(1000).mockReturnValueOnce(1007.5);
    const [event] = await callWith(async () => 1);
    expect(event?.ms).toBe(7.5);
  });

  test("says nothing of a call that isn't made", async () => {
    const inFlight = new CallsInFlight();
    for (let call = 0; call < MAX_CALLS_IN_FLIGHT; call++) inFlight.begin();
    expect(await callWith(async () => 1, { inFlight })).toEqual([]);
  });

  test("without an observer nothing is timed", async () => {
    const clock = vi.spyOn(performance, "now");
    const options = optionsWith({ storeError: () => undefined });
    void callStore(options, "load", () => 1);
    await callStore(options, "load", async () => 1);
    expect(clock).not.toHaveBeenCalled();
  });

  test("an observer that throws fails no call", async () => {
    const storeCall = (): never => fail(new Error("of the observer"));
    expect(callStore(optionsWith({ storeCall }), "load", () => 1)).toBe(1);
    expect(await callStore(optionsWith({ storeCall }), "load", async () => 2)).toBe(2);
  });
});
