// The hosts as their users type them: the session hangs where each host's people look for it,
// with the host's own types augmented, and every openSession takes what an upgrade gives.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { Elysia } from "elysia";
import express, { type RequestHandler, Router } from "express";
import Fastify, { type FastifyPluginCallback, type FastifyRequest } from "fastify";
import { H3, type H3Event, type Middleware as H3Middleware } from "h3";
import {
  H3 as OlderH3,
  type H3Event as OlderH3Event,
  type Middleware as OlderH3Middleware,
} from "h3rc";
import { Hono, type MiddlewareHandler } from "hono";
import Koa, { type Middleware as KoaMiddleware } from "koa";
import type { Awaitable, Session, SessionConfig, SessionMiddleware } from "kocha-session";
import * as onElysia from "kocha-session/elysia";
import * as onExpress from "kocha-session/express";
import * as onFastify from "kocha-session/fastify";
import * as onFetch from "kocha-session/fetch";
import * as onH3 from "kocha-session/h3";
import * as onHono from "kocha-session/hono";
import * as onKoa from "kocha-session/koa";
import * as onNode from "kocha-session/node";
import { describe, expectTypeOf, test } from "vitest";

declare const config: SessionConfig;
declare const engine: SessionMiddleware;
declare const request: IncomingMessage;
declare const response: ServerResponse;

describe("node:http and Connect", () => {
  test("the session is the listener's third argument, and the request's", () => {
    const listener = onNode.withSession(config, async (incoming, answer, session) => {
      expectTypeOf(incoming).toEqualTypeOf<IncomingMessage>();
      expectTypeOf(answer).toEqualTypeOf<ServerResponse>();
      expectTypeOf(session).toEqualTypeOf<Session>();
      expectTypeOf(incoming.session).toEqualTypeOf<Session>();
    });
    expectTypeOf(listener(request, response)).toEqualTypeOf<unknown>();
    const report = (error: unknown, { url }: IncomingMessage): void => void [error, url];
    createServer(onNode.withSession(engine, () => undefined, { reportError: report }));
    createHttpsServer(
      {},
      onNode.withSession(config, (_, answer) => answer.end()),
    );
    // @ts-expect-error there is no such option
    onNode.withSession(config, () => undefined, { onError: report });
  });

  test("HTTP/2's own request and response are the listener's there", () => {
    const handle = (
      incoming: Http2ServerRequest,
      answer: Http2ServerResponse,
      session: Session,
    ): void => {
      void incoming.stream;
      answer.end(session.get("name"));
    };
    createHttp2Server(onNode.withSession(config, handle));
    createHttp2Server(
      onNode.withSession(config, (incoming, answer) => {
        expectTypeOf(incoming).toEqualTypeOf<Http2ServerRequest>();
        expectTypeOf(answer).toEqualTypeOf<Http2ServerResponse>();
      }),
    );
  });

  test("the middleware takes (req, res, next)", () => {
    const middleware = onNode.sessionMiddleware(config);
    middleware(request, response, (error?: unknown) => void error);
    createServer((incoming) => expectTypeOf(incoming.session).toEqualTypeOf<Session>());
    // @ts-expect-error next is needed: what fails goes there
    middleware(request, response);
  });
});

describe("Express", () => {
  test("request.session, in applications and routers", () => {
    const middleware = onExpress.sessionMiddleware(config);
    expectTypeOf(middleware).toEqualTypeOf<RequestHandler>();
    const app = express();
    app.use(middleware);
    Router().use(onExpress.sessionMiddleware(engine));
    app.get("/", (incoming, answer) => {
      expectTypeOf(incoming.session).toEqualTypeOf<Session>();
      answer.send(incoming.session.get("name"));
      // @ts-expect-error no property of the application's
      incoming.session.user = "alice";
      // @ts-expect-error Express' own request stays as it is
      void incoming.sessions;
    });
    // @ts-expect-error a configuration has a store
    onExpress.sessionMiddleware({});
  });
});

describe("Fastify", () => {
  test("request.session, from a plugin whose options are the configuration", () => {
    expectTypeOf(onFastify.sessionPlugin).toExtend<FastifyPluginCallback<SessionConfig>>();
    const app = Fastify();
    void app.register(onFastify.sessionPlugin, config);
    // @ts-expect-error an option that the configuration doesn't have
    void app.register(onFastify.sessionPlugin, { ...config, cookieName: "session" });
    app.get("/", async (incoming) => {
      expectTypeOf(incoming.session).toEqualTypeOf<Session>();
      return incoming.session.get("name");
    });
  });
});

describe("Koa", () => {
  test("ctx.session", () => {
    const middleware = onKoa.sessionMiddleware(config);
    expectTypeOf(middleware).toEqualTypeOf<KoaMiddleware>();
    const app = new Koa();
    app.use(middleware);
    app.use((context) => {
      expectTypeOf(context.session).toEqualTypeOf<Session>();
      context.body = context.session.get("name");
    });
  });
});

describe("Elysia", () => {
  test("({ session }) in handlers, hooks, errors, groups and sockets", () => {
    new Elysia()
      .decorate("version", 1)
      .use(onElysia.session(config))
      .use(onElysia.session(engine))
      .onBeforeHandle(({ session }) => expectTypeOf(session).toEqualTypeOf<Session>())
      // A session that couldn't be loaded isn't there.
      .onError(({ session }) => expectTypeOf(session).toEqualTypeOf<Session | undefined>())
      .group("/group", (group) =>
        group.get("/", ({ session }) => {
          expectTypeOf(session).toEqualTypeOf<Session>();
          return session.get("name");
        }),
      )
      .ws("/socket", {
        open: ({ data }) => expectTypeOf(data.session).toEqualTypeOf<Session>(),
      })
      .get("/:id", ({ session, params, version }) => {
        expectTypeOf(session).toEqualTypeOf<Session>();
        // What the application has of its own keeps its type.
        expectTypeOf(params).toEqualTypeOf<{ id: string }>();
        expectTypeOf(version).toEqualTypeOf<number>();
        // @ts-expect-error no property of the application's
        session.user = "alice";
        return "";
      });
    // @ts-expect-error a configuration has a store
    onElysia.session({});
  });
});

describe("Hono", () => {
  test('c.get("session") and c.var.session', () => {
    const middleware = onHono.sessionMiddleware(config);
    expectTypeOf(middleware).toEqualTypeOf<MiddlewareHandler>();
    const app = new Hono();
    app.use(middleware);
    app.get("/", (context) => {
      expectTypeOf(context.get("session")).toEqualTypeOf<Session>();
      expectTypeOf(context.var.session).toEqualTypeOf<Session>();
      return context.text(context.get("session").get("name"));
    });
  });

  test("an application's own variables stay beside it", () => {
    const app = new Hono<{ Variables: { user: string } }>();
    app.use(onHono.sessionMiddleware(config));
    app.get("/", (context) => {
      expectTypeOf(context.get("user")).toEqualTypeOf<string>();
      expectTypeOf(context.get("session")).toEqualTypeOf<Session>();
      return context.body(null);
    });
  });
});

describe("h3", () => {
  test("event.context.session, and sessionOf where it must be there", () => {
    const middleware = onH3.sessionMiddleware(config);
    expectTypeOf(middleware).toExtend<H3Middleware>();
    const app = new H3();
    app.use(middleware);
    app.get("/", (event) => {
      expectTypeOf(event.context.session).toEqualTypeOf<Session | undefined>();
      expectTypeOf(onH3.sessionOf(event)).toEqualTypeOf<Session>();
      // @ts-expect-error perhaps it isn't mounted here
      event.context.session.get("name");
      return onH3.sessionOf(event).get("name");
    });
  });
});

describe("h3 2.0.1-rc.2, which Nitro 3.0.0 brings beside the application's own", () => {
  test("the same middleware, and sessionOf of its event", () => {
    const middleware = onH3.sessionMiddleware(config);
    expectTypeOf(middleware).toExtend<OlderH3Middleware>();
    const app = new OlderH3();
    app.use(middleware);
    app.get("/", (event) => {
      expectTypeOf(onH3.sessionOf(event)).toEqualTypeOf<Session>();
      return onH3.sessionOf(event).get("name");
    });
    expectTypeOf(onH3.openSession(config, {} as OlderH3Event["req"])).toEqualTypeOf<
      Awaitable<Session>
    >();
    // @ts-expect-error no event
    onH3.sessionOf({});
  });
});

describe("the Fetch API", () => {
  test("the session is the second argument; what the host passes comes behind it", () => {
    const plain = onFetch.withSession(config, (_, session) => new Response(session.get("name")));
    expectTypeOf(plain(new Request("http://localhost"))).resolves.toEqualTypeOf<Response>();
    const onDeno = onFetch.withSession(
      config,
      (_request, session, info: { remoteAddr: { hostname: string } }) => {
        expectTypeOf(session).toEqualTypeOf<Session>();
        return new Response(info.remoteAddr.hostname);
      },
    );
    expectTypeOf(onDeno).parameters.toEqualTypeOf<
      [request: Request, info: { remoteAddr: { hostname: string } }]
    >();
    const upgrading = onFetch.withSession(
      config,
      (incoming, session, server: { upgrade: (request: Request) => boolean }) => {
        if (server.upgrade(incoming)) return undefined;
        return new Response(session.get("name"));
      },
    );
    expectTypeOf(upgrading).returns.resolves.toEqualTypeOf<Response | undefined>();
    onFetch.withSession(config, () => undefined);
    interface TypedRequest extends Request {
      readonly geo: { readonly country: string };
    }
    const typed = onFetch.withSession(config, (incoming: TypedRequest, session) => {
      expectTypeOf(onFetch.sessionOf(incoming)).toEqualTypeOf<Session>();
      return new Response(session.get(incoming.geo.country));
    });
    expectTypeOf(typed).parameter(0).toEqualTypeOf<TypedRequest>();
    onFetch.withSession<TypedRequest>(config, (incoming) => new Response(incoming.geo.country), {
      onError: (_, incoming) => new Response(incoming.geo.country),
    });
    // @ts-expect-error a handler answers with a Response, or with nothing
    onFetch.withSession(config, () => "hello");
    // @ts-expect-error so does what answers an error
    onFetch.withSession(config, () => new Response(), { onError: () => 500 });
  });
});

describe("a configuration's function", () => {
  test("is taken by every entry point, with the environment that it says it needs", () => {
    const ask = (env: { readonly SIGNING_KEY: string }): SessionConfig => ({
      ...config,
      signingKey: env.SIGNING_KEY,
    });
    onNode.withSession(ask, () => undefined);
    onNode.sessionMiddleware(ask);
    onExpress.sessionMiddleware(() => config);
    void Fastify().register(onFastify.sessionPlugin, { config: ask });
    void Fastify().register(onFastify.sessionPlugin, { config: engine });
    onKoa.sessionMiddleware(ask);
    onHono.sessionMiddleware(ask);
    onH3.sessionMiddleware(ask);
    onFetch.withSession(ask, () => undefined);
    onFetch.openSession(ask, new Request("http://localhost"), { SIGNING_KEY: "" });
    // @ts-expect-error it gives the configuration at once
    onKoa.sessionMiddleware(async () => config);
    // @ts-expect-error what it gives has a store
    onKoa.sessionMiddleware(() => ({}));
  });
});

describe("openSession", () => {
  test("takes each host's own request, or a Request, and gives a session now or later", () => {
    const opened = [
      onNode.openSession(config, request),
      onExpress.openSession(config, request),
      onFastify.openSession(config, {} as FastifyRequest),
      onFastify.openSession(config, request),
      onKoa.openSession(config, request),
      onHono.openSession(config, new Request("http://localhost")),
      onH3.openSession(config, {} as H3Event["req"]),
      onH3.openSession(config, new Request("http://localhost")),
      onFetch.openSession(engine, new Request("http://localhost")),
    ];
    for (const session of opened) expectTypeOf(session).toEqualTypeOf<Awaitable<Session>>();
    // @ts-expect-error the request, not its Cookie header
    onNode.openSession(config, "session=x");
  });
});
