// Hosts over HTTP/2, and what lets a client of HTTP/1 talk to them: each of its requests becomes a
// stream, and what it does, leaving early included, is done to the stream.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  connect,
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { sessionPlugin } from "kocha-session/fastify";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import type { MakeServer, ProbeAnswer, ProbeHandler } from "kocha-session/testing";
import { listen } from "../support/listen.ts";

/** Headers of one connection, which HTTP/2 refuses: RFC 9113 section 8.2.2. */
const connectionHeaders = new Set(["connection", "keep-alive", "transfer-encoding", "host", "te"]);

/** An HTTP/1 server on a loopback port whose requests go to an HTTP/2 server as streams. */
async function overHttp2(server: Http2Server) {
  if (!server.listening) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on("error", () => undefined);
  const front = await listen(
    createServer((request, response) => {
      const headers: Record<string, string | string[]> = {
        ":method": request.method ?? "GET",
        ":path": request.url ?? "/",
      };
      for (const [name, value] of Object.entries(request.headers)) {
        if (value === undefined || connectionHeaders.has(name)) continue;
        // A cookie a field, as browsers send them over HTTP/2: RFC 9113 section 8.2.3.
        headers[name] = name === "cookie" ? String(value).split("; ") : value;
      }
      const stream = session.request(headers);
      stream.on("error", () => response.destroy());
      response.once("close", () => {
        if (!response.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.once("response", (answer: IncomingHttpHeaders) => {
        for (const [name, value] of Object.entries(answer)) {
          if (!name.startsWith(":") && value !== undefined) response.setHeader(name, value);
        }
        response.statusCode = Number(answer[":status"]);
        stream.pipe(response);
      });
      request.pipe(stream);
    }),
  );
  const close = async (): Promise<void> => {
    await front.close();
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: front.url, close };
}

function statusOf(error: unknown): number {
  return (error as { status?: number }).status ?? 500;
}

function toResponse({ status, body, headers = {} }: ProbeAnswer): Response {
  return new Response(status === 204 || status === 303 ? null : body, { status, headers });
}

/** HTTP/2's compatible request and response, seen as what they are compatible with. */
function seenAsHttp1(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Http2Server {
  return createHttp2Server(
    (request, response) =>
      void listener(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
}

/** An address without scheme and host: HTTP/2 gives the path alone too. */
const base = "http://localhost";

/** The hosts that serve HTTP/2: Express can't, since it replaces the prototypes of what it gets. */
export const http2Hosts: Readonly<Record<string, MakeServer>> = {
  node: (config, handler: ProbeHandler) => {
    const withNode = nodeSession(config);
    return overHttp2(
      seenAsHttp1((request, response) => {
        const fail = (error: unknown): void => {
          response.statusCode = statusOf(error);
          response.end("error");
        };
        withNode(request, response, (error) => {
          if (error !== undefined) {
            fail(error);
            return;
          }
          const url = new URL(request.url ?? "/", base);
          void Promise.resolve(handler(request.session, url)).then(
            ({ status, body, headers = {} }) => response.writeHead(status, headers).end(body),
            fail,
          );
        });
      }),
    );
  },
  fastify: async (config, handler) => {
    const app = Fastify({ http2: true });
    await app.register(sessionPlugin, config);
    app.all("/*", { exposeHeadRoute: false }, async (request, reply) => {
      const {
        status,
        body,
        headers = {},
      } = await handler(request.session, new URL(request.url, base));
      return reply.status(status).headers(headers).send(body);
    });
    await app.ready();
    return overHttp2(app.server);
  },
  koa: (config, handler) => {
    const app = new Koa();
    app.silent = true;
    app.use(koaSession(config));
    app.use(async (context) => {
      const {
        status,
        body,
        headers = {},
      } = await handler(context.session, new URL(context.url, base));
      context.set(headers);
      context.body = body;
      context.status = status;
    });
    const callback = app.callback();
    return overHttp2(seenAsHttp1((request, response) => callback(request, response)));
  },
  hono: (config, handler) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.all("*", async (context) =>
      toResponse(await handler(context.get("session"), new URL(context.req.url))),
    );
    app.onError((error) => new Response("error", { status: statusOf(error) }));
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    return overHttp2(createHttp2Server((request, response) => void listener(request, response)));
  },
  fetch: (config, handler) => {
    const serve = withSession(
      config,
      async (request, session) => toResponse(await handler(session, new URL(request.url))),
      { onError: (error) => new Response("error", { status: statusOf(error) }) },
    );
    const listener = getRequestListener(serve, { overrideGlobalObjects: false });
    return overHttp2(createHttp2Server((request, response) => void listener(request, response)));
  },
};
