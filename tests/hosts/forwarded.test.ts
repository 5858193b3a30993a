// X-Forwarded-Proto times the host's own trust in proxies times `secure`: what the header says counts
// where the host was told to trust it; that it is there keeps `secure: "auto"` from taking the client
// for this machine.
import express, { type Express } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import Koa from "koa";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { withSession } from "kocha-session/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

/**
 * A server that sets something in each session, and answers whether the client came by https in the
 * framework's own words; `trusts` is the framework's own setting.
 */
type MakeServer = (config: SessionConfig, trusts: boolean) => ReturnType<typeof listen>;

function onExpress(create: () => Express): MakeServer {
  return (config, trusts) => {
    const app = create();
    app.set("trust proxy", trusts);
    app.use(expressSession(config));
    app.get("/", (request, response) => {
      request.session.set("a", "1");
      response.send(String(request.secure));
    });
    return listen(app);
  };
}

const hosts: Readonly<Record<string, MakeServer>> = {
  // Plain node:http knows no proxy, so there is nothing that could be trusted.
  "node:http": (config) =>
    listen(
      withSession(config, (_request, response, session) => {
        session.set("a", "1");
        response.end("false");
      }),
    ),
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  fastify: async (config, trusts) => {
    const app = Fastify({ trustProxy: trusts });
    await app.register(sessionPlugin, config);
    app.get("/", async (request) => {
      request.session.set("a", "1");
      return String(request.protocol === "https");
    });
    await app.ready();
    onTestFinished(() => app.close());
    return listen(app.server);
  },
  koa: (config, trusts) => {
    const app = new Koa({ proxy: trusts });
    app.use(koaSession(config));
    app.use((context) => {
      context.session.set("a", "1");
      context.body = String(context.secure);
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
};

const stores: Readonly<Record<string, () => Pick<SessionConfig, "store" | "signingKey">>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

describe.each(Object.entries(hosts))("on %s", (host, makeServer) => {
  describe.each(Object.entries(stores))("over %s", (_, makeStore) => {
    test.each([true, false])("with trust in proxies %s", async (trusts) => {
      const seen: unknown[] = [];
      const due: unknown[] = [];
      for (const secure of [true, false, "auto"] as const) {
        const { url, close } = await makeServer({ ...makeStore(), secure }, trusts);
        onTestFinished(close);
        for (const proto of [undefined, "http", "https", "https, http", "HTTPS:evil"]) {
          const headers = proto === undefined ? {} : { "X-Forwarded-Proto": proto };
          const response = await fetch(url, { headers });
          const [cookie = ""] = response.headers.getSetCookie();
          const isHttps = (await response.text()) === "true";
          seen.push([secure, proto, isHttps, cookie.includes("; Secure")]);
          // Of a list some frameworks take the first word, others the last.
          const said = trusts && host !== "node:http" && proto === "https";
          const mayBe = trusts && proto === "https, http" ? isHttps : said;
          // A request that a proxy on this machine passed on may come from anywhere, whatever it says.
          const isPassedOn = proto !== undefined;
          due.push([secure, proto, mayBe, secure === "auto" ? isPassedOn : secure]);
        }
      }
      expect(seen).toEqual(due);
    });
  });
});
