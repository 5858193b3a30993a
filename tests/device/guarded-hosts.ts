// Each host with checks of its application's own, as that host's users mount them: behind the sessions, as
// documented, or before them.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import express, { type NextFunction, type Request, type Response as Answer } from "express";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { H3, type H3Event } from "h3";
import { toNodeHandler } from "h3/node";
import { H3 as OlderH3, type H3Event as OlderH3Event } from "h3rc";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import {
  createApp,
  type EventHandler,
  eventHandler,
  setResponseHeaders,
  setResponseStatus,
  toNodeListener,
} from "h3v1";
import { Hono, type MiddlewareHandler } from "hono";
import Koa, { type Middleware } from "koa";
import type { Session } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf as ofH3 } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { withSession as withNodeSession } from "kocha-session/node";
import type { MakeServer, ProbeAnswer } from "kocha-session/testing";
import { bridge } from "../hosts/exchanges.ts";
import { listen } from "../support/listen.ts";

/** A request, as an application's checks see it. */
interface Checked {
  readonly method: string;
  readonly path: string;
  readonly header: (name: string) => string | undefined;
  /** Undefined: the sessions come later. */
  readonly session: Session | undefined;
}

/** The answer to a request that is refused; undefined: it goes on. */
export type Check = (request: Checked) => ProbeAnswer | undefined;

/** The place of an application's own middleware. */
type Order = "behind" | "before";

/** Headers that a middleware sets on the responses to requests that go on, as helmet does. */
type Passing = Readonly<Record<string, string>>;

/** A host with checks that are mounted behind its sessions, or before them. */
type MakeGuarded = (order: Order, check: Check, passing?: Passing) => MakeServer;

const urlOf = (url = "/"): URL => new URL(url, "http://localhost");

function toResponse({ status, body, headers = {} }: ProbeAnswer): Response {
  return new Response(body, { status, headers });
}

/** The two middlewares of a host in their order. */
function inOrder<T>(order: Order, session: T, guard: T): readonly [T, T] {
  return order === "behind" ? [session, guard] : [guard, session];
}

function ofNode(request: IncomingMessage, session: Session | undefined): Checked {
  const header = (name: string): string | undefined => request.headers[name] as string | undefined;
  return { method: request.method ?? "", path: urlOf(request.url).pathname, header, session };
}

function ofWeb(
  { method, url, headers }: { method: string; url: string; headers: Headers },
  session: Session | undefined,
): Checked {
  const header = (name: string): string | undefined => headers.get(name) ?? undefined;
  return { method, path: urlOf(url).pathname, header, session };
}

function sendNode(response: ServerResponse, { status, body, headers = {} }: ProbeAnswer): void {
  response.writeHead(status, headers).end(body);
}

const onNode: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const isBehind = order === "behind";
    const listener = withNodeSession(config, async (request, response, session) => {
      const refusal = isBehind ? check(ofNode(request, session)) : undefined;
      sendNode(response, refusal ?? (await handler(session, urlOf(request.url))));
    });
    return listen(
      createServer((request, response) => {
        const refusal = isBehind ? undefined : check(ofNode(request, undefined));
        for (const [name, value] of Object.entries(passing)) response.setHeader(name, value);
        if (refusal === undefined) void listener(request, response);
        else sendNode(response, refusal);
      }),
    );
  };

const onExpress: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = express();
    const send = (response: Answer, { status, body, headers = {} }: ProbeAnswer): void => {
      response.status(status).set(headers).send(body);
    };
    const guard = (request: Request, response: Answer, next: NextFunction): void => {
      const refusal = check(ofNode(request, request.session));
      if (refusal === undefined) {
        response.set(passing);
        next();
      } else send(response, refusal);
    };
    app.use(...inOrder(order, expressSession(config), guard));
    app.use((request, response, next) => {
      Promise.resolve(handler(request.session, urlOf(request.url))).then(
        (answer) => send(response, answer),
        next,
      );
    });
    return listen(app);
  };

const onFastify: MakeGuarded =
  (order, check, passing = {}) =>
  async (config, handler) => {
    const app = Fastify();
    const send = (reply: FastifyReply, { status, body, headers = {} }: ProbeAnswer): FastifyReply =>
      reply.status(status).headers(headers).send(body);
    const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const session = order === "behind" ? request.session : undefined;
      const refusal = check(ofNode(request.raw, session));
      void reply.headers(passing);
      return refusal && send(reply, refusal);
    };
    if (order === "before") app.addHook("onRequest", guard);
    await app.register(sessionPlugin, config);
    if (order === "behind") app.addHook("onRequest", guard);
    app.all("/*", async (request, reply) =>
      send(reply, await handler(request.session, urlOf(request.url))),
    );
    await app.ready();
    const { url, close } = await listen(app.server);
    return { url, close: () => close().then(() => app.close()) };
  };

const onKoa: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = new Koa();
    const guard: Middleware = async (context, next) => {
      const refusal = check(ofNode(context.req, context.session));
      if (refusal === undefined) {
        context.set(passing);
        await next();
        return;
      }
      context.set(refusal.headers ?? {});
      context.body = refusal.body;
      context.status = refusal.status;
    };
    for (const step of inOrder(order, koaSession(config), guard)) app.use(step);
    app.use(async (context) => {
      const { status, body } = await handler(context.session, urlOf(context.url));
      context.body = body;
      context.status = status;
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  };

const onHono: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = new Hono();
    const guard: MiddlewareHandler = async (context, next) => {
      const refusal = check(ofWeb(context.req.raw, context.get("session")));
      for (const [name, value] of Object.entries(passing)) context.res.headers.set(name, value);
      if (refusal === undefined) await next();
      return refusal && toResponse(refusal);
    };
    for (const step of inOrder(order, honoSession(config), guard)) app.use(step);
    app.all("*", async (context) =>
      toResponse(await handler(context.get("session"), new URL(context.req.url))),
    );
    return listen(createServer(bridge((request) => app.fetch(request))));
  };

type Next = () => unknown;

/** The middlewares of h3 2, in any copy of it. */
function h3Steps(
  order: Order,
  check: Check,
  passing: Passing,
  config: Parameters<MakeServer>[0],
): readonly ((event: H3Event & OlderH3Event, next: Next) => unknown)[] {
  const guard = (event: H3Event, next: Next): unknown => {
    const refusal = check(ofWeb(event.req, event.context.session));
    for (const [name, value] of Object.entries(passing)) event.res.headers.set(name, value);
    return refusal === undefined ? next() : toResponse(refusal);
  };
  return inOrder<(event: H3Event & OlderH3Event, next: Next) => unknown>(
    order,
    h3Session(config),
    guard,
  );
}

const onH3: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = new H3();
    for (const step of h3Steps(order, check, passing, config)) app.use(step as never);
    app.all("/**", async (event) => toResponse(await handler(ofH3(event), event.url)));
    return listen(createServer(toNodeHandler(app)));
  };

const onOlderH3: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = new OlderH3();
    for (const step of h3Steps(order, check, passing, config)) app.use(step as never);
    app.all("/**", async (event) => toResponse(await handler(ofH3(event), event.url)));
    const run = toOlderNodeHandler(app);
    return listen(createServer((request, response) => void run(request, response)));
  };

const onH3One: MakeGuarded =
  (order, check, passing = {}) =>
  (config, handler) => {
    const app = createApp();
    const guard = eventHandler((event) => {
      const refusal = check(
        ofNode(event.node.req, event.context["session"] as Session | undefined),
      );
      if (refusal === undefined) {
        setResponseHeaders(event, passing);
        return undefined;
      }
      setResponseStatus(event, refusal.status);
      setResponseHeaders(event, refusal.headers ?? {});
      return refusal.body;
    });
    for (const step of inOrder<EventHandler>(order, h3Session(config), guard)) app.use(step);
    app.use(
      eventHandler(async (event) => {
        const { status, body } = await handler(ofH3(event), urlOf(event.path));
        setResponseStatus(event, status);
        return body;
      }),
    );
    return listen(toNodeListener(app));
  };

const onFetch: MakeGuarded = (order, check) => (config, handler) => {
  const isBehind = order === "behind";
  const serve = withSession(config, async (request, session) => {
    const refusal = isBehind ? check(ofWeb(request, session)) : undefined;
    return toResponse(refusal ?? (await handler(session, new URL(request.url))));
  });
  const listener = bridge((request) => {
    const refusal = isBehind ? undefined : check(ofWeb(request, undefined));
    return refusal === undefined ? serve(request) : toResponse(refusal);
  });
  return listen(createServer(listener));
};

/** The hosts by name. */
export const guardedHosts: Readonly<Record<string, MakeGuarded>> = {
  node: onNode,
  express: onExpress,
  fastify: onFastify,
  koa: onKoa,
  hono: onHono,
  h3: onH3,
  "h3 2.0.1-rc.2": onOlderH3,
  "h3 1": onH3One,
  fetch: onFetch,
};
