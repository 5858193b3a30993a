// What a handler's own call throws goes each host's own default error path with its status: a conflict is
// 409, a store that fails 503. The store answers later; nothing of the change or of the error's text goes
// out.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express, { type Express, type Request, type Response as ExpressResponse } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import { Hono as Hono3 } from "hono3";
import Koa from "koa";
import {
  type RefusedReason,
  type Session,
  SessionMemoryStore,
  type SessionConfig,
  type SessionStore,
} from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession as fetchSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { withSession } from "kocha-session/node";
import { beforeEach, expect, test, vi } from "vitest";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

interface Server {
  readonly url: string;
  readonly close: () => Promise<unknown>;
}

/** What each application does: a counter that a logout overtakes, and what sets a session up. */
async function handle(session: Session, path: string): Promise<string> {
  if (path === "/first") session.set("n", "1");
  else if (path === "/end") await session.destroy();
  else if (path === "/commit") {
    session.set("secret", "mine");
    await session.commit();
  } else {
    session.set("secret", "mine");
    arrive();
    await gate;
    await session.increment("n");
  }
  return "done";
}

let arrive = (): void => undefined;
let gate: Promise<void>;

const onExpress = (create: () => Express) => (config: SessionConfig) => {
  const app = create();
  app.set("env", "test");
  app.use(expressSession(config));
  app.use((request: Request, response: ExpressResponse, next: (error: unknown) => void) => {
    handle(request.session, request.path).then((body) => response.send(body), next);
  });
  return listen(app);
};

const onHono = (create: () => Hono) => (config: SessionConfig) => {
  const app = create();
  app.use("*", honoSession(config));
  app.all("*", async (c) => c.text(await handle(c.get("session"), new URL(c.req.url).pathname)));
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return listen(createServer((request, response) => void listener(request, response)));
};

const hosts: Readonly<Record<string, (config: SessionConfig) => Promise<Server>>> = {
  node: (config) =>
    listen(
      createServer(
        withSession(
          config,
          async (request, response, session) => {
            response.end(await handle(session, request.url ?? ""));
          },
          { reportError: () => undefined },
        ),
      ),
    ),
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  fastify: async (config) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.get("/*", (request) => handle(request.session, request.url));
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    return { url, close: () => app.close() };
  },
  koa: (config) => {
    const app = new Koa();
    app.silent = true;
    app.use(koaSession(config));
    app.use(async (context) => {
      context.body = await handle(context.session, context.path);
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
  "hono 4": onHono(() => new Hono()),
  // Its own handler knows only its own HTTPException.
  "hono 3, by app.onError": onHono(() => {
    const app = new Hono3();
    app.onError((error, c) => c.text("", (error as { status?: number }).status as 409));
    return app as unknown as Hono;
  }),
  h3: (config) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.all("/**", (event) => handle(sessionOf(event), event.url.pathname));
    return listen(createServer(toNodeHandler(app)));
  },
  fetch: (config) => {
    const serve = fetchSession(
      config,
      async (request: globalThis.Request, session) =>
        new Response(await handle(session, new URL(request.url).pathname)),
      // What has no error path of its own gets the error with its status.
      { onError: (error) => new Response("", { status: (error as { status: number }).status }) },
    );
    const listener = getRequestListener((request) => serve(request), {
      overrideGlobalObjects: false,
    });
    return listen(createServer((request, response) => void listener(request, response)));
  },
};

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

test.each(Object.entries(hosts))("a store that fails, on %s", async (_, start) => {
  const store: SessionStore = {
    load: () => undefined,
    save: () => Promise.reject(new Error("mine: no connection")),
  };
  const { url, close } = await start({
    store: slowly(store),
    signingKey: freshKey(),
    secure: false,
  });
  try {
    const answer = await fetch(`${url}/commit`);
    expect(answer.status).toBe(503);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.text()).not.toContain("mine");
  } finally {
    await close();
  }
});

test.each(Object.entries(hosts))("a conflict, on %s", async (_, start) => {
  const store = new SessionMemoryStore();
  const refused: RefusedReason[] = [];
  const { url, close } = await start({
    store: slowly(store),
    signingKey: freshKey(),
    secure: false,
    on: { refused: ({ reason }) => void refused.push(reason) },
  });
  try {
    const first = await fetch(`${url}/first`);
    const cookie = first.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const late = fetch(`${url}/count`, { headers: { cookie } });
    await arrived;
    await fetch(`${url}/end`, { headers: { cookie } });
    open();
    const answer = await late;
    expect(answer.status).toBe(409);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.text()).not.toContain("mine");
    expect(refused).toEqual(["stale"]);
  } finally {
    await close();
    store.close();
  }
});
