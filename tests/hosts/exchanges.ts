// One application on every host, written as that host's users write it: text, a stream's bytes, a
// cookie of its own, a redirect; with the session mounted as often as a test wants.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { pipeline, Readable } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import express, {
  type Express,
  type NextFunction,
  type Request as ExpressRequest,
  type Response as ExpressResponse,
} from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import { Elysia } from "elysia";
import Fastify from "fastify";
import { H3, type H3Event, redirect as redirectH3, setCookie as setH3Cookie } from "h3";
import { toNodeHandler } from "h3/node";
import { H3 as OlderH3, redirect as redirectOlderH3, setCookie as setOlderH3Cookie } from "h3rc";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import { type Context, Hono } from "hono";
import { setCookie as setHonoCookie } from "hono/cookie";
import Koa from "koa";
import type { Session, SessionConfig } from "kocha-session";
import { session as elysiaSession } from "kocha-session/elysia";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionOf, withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf as ofH3 } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import {
  type SessionListener,
  sessionMiddleware as nodeSession,
  withSession as withNodeSession,
} from "kocha-session/node";
import { listen } from "../support/listen.ts";

/** One request, and the host's own ways to answer it; what they give is what the handler returns. */
interface Exchange {
  readonly session: Session;
  readonly path: string;
  readonly send: (text: string) => unknown;
  readonly pipe: (source: Readable) => unknown;
  readonly redirect: (to: string) => unknown;
  /** Sets a cookie of the application's own. */
  readonly cookie: (name: string, value: string) => void;
  /** Resolves when the client has left before it was answered. */
  readonly gone: () => Promise<unknown>;
}

/** The application. */
export type Handle = (exchange: Exchange) => unknown;

/** What a test gets of a host. */
interface HostApp {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Serves the application with the session mounted `mounts` times. */
export type MakeApp = (config: SessionConfig, handle: Handle, mounts?: number) => Promise<HostApp>;

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function closed(response: ServerResponse): Promise<unknown> {
  return new Promise((resolve) => response.once("close", resolve));
}

function aborted({ signal }: { readonly signal: AbortSignal }): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

function statusOf(error: unknown): number {
  return (error as { status?: number } | null)?.status ?? 500;
}

function onExpress(create: () => Express): MakeApp {
  return (config, handle, mounts = 1) => {
    const app = create();
    app.set("env", "test");
    for (const session of times(mounts, () => expressSession(config))) app.use(session);
    app.use((request: ExpressRequest, response: ExpressResponse, next: NextFunction) => {
      const exchange: Exchange = {
        session: request.session,
        path: request.path,
        send: (text) => response.send(text),
        pipe: (source) => pipeline(source, response, () => undefined),
        redirect: (to) => response.redirect(to),
        cookie: (name, value) => response.cookie(name, value),
        gone: () => closed(response),
      };
      Promise.resolve(exchange).then(handle).catch(next);
    });
    return listen(app);
  };
}

/** A listener of node:http for a function of the Fetch API; the globals stay Node's own. */
export function bridge(serve: (request: Request) => Response | Promise<Response>): RequestListener {
  const listener = getRequestListener(serve, { overrideGlobalObjects: false });
  return (request, response) => void listener(request, response);
}

/** The bytes of a stream, for the hosts of the Fetch API. */
function webBody(source: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(source) as ReadableStream<Uint8Array>;
}

/** An exchange on node:http. */
function onNode(request: IncomingMessage, response: ServerResponse): Exchange {
  const cookies: string[] = [];
  return {
    session: request.session,
    path: request.url ?? "/",
    send: (text) => response.end(text),
    pipe: (source) => {
      source.once("error", () => response.destroy());
      response.once("close", () => source.destroy());
      return source.pipe(response);
    },
    redirect: (to) => response.writeHead(302, { Location: to }).end(),
    cookie: (name, value) => {
      cookies.push(`${name}=${value}`);
      response.setHeader("Set-Cookie", cookies);
    },
    gone: () => closed(response),
  };
}

/** What an exchange is on every version of h3. */
function h3Exchange(event: {
  readonly context: object;
  readonly req: { readonly signal: AbortSignal };
  readonly url: URL;
}): Omit<Exchange, "cookie" | "redirect"> {
  return {
    session: ofH3(event),
    path: event.url.pathname,
    send: (text) => text,
    pipe: webBody,
    gone: () => aborted(event.req),
  };
}

/** Each host with the application on it. */
export const exchangeApps: Readonly<Record<string, MakeApp>> = {
  node: (config, handle, mounts = 1) => {
    const sessions = times(mounts, () => nodeSession(config));
    return listen(
      createServer((request, response) => {
        const fail = (error: unknown): void => {
          response.statusCode = statusOf(error);
          response.end("error");
        };
        const answer = (): void => {
          Promise.resolve(onNode(request, response)).then(handle).catch(fail);
        };
        const chain = sessions.reduceRight<(error?: unknown) => void>(
          (next, session) => (error) => {
            if (error === undefined) session(request, response, next);
            else fail(error);
          },
          (error) => {
            if (error === undefined) answer();
            else fail(error);
          },
        );
        chain();
      }),
    );
  },
  "node, as a listener": (config, handle, mounts = 1) => {
    // What is reported here, the tests provoke.
    const quiet = { reportError: () => undefined };
    const answer: SessionListener = (request, response) => handle(onNode(request, response));
    const listener = times(mounts - 1, () => quiet).reduce<RequestListener>(
      (inner, options) => withNodeSession(config, inner, options),
      withNodeSession(config, answer, quiet),
    );
    return listen(createServer(listener));
  },
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  fastify: async (config, handle, mounts = 1) => {
    const app = Fastify();
    for (let mounted = 0; mounted < mounts; mounted++) await app.register(sessionPlugin, config);
    app.all("/*", async (request, reply) => {
      await handle({
        session: request.session,
        path: request.url,
        send: (text) => reply.send(text),
        pipe: (source) => reply.send(source),
        redirect: (to) => reply.redirect(to),
        cookie: (name, value) => void reply.header("Set-Cookie", `${name}=${value}`),
        gone: () => closed(reply.raw),
      });
      return reply;
    });
    await app.ready();
    const { url, close } = await listen(app.server);
    return {
      url,
      close: async () => {
        await close();
        await app.close();
      },
    };
  },
  koa: (config, handle, mounts = 1) => {
    const app = new Koa();
    app.silent = true;
    for (const session of times(mounts, () => koaSession(config))) app.use(session);
    app.use(async (context) => {
      await handle({
        session: context.session,
        path: context.path,
        send: (text) => (context.body = text),
        pipe: (source) => (context.body = source),
        redirect: (to) => context.redirect(to),
        cookie: (name, value) => context.cookies.set(name, value),
        gone: () => closed(context.res),
      });
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
  hono: (config, handle, mounts = 1) => {
    const app = new Hono();
    for (const session of times(mounts, () => honoSession(config))) app.use(session);
    app.all("*", async (context: Context) => {
      const answer = await handle({
        session: context.get("session"),
        path: context.req.path,
        send: (text) => context.text(text),
        pipe: (source) => context.body(webBody(source)),
        redirect: (to) => context.redirect(to),
        cookie: (name, value) => setHonoCookie(context, name, value),
        gone: () => aborted(context.req.raw),
      });
      return answer as Response;
    });
    app.onError((error, context) => context.text("error", statusOf(error) as 500));
    return listen(createServer(bridge((request) => app.fetch(request))));
  },
  h3: (config, handle, mounts = 1) => {
    const app = new H3({ silent: true });
    for (const session of times(mounts, () => h3Session(config))) app.use(session);
    app.all("/**", (event: H3Event) =>
      handle({
        ...h3Exchange(event),
        redirect: (to) => redirectH3(to),
        cookie: (name, value) => setH3Cookie(event, name, value),
      }),
    );
    return listen(createServer(toNodeHandler(app)));
  },
  "h3 2.0.1-rc.2": (config, handle, mounts = 1) => {
    const app = new OlderH3({ silent: true });
    for (const session of times(mounts, () => h3Session(config))) app.use(session);
    app.all("/**", (event) =>
      handle({
        ...h3Exchange(event),
        redirect: (to) => redirectOlderH3(to),
        cookie: (name, value) => setOlderH3Cookie(event, name, value),
      }),
    );
    const run = toOlderNodeHandler(app);
    // Its promise rejects where a body breaks on the way.
    return listen(
      createServer((request, response) => {
        Promise.resolve(run(request, response)).catch(() => response.destroy());
      }),
    );
  },
  elysia: (config, handle, mounts = 1) => {
    const app = new Elysia();
    for (const session of times(mounts, () => elysiaSession(config))) app.use(session);
    app.onError(({ error }) => new Response("error", { status: statusOf(error) }));
    app.all("*", async (context) =>
      handle({
        session: sessionOf(context.request),
        path: context.path,
        send: (text) => text,
        pipe: (source) => new Response(webBody(source)),
        redirect: (to) => context.redirect(new URL(to, context.request.url).href),
        cookie: (name, value) => void context.cookie[name]?.set({ value }),
        gone: () => aborted(context.request),
      }),
    );
    return listen(createServer(bridge((request) => app.fetch(request))));
  },
  fetch: (config, handle, mounts = 1) => {
    const onError = (error: unknown): Response =>
      new Response("error", { status: statusOf(error) });
    const answer = async (request: Request, session: Session): Promise<Response> => {
      const own = new Headers();
      const response = (await handle({
        session,
        path: new URL(request.url).pathname,
        send: (text) => new Response(text),
        pipe: (source) => new Response(webBody(source)),
        redirect: (to) => Response.redirect(new URL(to, request.url), 302),
        cookie: (name, value) => own.append("Set-Cookie", `${name}=${value}`),
        gone: () => aborted(request),
      })) as Response;
      const headers = new Headers(response.headers);
      for (const cookie of own.getSetCookie()) headers.append("Set-Cookie", cookie);
      return new Response(response.body, { status: response.status, headers });
    };
    const serve = times(mounts - 1, () => onError).reduce<(request: Request) => Promise<Response>>(
      (inner) => withSession(config, (request) => inner(request), { onError }),
      withSession(config, answer, { onError }),
    );
    return listen(createServer(bridge(serve)));
  },
};
