// One call of a store: its errors are reported once, also when it fails after it was given up.
import { expect, test } from "vitest";
import type { SessionObservers } from "../../../src/events.ts";
import { callStore } from "../../../src/store/call.ts";
import { CallsInFlight } from "../../../src/store/calls-in-flight.ts";

function options(on: SessionObservers, storeTimeoutMs = 1000) {
  return { on, storeTimeoutMs, inFlight: new CallsInFlight() };
}

test("a call that fails after it was given up is one failure, not two", async () => {
  const errors: string[] = [];
  const on = options({ storeError: ({ error }) => void errors.push(error.code) }, 5);
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => (fail = reject));
  await expect(callStore(on, "load", () => promise)).rejects.toMatchObject({
    code: "ERR_SESSION_STORE_TIMEOUT",
  });
  fail(new Error("the connection was closed"));
  await expect(promise).rejects.toThrow("closed");
  expect(errors).toEqual(["ERR_SESSION_STORE_TIMEOUT"]);
});
