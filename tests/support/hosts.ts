// Every host with every version that we promise, as the conformance kit wants them.
import { createServer, type RequestListener } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import express, {
  type Express,
  type Request as ExpressRequest,
  type Response as ExpressResponse,
} from "express";
// Express 4 under another name; its types are those of 5, as far as they are used here.
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import { Elysia } from "elysia";
import Fastify, { type FastifyInstance } from "fastify";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import Koa from "koa";
import { session as elysiaSession } from "kocha-session/elysia";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import type { MakeServer, ProbeAnswer } from "kocha-session/testing";
import { toNodeHandler as toSrvxHandler } from "srvx/node";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { listen } from "./listen.ts";

/** Express, of whichever version `create` is. */
export function onExpress(create: () => Express): MakeServer {
  return (config, handler) => {
    const app = create();
    // Mounted twice: it must open once.
    app.use(expressSession(config), expressSession(config));
    app.use(
      (request: ExpressRequest, response: ExpressResponse, next: (error: unknown) => void) => {
        Promise.resolve(handler(request.session, new URL(request.url, "http://localhost"))).then(
          ({ status, body, headers = {} }) => {
            response.status(status).set(headers).send(body);
          },
          next,
        );
      },
    );
    // Express' own error handler prints what it answers.
    app.set("env", "test");
    return listen(app);
  };
}

function toResponse({ status, body, headers = {} }: ProbeAnswer): Response {
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
}

function statusOf(error: unknown): number {
  return (error as { status?: number }).status ?? 500;
}

/** A listener of node:http for a function of the Fetch API; the globals stay Node's own. */
function bridge(
  serve: (request: Request, env: HttpBindings) => Response | Promise<Response>,
): RequestListener {
  const listener = getRequestListener((request, env) => serve(request, env as HttpBindings), {
    overrideGlobalObjects: false,
  });
  return (request, response) => void listener(request, response);
}

/** What some hosts of the Fetch API pass beside a request. */
interface PeerInfo {
  readonly remoteAddr: { readonly hostname: string | undefined };
}

/** Fastify, of whichever version `create` is. */
export function onFastify(create: () => FastifyInstance): MakeServer {
  return async (config, handler) => {
    const app = create();
    await app.register(sessionPlugin, config);
    app.all("/*", { exposeHeadRoute: false }, async (request, reply) => {
      const {
        status,
        body,
        headers = {},
      } = await handler(request.session, new URL(request.url, "http://localhost"));
      return reply.status(status).headers(headers).send(body);
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const close = async (): Promise<void> => {
      app.server.closeAllConnections();
      await app.close();
    };
    return { url: `http://127.0.0.1:${port}`, close };
  };
}

/** Koa, of whichever version `create` is. */
export function onKoa(create: () => Koa): MakeServer {
  return (config, handler) => {
    const app = create();
    app.silent = true;
    app.use(koaSession(config));
    app.use(koaSession(config));
    app.use(async (context) => {
      const {
        status,
        body,
        headers = {},
      } = await handler(context.session, new URL(context.url, "http://localhost"));
      context.set(headers);
      context.body = body;
      context.status = status;
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  };
}

/** Hono, of whichever version `create` is. */
export function onHono(create: () => Hono): MakeServer {
  return (config, handler) => {
    const app = create();
    // Hono 3 mounts what is given without a path at "/" only.
    app.use("*", honoSession(config));
    app.use("*", honoSession(config));
    app.all("*", async (context) =>
      toResponse(await handler(context.get("session"), new URL(context.req.url))),
    );
    app.onError((error) =>
      "getResponse" in error
        ? (error as { getResponse: () => Response }).getResponse()
        : new Response("error", { status: 500 }),
    );
    return listen(createServer(bridge((request, env) => app.fetch(request, env))));
  };
}

/** Elysia on Node.js by srvx, whose requests know their client's address. */
const onElysia: MakeServer = (config, handler) => {
  const app = new Elysia()
    .use(elysiaSession(config))
    .use(elysiaSession(config))
    .all("*", async ({ session, request }) =>
      toResponse(await handler(session, new URL(request.url))),
    );
  return listen(createServer(toSrvxHandler((request) => app.fetch(request)) as RequestListener));
};

/** A server of each host for a handler. */
export const hosts: Readonly<Record<string, MakeServer>> = {
  node: nodeServer,
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  fastify: onFastify(() => Fastify()),
  koa: onKoa(() => new Koa()),
  hono: onHono(() => new Hono()),
  h3: (config, handler) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.use(h3Session(config));
    app.all("/**", async (event) => toResponse(await handler(sessionOf(event), event.url)));
    return listen(createServer(toNodeHandler(app)));
  },
  elysia: onElysia,
  fetch: (config, handler) => {
    const serve = withSession(
      config,
      async (request, session, _info: PeerInfo) =>
        toResponse(await handler(session, new URL(request.url))),
      { onError: (error) => new Response("error", { status: statusOf(error) }) },
    );
    // Deno passes the peer's address like this.
    const peer = ({ incoming }: HttpBindings): PeerInfo => ({
      remoteAddr: { hostname: incoming.socket.remoteAddress },
    });
    return listen(createServer(bridge((request, env) => serve(request, peer(env)))));
  },
};
