// A Secure cookie that goes out over plain HTTP: browsers drop it, and the server says so, once and only
// where that is so. Each case is a process of its own, since the warning is said once a process.
import { describe, expect, test } from "vitest";
import { warningsOf } from "../support/warnings.ts";

/** Listens at `port`; the session is kept by a store that takes its time. */
const servers: Readonly<Record<string, string>> = {
  node: `
    const { withSession } = await import("kocha-session/node");
    const server = createServer(withSession(config, (_, res, session) => {
      session.set("name", "alice");
      res.end();
    }));`,
  express: `
    const { default: express } = await import("express");
    const { sessionMiddleware } = await import("kocha-session/express");
    const app = express().use(sessionMiddleware(config));
    app.get("/", (req, res) => { req.session.set("name", "alice"); res.end(); });
    const server = createServer(app);`,
  fastify: `
    const { default: Fastify } = await import("fastify");
    const { sessionPlugin } = await import("kocha-session/fastify");
    const app = Fastify();
    app.register(sessionPlugin, config);
    app.get("/", async (request) => { request.session.set("name", "alice"); return ""; });
    await app.ready();
    const { server } = app;`,
  koa: `
    const { default: Koa } = await import("koa");
    const { sessionMiddleware } = await import("kocha-session/koa");
    const app = new Koa().use(sessionMiddleware(config));
    app.use((ctx) => { ctx.session.set("name", "alice"); ctx.body = "hello"; });
    const server = createServer(app.callback());`,
  "fetch on Node.js": `
    const { getRequestListener } = await import("@hono/node-server");
    const { withSession } = await import("kocha-session/fetch");
    const server = createServer(getRequestListener(
      withSession(config, (_, session) => { session.set("name", "alice"); return new Response(); }),
      { overrideGlobalObjects: false },
    ));`,
  "hono on Node.js": `
    const { getRequestListener } = await import("@hono/node-server");
    const { Hono } = await import("hono");
    const { sessionMiddleware } = await import("kocha-session/hono");
    const app = new Hono().use(sessionMiddleware(config));
    app.get("/", (c) => { c.get("session").set("name", "alice"); return c.text("hello"); });
    const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));`,
  "h3 on Node.js": `
    const { H3 } = await import("h3");
    const { toNodeHandler } = await import("h3/node");
    const { sessionMiddleware, sessionOf } = await import("kocha-session/h3");
    const app = new H3().use(sessionMiddleware(config));
    app.get("/", (event) => { sessionOf(event).set("name", "alice"); return "hello"; });
    const server = createServer(toNodeHandler(app));`,
};

/** The codes of the warnings when a server is visited, with these headers one after the other. */
function warned(
  host: string,
  visits: readonly Readonly<Record<string, string>>[],
  settings = "",
): Promise<string[]> {
  return warningsOf(`
    import { once } from "node:events";
    import { createServer, request } from "node:http";
    import { SessionMemoryStore } from "kocha-session";
    const memory = new SessionMemoryStore();
    const later = (make) => new Promise((resolve) => setImmediate(() => resolve(make())));
    const store = {
      capabilities: memory.capabilities,
      load: (key) => later(() => memory.load(key)),
      save: (key, change) => later(() => memory.save(key, change)),
    };
    const config = { store, signingKey: "${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}", ${settings} };
    ${servers[host]}
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    for (const headers of ${JSON.stringify(visits)}) {
      const asked = request({ port: server.address().port, host: "127.0.0.1", headers }).end();
      const [response] = await once(asked, "response");
      await response.resume().toArray();
      if (!response.headers["set-cookie"]?.[0]) throw new Error("no cookie");
    }
    server.closeAllConnections();
    server.close();
    memory.close();
  `);
}

const far = { host: "shop.example" };

describe.concurrent("a Secure cookie over plain HTTP", () => {
  test.each(Object.keys(servers))("is warned of once on %s", async (host) => {
    expect(await warned(host, [{}, far, far])).toEqual(["KOCHA_SESSION_INSECURE"]);
  });

  test.each([
    [
      "for this machine",
      ["localhost:3000", "app.localhost", "127.0.0.1:80", "[::1]:3000"].map((host) => ({ host })),
      "",
    ],
    ["behind a proxy that says so", [{ ...far, "x-forwarded-proto": "https" }, far], ""],
    ["that isn't Secure", [far], "secure: false"],
  ])("isn't warned of %s", async (_, visits, settings) => {
    expect(await warned("node", visits, settings)).toEqual([]);
  });
});
