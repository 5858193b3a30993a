// Every host whose session is a property, as an application misuses it: what a handler does to the
// place where the session hangs, and the answer of the host's own error path.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { getRequestListener } from "@hono/node-server";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
// Express 4 under another name; its types are those of 5, as far as they are used here.
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import Koa from "koa";
import type { Session, SessionConfig } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as h3Session } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import { listen } from "../support/listen.ts";

/** Where a host has the session. */
interface Place {
  session: Session | null | undefined | object;
}

/** What an application does to the place; its answer is the response's text. */
export type Act = (place: Place, path: string) => string | Promise<string>;

/** A server that runs. */
export interface Started {
  readonly url: string;
  readonly close: () => Promise<void> | void;
}

/** Makes a server: what is thrown is answered with status 500 and its code and message. */
export type MakeApp = (
  config: SessionConfig,
  act: Act,
  before?: Partial<Place>,
) => Started | Promise<Started>;

function textOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return `${code ?? "no code"}: ${message ?? ""}`;
}

/** An Express application with whatever is mounted before and behind our middleware. */
export function expressApp(
  create: () => Express,
  config: SessionConfig,
  act: Act,
  mounts: { readonly before?: RequestHandler; readonly behind?: readonly RequestHandler[] } = {},
): Promise<Started> {
  const app = create();
  if (mounts.before !== undefined) app.use(mounts.before);
  app.use(expressSession(config));
  for (const behind of mounts.behind ?? []) app.use(behind);
  app.use((request, response, next) => {
    Promise.resolve()
      .then(() => act(request as Place, request.path))
      .then((text) => response.send(text), next);
  });
  const answer: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(500).send(textOf(error));
  };
  app.use(answer);
  return listen(app);
}

/** The versions of Express. */
export const expresses: Readonly<Record<string, () => Express>> = {
  "express 5": () => express(),
  "express 4": () => (express4 as unknown as typeof express)(),
};

const onExpress =
  (create: () => Express): MakeApp =>
  (config, act, before) =>
    expressApp(create, config, act, {
      before: (request, _, next) => {
        Object.assign(request, before);
        next();
      },
    });

const onNode =
  (http2: boolean): MakeApp =>
  (config, act, before) => {
    const middleware = nodeSession(config);
    const serve: Parameters<typeof createServer>[1] = (request, response) => {
      const fail = (error: unknown): void => {
        response.statusCode = 500;
        response.end(textOf(error));
      };
      if (before !== undefined) Object.assign(request, before);
      middleware(request, response, (error) => {
        if (error !== undefined) fail(error);
        else {
          Promise.resolve()
            .then(() => act(request, request.url ?? ""))
            .then((text) => response.end(text), fail);
        }
      });
    };
    return listen(http2 ? (createHttp2Server(serve as never) as never) : createServer(serve));
  };

/** Each host by its name. */
export const places: Readonly<Record<string, MakeApp>> = {
  node: onNode(false),
  ...Object.fromEntries(
    Object.entries(expresses).map(([name, create]) => [name, onExpress(create)]),
  ),
  fastify: async (config, act, before) => {
    const app = Fastify();
    if (before !== undefined)
      app.decorateRequest("session", { getter: () => before.session as never });
    app.setErrorHandler((error, _, reply) => reply.status(500).send(textOf(error)));
    await app.register(sessionPlugin, config);
    app.all("/*", async (request, reply) => reply.send(await act(request, request.url)));
    return { url: await app.listen({ port: 0, host: "127.0.0.1" }), close: () => app.close() };
  },
  koa: (config, act, before) => {
    const app = new Koa();
    app.silent = true;
    if (before !== undefined) Object.assign(app.context, before);
    app.use(async (context, next) => {
      try {
        await next();
      } catch (error) {
        context.status = 500;
        context.body = textOf(error);
      }
    });
    app.use(koaSession(config));
    app.use(async (context) => {
      context.body = await act(context, context.path);
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
  hono: (config, act, before) => {
    const app = new Hono();
    app.onError((error, context) => context.text(textOf(error), 500));
    app.use(async (context, next) => {
      if (before !== undefined) context.set("session", before.session as never);
      await next();
    });
    app.use(honoSession(config));
    app.all("*", async (context) => {
      const place: Place = {
        get session() {
          return context.get("session");
        },
        set session(value) {
          context.set("session", value);
        },
      };
      return context.text(await act(place, context.req.path));
    });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    return listen((request, response) => void listener(request, response));
  },
  h3: (config, act, before) => {
    const app = new H3({
      silent: true,
      onError: (error) => new Response(textOf(error.cause ?? error), { status: 500 }),
    });
    app.use((event) => void Object.assign(event.context, before));
    app.use(h3Session(config));
    app.all("/**", (event) => act(event.context as Place, event.url.pathname));
    return listen(createServer(toNodeHandler(app)));
  },
};
