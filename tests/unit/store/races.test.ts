// The process warning of updates on a store that has no step for them.
import { expect, onTestFinished, test, vi } from "vitest";
import type { SessionChange, SessionStore } from "../../../src/store/contract.ts";
import { SessionMemoryStore } from "../../../src/stores/memory.ts";
import { makeWorld } from "../engine/client.ts";
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
  // Both stores are of no class, and so of one kind.
  expect(codes).toEqual(["none so far", "KOCHA_SESSION_NOT_ATOMIC"]);
});

test("a store that is a module's exports, and so has no constructor, is warned of by no class", async () => {
  const said = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(() => said.mockRestore());
  const inner = new SessionMemoryStore();
  onTestFinished(() => inner.close());
  const exported: SessionStore = Object.assign(Object.create(null) as object, {
    load: (selector: string) => inner.load(selector),
    save: (selector: string, change: SessionChange) => inner.save(selector, change),
  });
  const client = makeWorld(exported).newClient();
  await client.request((session) => session.set("n", "1"));
  await client.request(async (session) => expect(await session.increment("n")).toBe(2));
  expect(said).toHaveBeenCalledOnce();
  expect(said.mock.calls[0]?.[0]).toMatch(/^a store doesn't say that it is atomic and expects /);
});
