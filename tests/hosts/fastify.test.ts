// Fastify's own hooks: while the session is being saved a reply counts as sent, and what goes wrong
// behind the save is Fastify's to answer.
import Fastify, { type FastifyInstance } from "fastify";
import { sessionPlugin } from "kocha-session/fastify";
import { expect, onTestFinished, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { type SlowStore, slowStore } from "../support/slow-store.ts";

async function serve(
  define: (app: FastifyInstance) => void,
): Promise<{ readonly url: string; readonly slow: SlowStore }> {
  const slow = slowStore();
  const app = Fastify();
  await app.register(sessionPlugin, {
    store: slow.store,
    signingKey: freshKey(),
    secure: false,
  });
  app.addHook("preHandler", async (request) => request.session.set("a", "1"));
  define(app);
  await app.ready();
  const { url, close } = await listen(app.server);
  onTestFinished(async () => {
    await close();
    await app.close();
  });
  return { url, slow };
}

test("a redirect that is followed by an answer goes out whole, with one cookie", async () => {
  const { url } = await serve((app) => {
    app.get("/", (_, reply) => {
      void reply.redirect("/elsewhere");
      void reply.code(500).type("text/html").header("X-Late", "1").send("second");
    });
  });
  const response = await fetch(url, { redirect: "manual" });
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe("/elsewhere");
  expect(response.headers.get("content-type")).toBeNull();
  expect(response.headers.get("x-late")).toBeNull();
  expect(response.headers.getSetCookie()).toHaveLength(1);
});

test("an answer whose promise then rejects goes out whole", async () => {
  const { url } = await serve((app) => {
    app.get("/", async (_, reply) => {
      void reply.send({ first: true });
      throw new Error("after the answer");
    });
  });
  expect(await (await fetch(url)).json()).toEqual({ first: true });
});

test("what can't be sent once the session is saved is answered by the error handler", async () => {
  const { url } = await serve((app) => {
    app.addHook("onSend", async () => {
      throw new Error("a hook behind the session's");
    });
    app.get("/hook", async () => "body");
  });
  expect((await fetch(`${url}/hook`)).status).toBe(500);
  const other = await serve((app) => {
    // Fastify looks at the payload that a serializer gave when it sends it.
    app.get("/", (_, reply) => void reply.serializer(() => 5 as never).send({}));
  });
  const response = await fetch(other.url);
  expect(response.status).toBe(500);
  expect(response.headers.getSetCookie()).toHaveLength(1);
});

test("a save that fails is answered by the error handler, without the reply's own headers", async () => {
  const { url, slow } = await serve((app) => {
    app.get("/", async (_, reply) =>
      reply
        .headers({ "Cache-Control": "public, max-age=600", ETag: '"promised"' })
        .type("application/x-promised")
        .send("promised"),
    );
  });
  slow.failsToSave = true;
  const response = await fetch(url);
  expect(response.status).toBe(503);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("etag")).toBeNull();
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(response.headers.getSetCookie()).toEqual([]);
});

test("inject sees the cookie of a reply and of a hijacked one", async () => {
  const app = Fastify();
  onTestFinished(() => app.close());
  await app.register(sessionPlugin, { store: slowStore().store, signingKey: freshKey() });
  app.addHook("preHandler", async (request) => request.session.set("a", "1"));
  app.get("/reply", async () => "body");
  app.get("/hijacked", (_, reply) => void reply.hijack().raw.end("body"));
  for (const url of ["/reply", "/hijacked"]) {
    const response = await app.inject({ url, headers: { "x-forwarded-proto": "https" } });
    expect([url, response.body]).toEqual([url, "body"]);
    expect([response.headers["set-cookie"]].flat()).toHaveLength(1);
  }
});
