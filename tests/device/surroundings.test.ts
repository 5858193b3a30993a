// What the endpoint takes from its host beside the request: whether the client came by https, which decides on
// the session's cookie, and the environment, of which a store can be made.
import { createServer, type RequestListener } from "node:http";
import express from "express";
import Fastify from "fastify";
import { H3 } from "h3";
import { Hono } from "hono";
import Koa from "koa";
import { afterEach, describe, expect, it } from "vitest";
import {
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  type SessionStore,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { bridge } from "../hosts/exchanges.ts";
import { challengeIn, DeviceBrowser, DeviceKeyPair } from "../support/device-browser.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { isFresh } from "./site.ts";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Make = (config: SessionConfig) => Promise<RequestListener>;

/** Logs in, and offers to bind the session; gives the page. */
function logIn(session: { set(key: string, value: string): void; bindDevice(): void }): string {
  session.set("user", "ann");
  session.bindDevice();
  return "in";
}

/** The hosts, each trusting its proxy in its own way. */
const trusting: Readonly<Record<string, Make>> = {
  express: async (config) => {
    const app = express().set("trust proxy", true).use(expressSession(config));
    return app.get("/login", ({ session }, response) => void response.send(logIn(session)));
  },
  fastify: async (config) => {
    const app = Fastify({ trustProxy: true });
    await app.register(sessionPlugin, config);
    app.get("/login", async ({ session }) => logIn(session));
    await app.ready();
    closing.push(() => app.close());
    return (request, response) => app.routing(request, response);
  },
  koa: async (config) => {
    const app = new Koa({ proxy: true });
    app.use(koaSession(config));
    app.use((context) => void (context.body = logIn(context.session)));
    const callback = app.callback();
    return (request, response) => void callback(request, response);
  },
};

describe.each(Object.entries(trusting))("on %s", (_, make) => {
  it("the connection decides on the session's cookie, and the device's is always Secure", async () => {
    const listener = await make({
      store: new SessionCookieStore(freshKeys()),
      secure: "auto",
      deviceBinding: deviceBinding({ acceptUnboundCopies: true }),
    });
    const server = await listen(createServer(listener));
    closing.push(server.close);
    // "auto" leaves Secure out on this machine only, and not for what a proxy has passed on.
    for (const [headers, count] of [
      [{}, 1],
      [{ "x-forwarded-proto": "https" }, 2],
    ] as const) {
      const browser = new DeviceBrowser(server.url, Date.now, await DeviceKeyPair.make());
      await browser.register(await browser.visit("/login", { headers }));
      const challenge = challengeIn(await browser.ask(undefined));
      const { setCookie } = await browser.visit("/session/device", {
        method: "POST",
        headers: {
          ...headers,
          "sec-secure-session-id": browser.identifier,
          "secure-session-response": await browser.device.proof(challenge),
        },
      });
      expect(setCookie).toHaveLength(2);
      expect(setCookie.filter((cookie) => /; Secure/.test(cookie))).toHaveLength(count);
    }
  });
});

interface Env {
  readonly rows: SessionStore;
}

/** Hosts that pass an environment on, as Workers have it. */
const withEnv: Readonly<
  Record<
    string,
    (config: SessionConfig, env: Env) => (request: Request) => Response | Promise<Response>
  >
> = {
  hono: (config, env) => {
    const app = new Hono().use(honoSession(config));
    app.get("/login", (context) => context.text(logIn(context.get("session"))));
    return (request) => app.fetch(request, env);
  },
  h3: (config, env) => {
    const app = new H3().use(h3Session(config)).get("/login", (event) => logIn(sessionOf(event)));
    return (request) => {
      Object.assign(request, { runtime: { name: "cloudflare", cloudflare: { env } } });
      return app.fetch(request);
    };
  },
  fetch: (config, env) => {
    const serve = withSession(
      config,
      async (_request, session, _env: Env) => new Response(logIn(session)),
    );
    return (request) => serve(request, env);
  },
};

describe.each(Object.entries(withEnv))("on %s", (_, make) => {
  it("a store that is made of the request's environment serves the endpoint, too", async () => {
    const rows = slowly(new SessionMemoryStore());
    const missing = (): never => {
      throw new Error("there is no environment");
    };
    const store: SessionStore = {
      load: missing,
      save: missing,
      forRequest: (env) => (env as Env | undefined)?.rows ?? missing(),
    };
    const config = { store, signingKey: freshKey(), deviceBinding: deviceBinding() };
    const serve = make(config, { rows });
    const server = await listen(createServer(bridge((request: Request) => serve(request))));
    closing.push(server.close);
    const browser = new DeviceBrowser(server.url, Date.now, await DeviceKeyPair.make());
    expect((await browser.register(await browser.visit("/login"))).status).toBe(200);
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(isFresh(await browser.refresh(true))).toBe(true);
  });
});
