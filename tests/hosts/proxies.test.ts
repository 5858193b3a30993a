// Answers that a proxy passes on, with Set-Cookie of the other server's own: they stay, ours comes
// beside them, and the body arrives whole, whichever of the proxies' ways to write a response is used.
import { createServer, type RequestListener } from "node:http";
import fastifyHttpProxy from "@fastify/http-proxy";
import express, { type Express, type RequestHandler } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
// @ts-expect-error it has no declarations of its own
import expressHttpProxy from "express-http-proxy";
import Fastify from "fastify";
import { createProxyMiddleware } from "http-proxy-middleware";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/node";
import { readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

/** More than any buffer on the way holds. */
const body = "0123456789abcdef".repeat(64 * 1024);
const theirs = ["own=1; Path=/", "two=2; Path=/; HttpOnly"];

/** The other server. */
const upstream: RequestListener = (request, response) => {
  if (request.url === "/redirect") {
    response.writeHead(302, { Location: "/", "Set-Cookie": theirs }).end();
    return;
  }
  response.writeHead(203, { "Set-Cookie": theirs, "Cache-Control": "public, max-age=600" });
  response.end(request.url === "/empty" ? undefined : body);
};

type MakeProxy = (config: SessionConfig, target: string) => Promise<{ readonly url: string }>;

/** A server that is closed when the test is through. */
async function serve(listener: Parameters<typeof listen>[0]): Promise<{ readonly url: string }> {
  const { url, close } = await listen(listener);
  onTestFinished(close);
  return { url };
}

function onExpress(create: () => Express, proxy: (target: string) => RequestHandler): MakeProxy {
  return (config, target) => {
    const app = create();
    app.use(sessionMiddleware(config), (request, _response, next) => {
      request.session.set("seen", "1");
      next();
    });
    app.use(proxy(target));
    return serve(app);
  };
}

const create4 = express4 as unknown as () => Express;
const proxyOf = expressHttpProxy as unknown as (target: string) => RequestHandler;
const middleware = (target: string): RequestHandler => createProxyMiddleware({ target });

const proxies: Readonly<Record<string, MakeProxy>> = {
  "http-proxy-middleware on node:http": (config, target) => {
    const proxy = createProxyMiddleware({ target });
    return serve(
      createServer(
        withSession(config, (request, response, session) => {
          session.set("seen", "1");
          return proxy(request, response);
        }),
      ),
    );
  },
  "http-proxy-middleware on Express 5": onExpress(() => express(), middleware),
  "http-proxy-middleware on Express 4": onExpress(create4, middleware),
  "express-http-proxy on Express 5": onExpress(() => express(), proxyOf),
  "express-http-proxy on Express 4": onExpress(create4, proxyOf),
  "@fastify/http-proxy": async (config, target) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.addHook("preHandler", (request, _reply, next) => {
      request.session.set("seen", "1");
      next();
    });
    await app.register(fastifyHttpProxy, { upstream: target });
    await app.ready();
    onTestFinished(() => app.close());
    return serve(app.server);
  },
};

const configs: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

describe.each(Object.entries(proxies))("%s", (_, makeProxy) => {
  test.each(Object.entries(configs))(
    "passes on what the other server answers, over %s",
    async (__, make) => {
      const { url: target } = await serve(upstream);
      const config: SessionConfig = { ...make(), secure: false, storeTimeout: 30 };
      const { url } = await makeProxy(config, target);
      const seen = [];
      for (const path of ["/", "/empty", "/redirect"]) {
        const response = await fetch(url + path, { redirect: "manual" });
        const setCookie = response.headers.getSetCookie();
        const ours = setCookie.filter((cookie) => cookie.startsWith("session="));
        expect(setCookie.filter((cookie) => !ours.includes(cookie))).toEqual(theirs);
        expect(await readCookie(config, ours)).toEqual(new Map([["seen", "1"]]));
        // What has a client's cookie is in no shared cache.
        expect(response.headers.get("Cache-Control")).toMatch(/no-store/);
        seen.push([response.status, (await response.text()) === (path === "/" ? body : "")]);
      }
      expect(seen).toEqual([
        [203, true],
        [203, true],
        [302, true],
      ]);
    },
  );
});
