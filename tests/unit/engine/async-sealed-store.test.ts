// A sealed store answers at once. One of an application's own that gives promises must not look as if no
// request ever brought a session.
import { expect, test } from "vitest";
import type { SealedSessionStore } from "../../../src/store/contract.ts";
import { Clock, makeStore, makeWorld } from "./client.ts";

const clock = new Clock();
const store = makeStore("cookie", clock) as SealedSessionStore;
const wrong = {
  code: "ERR_SESSION_STORE_ANSWER",
  message: expect.stringContaining("at once") as string,
};

test("an open that gives a promise is a wrong answer, not an empty session", async () => {
  const open = async (...given: Parameters<SealedSessionStore["open"]>): Promise<unknown> =>
    store.open(...given);
  const later = { sealed: true, open, write: store.write.bind(store) };
  const { engine } = makeWorld(later as unknown as SealedSessionStore, {}, clock);
  const session = await engine.open("session=anything");
  expect(() => session.get("a")).toThrow(expect.objectContaining(wrong) as Error);
});

test("a write that gives a promise, and a promise that rejects, are wrong answers, too", async () => {
  const write = async (): Promise<never> => {
    throw new Error("nobody hears of it");
  };
  const later = { sealed: true, open: store.open.bind(store), write };
  const { engine, told } = makeWorld(later as unknown as SealedSessionStore, {}, clock);
  const session = await engine.open(undefined);
  session.set("a", "1");
  await expect((async () => engine.commit(session))()).rejects.toMatchObject(wrong);
  expect(told.map(({ name }) => name)).toContain("storeError");
});
