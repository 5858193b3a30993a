// The process warning of updates on a store that has no step for them.
import { expect, test } from "vitest";
import { warningsOf } from "../../support/warnings.ts";

test("the first update on a store that can't promise it warns, once; no other call does", async () => {
  const codes = await warningsOf(`
    import { SessionMemoryStore, SessionMiddleware } from "kocha-session";
    import { randomBytes } from "node:crypto";
    const signingKey = randomBytes(32).toString("base64");
    const visit = async (store, step) => {
      const engine = new SessionMiddleware({ store, signingKey });
      const first = await engine.open(undefined);
      first.set("n", "1");
      const [cookie] = (await engine.commit(first)).setCookie;
      const session = await engine.open(cookie);
      await step(session);
      await engine.commit(session);
    };
    const inner = new SessionMemoryStore();
    const plain = {
      load: (selector) => inner.load(selector),
      save: (selector, change) => inner.save(selector, change),
    };
    await visit(plain, (session) => session.set("n", "2"));
    await visit(inner, (session) => session.increment("n"));
    console.log("code none so far");
    for (let at = 0; at < 3; at++) await visit(plain, (session) => session.increment("n"));
    await visit(Object.assign(Object.create(null), plain), (session) => session.increment("n"));
    inner.close();
  `);
  // The last store is of no class at all.
  const code = "KOCHA_SESSION_NOT_ATOMIC";
  expect(codes).toEqual(["none so far", code, code]);
});
