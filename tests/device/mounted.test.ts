// The endpoint where the sessions are mounted below a path: in sub-applications, routers and plugins, each as
// its framework has them.
import { createServer } from "node:http";
import express from "express";
import { Elysia } from "elysia";
import Fastify from "fastify";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { H3 as OlderH3 } from "h3rc";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import { createApp, createRouter, eventHandler, toNodeListener, useBase } from "h3v1";
import { Hono } from "hono";
import Koa, { type Middleware } from "koa";
import { afterEach, describe, expect, it } from "vitest";
import { type SessionConfig, SessionMemoryStore } from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { session as elysiaSession } from "kocha-session/elysia";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as h3Session } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import { bridge } from "../hosts/exchanges.ts";
import { CookieBrowser } from "../support/device-browser.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** As koa-mount does: what is mounted sees the path without its beginning. */
function mounted(base: string, inner: Middleware): Middleware {
  return async (context, next) => {
    const { path } = context;
    if (!path.startsWith(`${base}/`)) return next();
    context.path = path.slice(base.length);
    return inner(context, async () => {
      context.path = path;
      await next();
      context.path = path.slice(base.length);
    });
  };
}

type Mount = (config: SessionConfig) => ReturnType<typeof listen>;

/** Sessions below /shop. */
const mounts: Readonly<Record<string, Mount>> = {
  "Express, a router": (config) => {
    const router = express.Router();
    router.use(expressSession(config));
    return listen(express().use("/shop", router));
  },
  "Express, an application": (config) =>
    listen(express().use("/shop", express().use(expressSession(config)))),
  "Express, a middleware of Connect": (config) =>
    listen(express().use("/shop", nodeSession(config) as express.RequestHandler)),
  "Fastify, a plugin with a prefix, where a route is at the path": async (config) => {
    const app = Fastify();
    await app.register(
      async (shop) => {
        await shop.register(sessionPlugin, config);
        shop.post("/session/device", async () => "not reached");
      },
      { prefix: "/shop" },
    );
    await app.ready();
    closing.push(() => app.close());
    return listen(app.server);
  },
  "Koa, as koa-mount": (config) => {
    const app = new Koa();
    app.use(mounted("/shop", koaSession(config)));
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
  "Hono, route": (config) => {
    const app = new Hono().route("/shop", new Hono().use(honoSession(config)));
    return listen(createServer(bridge((request) => app.fetch(request))));
  },
  "Hono, basePath": (config) => {
    const app = new Hono().basePath("/shop").use(honoSession(config));
    return listen(createServer(bridge((request) => app.fetch(request))));
  },
  "h3, mount": (config) => {
    const app = new H3().mount("/shop", new H3().use(h3Session(config)));
    return listen(createServer(toNodeHandler(app)));
  },
  "h3, a middleware of a route": (config) => {
    const app = new H3().use("/shop/**", h3Session(config));
    return listen(createServer(toNodeHandler(app)));
  },
  "h3 2.0.1-rc.2, mount": (config) => {
    const app = new OlderH3({ silent: true });
    app.mount("/shop", new OlderH3().use(h3Session(config)));
    const run = toOlderNodeHandler(app);
    return listen(createServer((request, response) => void run(request, response)));
  },
  "h3 1, a middleware with a path": (config) => {
    const app = createApp();
    app.use("/shop", h3Session(config));
    return listen(toNodeListener(app));
  },
  "h3 1, useBase": (config) => {
    const inner = createApp();
    inner.use(h3Session(config));
    const router = createRouter();
    router.use("/shop/**", useBase("/shop", inner.handler));
    const app = createApp();
    app.use(router);
    app.use(eventHandler(() => "home"));
    return listen(toNodeListener(app));
  },
  "Elysia, a prefix": (config) => {
    const app = new Elysia({ prefix: "/shop" }).use(elysiaSession(config));
    return listen(createServer(bridge((request) => app.fetch(request))));
  },
};

describe.each(Object.entries(mounts))("mounted below a path on %s", (_, mount) => {
  it("the endpoint is found by its whole path", async () => {
    const { url, close } = await mount({
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
      path: "/shop",
      deviceBinding: deviceBinding(),
    });
    closing.push(close);
    const browser = new CookieBrowser(url, Date.now);
    const { status, header, body } = await browser.visit("/shop/session/device", {
      method: "POST",
    });
    expect([status, header("cache-control"), body]).toEqual([400, "no-store", ""]);
    const elsewhere = await browser.visit("/session/device", { method: "POST" });
    expect(elsewhere.header("cache-control")).toBeUndefined();
  });
});
