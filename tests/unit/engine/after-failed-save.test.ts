// A save in the middle of a request that failed, and whose error the handler caught: what the handler changes
// afterwards can't be saved any more, which is an error and no silence.
import { SessionMemoryStore, SessionMiddleware, type SessionStore } from "kocha-session";
import { describe, expect, test } from "vitest";
import { freshKey } from "../../support/keys.ts";

/** A store whose saves can be made to fail, each after 5 ms. */
class Failing implements SessionStore {
  readonly #store = new SessionMemoryStore();
  readonly capabilities = this.#store.capabilities;
  isDown = false;

  async load(selector: string) {
    return this.#store.load(selector);
  }

  async save(...[selector, change]: Parameters<SessionStore["save"]>) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.isDown) throw new Error("the store is down");
    return this.#store.save(selector, change);
  }
}

async function opened(isStored: boolean) {
  const store = new Failing();
  const engine = new SessionMiddleware({ store, signingKey: freshKey() });
  let cookie: string | undefined;
  if (isStored) {
    const first = await engine.open(undefined);
    first.set("before", "1");
    const { setCookie } = await engine.commit(first);
    cookie = setCookie[0]?.split(";", 1)[0];
  }
  return { engine, store, session: await engine.open(cookie) };
}

async function failedSave(isStored: boolean) {
  const { engine, store, session } = await opened(isStored);
  session.set("a", "1");
  store.isDown = true;
  await expect(session.commit()).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
  store.isDown = false;
  return { engine, session };
}

describe.each([
  ["a new session", false],
  ["a stored session", true],
])("after a save of %s has failed", (_, isStored) => {
  test.each<[string, (session: Awaited<ReturnType<typeof failedSave>>["session"]) => void]>([
    ["set", (session) => session.set("b", "1")],
    ["del", (session) => session.del("before")],
    ["clear", (session) => session.clear()],
    ["bind", (session) => session.bind("user")],
    ["flash.set", (session) => session.flash.set("notice", "hello")],
  ])("%s is the store's error", async (_name, change) => {
    const { engine, session } = await failedSave(isStored);
    expect(() => change(session)).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_STORE_FAILED" }),
    );
    // What can't be saved was told; the response leaves without a cookie.
    expect((await engine.commit(session)).setCookie).toEqual([]);
  });

  test("a further commit of what was changed meanwhile is the store's error", async () => {
    const { engine, store, session } = await opened(isStored);
    session.set("a", "1");
    store.isDown = true;
    const first = session.commit().catch((error: unknown) => error);
    session.set("b", "1");
    const second = session.commit().catch((error: unknown) => error);
    expect(await first).toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
    expect(await second).toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
    expect((await engine.commit(session)).setCookie).toEqual([]);
  });

  test("reads and a logout still work", async () => {
    const { session } = await failedSave(isStored);
    expect(session.get("before")).toBe(isStored ? "1" : "");
    await session.destroy();
  });
});
