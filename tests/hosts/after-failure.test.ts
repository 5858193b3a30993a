// What can be done with a session when its commit has failed, on every host: where the error's
// response is still to come it is as it was stored, it can be changed, and what is changed goes out
// with that response; else the error of a change says why not.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express, { type ErrorRequestHandler, type Express } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import { Elysia } from "elysia";
import Fastify from "fastify";
import { H3 } from "h3";
import { H3 as OlderH3 } from "h3rc";
import { toNodeHandler } from "h3/node";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import { Hono } from "hono";
import Koa from "koa";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  memoryRevocations,
  SessionMemoryStore,
} from "kocha-session";
import { session as elysiaSession } from "kocha-session/elysia";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";

/** What a handler does, and what the host's error handler does and answers. */
interface App {
  readonly handle: (session: Session) => void;
  readonly recover: (session: Session) => string;
}

type Start = (config: SessionConfig, app: App) => Promise<{ url: string; close: () => unknown }>;

function onExpress(create: () => Express): Start {
  return (config, { handle, recover }) => {
    const app = create();
    app.use(expressSession(config));
    app.use((request, response) => {
      handle(request.session);
      response.send("done");
    });
    const onError: ErrorRequestHandler = (_error, request, response, _next) => {
      response.status(500).send(recover(request.session));
    };
    app.use(onError);
    return listen(app);
  };
}

function onH3(app: H3, config: SessionConfig, handle: App["handle"]): void {
  app.use(h3Session(config));
  app.all("/**", (event) => {
    handle(sessionOf(event));
    return "done";
  });
}

const onNode: Readonly<Record<string, Start>> = {
  node: (config, { handle, recover }) => {
    const session = nodeSession(config);
    return listen(
      createServer((request: IncomingMessage, response: ServerResponse) => {
        session(request, response, (error?: unknown) => {
          if (error === undefined) {
            handle(request.session);
            response.end("done");
          } else {
            response.statusCode = 500;
            response.end(recover(request.session));
          }
        });
      }),
    );
  },
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  fastify: async (config, { handle, recover }) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.get("/", async ({ session }) => {
      handle(session);
      return "done";
    });
    app.setErrorHandler((_error, { session }, reply) => reply.code(500).send(recover(session)));
    await app.ready();
    const { url, close } = await listen(app.server);
    return { url, close: async () => [await close(), await app.close()] };
  },
  koa: (config, { handle, recover }) => {
    const app = new Koa();
    app.use(async (context, next) => {
      try {
        await next();
      } catch {
        context.status = 500;
        context.body = recover(context.session);
      }
    });
    app.use(koaSession(config));
    app.use((context) => {
      handle(context.session);
      context.body = "done";
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
  hono: (config, { handle, recover }) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.get("/", (context) => {
      handle(context.get("session"));
      return context.text("done");
    });
    app.onError((_error, context) => context.text(recover(context.get("session")), 500));
    const listener = getRequestListener((request, env) => app.fetch(request, env), {
      overrideGlobalObjects: false,
    });
    return listen((request, response) => void listener(request, response));
  },
  h3: (config, { handle, recover }) => {
    const app = new H3({
      silent: true,
      onError: (_error, event) => new Response(recover(sessionOf(event)), { status: 500 }),
    });
    onH3(app, config, handle);
    return listen(toNodeHandler(app));
  },
  "h3 2.0.1-rc.2": (config, { handle, recover }) => {
    const app = new OlderH3({
      silent: true,
      onError: (_error, event) => new Response(recover(sessionOf(event)), { status: 500 }),
    });
    onH3(app as unknown as H3, config, handle);
    return listen(toOlderNodeHandler(app));
  },
  elysia: (config, { handle, recover }) => {
    const app = new Elysia()
      .use(elysiaSession(config))
      .onError(({ session }) => new Response(recover(session as Session), { status: 500 }))
      .get("/", ({ session }) => {
        handle(session);
        return "done";
      });
    const listener = getRequestListener((request) => app.fetch(request), {
      overrideGlobalObjects: false,
    });
    return listen((request, response) => void listener(request, response));
  },
  fetch: (config, { handle, recover }) => {
    let current: Session | undefined;
    const serve = withSession(
      config,
      (_request, session) => {
        handle((current = session));
        return new Response("done");
      },
      { onError: () => new Response(recover(current as Session), { status: 500 }) },
    );
    const listener = getRequestListener(serve, { overrideGlobalObjects: false });
    return listen((request, response) => void listener(request, response));
  },
};

/** Both kinds of cookie sessions; with revocations the log answers later. */
const sealed: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "the cookie store with revocations": () => ({
    store: new SessionCookieStore(freshKeys()),
    revocations: memoryRevocations(),
    sessionExpires: 1000,
  }),
};

describe.each(Object.entries(onNode))("on %s", (_, start) => {
  const serve = async (config: SessionConfig, app: App): Promise<string> => {
    const { url, close } = await start({ secure: false, ...config }, app);
    onTestFinished(async () => void (await close()));
    return url;
  };

  test.each(Object.entries(sealed))(
    "what didn't fit is dropped, and what the error handler sets is saved: %s",
    async (__, makeConfig) => {
      const config = makeConfig();
      const cookie = await mintCookie(config, { name: "alice" });
      const url = await serve(config, {
        handle: (session) => session.set("draft", "x".repeat(10_000)),
        recover: (session) => {
          session.set("notice", "too long");
          return session.get("name") + session.get("draft").length;
        },
      });
      const response = await fetch(url, { headers: { cookie } });
      expect([response.status, await response.text()]).toEqual([500, "alice0"]);
      const sent = response.headers.getSetCookie();
      expect(sent).toHaveLength(1);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
      expect(await readCookie(config, sent[0]?.split(";", 1)[0] ?? "")).toEqual(
        new Map([
          ["name", "alice"],
          ["notice", "too long"],
        ]),
      );
    },
  );

  test("an error handler that leaves the session alone sends no cookie", async () => {
    const config = sealed["the cookie store"]?.() as SessionConfig;
    const cookie = await mintCookie(config, { name: "alice" });
    const url = await serve(config, {
      handle: (session) => session.set("draft", "x".repeat(10_000)),
      recover: (session) => session.get("name"),
    });
    const response = await fetch(url, { headers: { cookie } });
    expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([
      500,
      "alice",
      [],
    ]);
  });

  test("one that tries the same again is answered, and what doesn't fit is refused", async () => {
    const refused: string[] = [];
    const config: SessionConfig = {
      ...(sealed["the cookie store"]?.() as SessionConfig),
      on: { refused: ({ reason }) => void refused.push(reason) },
    };
    let tries = 0;
    const tooMuch = (session: Session): string => {
      session.set("draft", "x".repeat(10_000));
      return `try ${++tries}`;
    };
    const url = await serve(config, { handle: tooMuch, recover: tooMuch });
    const response = await fetch(url);
    expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([
      500,
      "try 2",
      [],
    ]);
    expect(refused).toEqual(["uncarried"]);
  });

  test("after a save on a server failed, a change says why it can't be made", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey() };
    const cookie = await mintCookie(config, { name: "alice" });
    const url = await serve(config, {
      handle: (session) => session.set("a", "1"),
      recover: (session) => {
        try {
          session.set("notice", "down");
          return "changed";
        } catch (error) {
          return `${(error as { code: string }).code}: ${(error as Error).message}`;
        }
      },
    });
    spy.fault = "save";
    const response = await fetch(url, { headers: { cookie } });
    expect(await response.text()).toMatch(
      /^ERR_SESSION_USAGE_READ_ONLY: the session could not be saved, .* what the store holds \(/,
    );
    expect(response.headers.getSetCookie()).toEqual([]);
  });
});

describe.each(["hono", "h3"])("off Node.js, %s", (host) => {
  test("has sent what was due when its error handler runs: a change says so", async () => {
    const config = sealed["the cookie store"]?.() as SessionConfig;
    const recover = (session: Session): Response => {
      try {
        session.set("notice", "too long");
        return new Response("changed");
      } catch (error) {
        return new Response(`${(error as { code: string }).code}: ${(error as Error).message}`);
      }
    };
    const hono = new Hono();
    hono.use(honoSession(config));
    hono.get("/", (context) => {
      context.get("session").set("draft", "x".repeat(10_000));
      return context.text("done");
    });
    hono.onError((_error, context) => recover(context.get("session")));
    const h3 = new H3({ silent: true, onError: (_error, event) => recover(sessionOf(event)) });
    onH3(h3, config, (session) => session.set("draft", "x".repeat(10_000)));
    const response = await (host === "hono" ? hono : h3).fetch(new Request("http://localhost/"));
    expect(await response.text()).toContain(
      "ERR_SESSION_USAGE_READ_ONLY: the session could not be saved, so this request can't change " +
        "it any more: the error that says so is being answered (",
    );
  });
});
