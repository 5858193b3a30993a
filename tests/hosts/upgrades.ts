// A WebSocket server on every host, in the host's own way: the upgrade is refused with 401 unless
// the client's session has a name, with 503 when nobody can say, and what a socket gets is what its
// session said.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { createAdaptorServer, upgradeWebSocket } from "@hono/node-server";
import type { Hooks } from "crossws";
import { plugin, serve as serveFetch } from "crossws/server";
import express, { type Express } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import { defineWebSocketHandler, H3 } from "h3";
import { serve as serveH3 } from "h3/node";
import { Hono } from "hono";
import Koa from "koa";
import type { Awaitable, Session, SessionConfig } from "kocha-session";
import { openSession as openExpress } from "kocha-session/express";
import { openSession as openFastify } from "kocha-session/fastify";
import { openSession as openFetch } from "kocha-session/fetch";
import { openSession as openH3 } from "kocha-session/h3";
import { openSession as openHono } from "kocha-session/hono";
import { openSession as openKoa } from "kocha-session/koa";
import { openSession as openNode } from "kocha-session/node";
import { WebSocketServer } from "ws";
import { listen } from "../support/listen.ts";

/** A server that takes upgrades. */
export interface UpgradeApp {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** What a socket is told of its session: the name, and what a write came to. */
function describeSession(session: Session): string {
  let write = "done";
  try {
    session.set("name", "changed");
  } catch (error) {
    write = (error as { code: string }).code;
  }
  return `${session.get("name")} ${write}`;
}

/** The status that refuses the upgrade; undefined: it is taken. */
function refusalOf(session: Session): 401 | 503 | undefined {
  if (session.unavailable) return 503;
  return session.get("name") === "" ? 401 : undefined;
}

function statusOf(error: unknown): number {
  return (error as { status?: number }).status ?? 500;
}

/** The upgrade as every host on node:http gets it. */
function takeUpgrades(
  server: Server,
  open: (request: IncomingMessage) => Awaitable<Session>,
): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true });
  const refuse = (socket: Duplex, status: number): void =>
    void socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`);
  server.on("upgrade", (request, socket, head) => {
    void (async () => {
      try {
        const session = await open(request);
        const refusal = refusalOf(session);
        if (refusal !== undefined) {
          refuse(socket, refusal);
          return;
        }
        sockets.handleUpgrade(request, socket, head, (peer) => peer.send(describeSession(session)));
      } catch (error) {
        refuse(socket, statusOf(error));
      }
    })();
  });
  return sockets;
}

async function onNodeServer(
  server: Server,
  open: (request: IncomingMessage) => Awaitable<Session>,
): Promise<UpgradeApp> {
  const sockets = takeUpgrades(server, open);
  const { url, close } = await listen(server);
  const end = async (): Promise<void> => {
    for (const peer of sockets.clients) peer.terminate();
    await close();
  };
  return { url, close: end };
}

/** crossws is how h3, Nitro and srvx take sockets on every runtime; an upgrade is a Request there. */
function crossHooks(open: (request: Request) => Awaitable<Session>): Partial<Hooks> {
  return {
    async upgrade(request) {
      try {
        const session = await open(request);
        const status = refusalOf(session);
        if (status !== undefined) return new Response(null, { status });
        return { context: { says: describeSession(session) } };
      } catch (error) {
        return new Response(null, { status: statusOf(error) });
      }
    },
    open: (peer) => void peer.send(String(peer.context["says"])),
  };
}

async function ready(server: {
  readonly url?: string | undefined;
  readonly ready: () => Promise<unknown>;
  readonly close: (closeAll?: boolean) => Promise<void>;
}): Promise<UpgradeApp> {
  await server.ready();
  return { url: (server.url ?? "").replace(/\/$/, ""), close: () => server.close(true) };
}

const loopback = { port: 0, hostname: "127.0.0.1", silent: true } as const;

/** A WebSocket server of each host. */
export const upgradeApps: Readonly<Record<string, (config: SessionConfig) => Promise<UpgradeApp>>> =
  {
    node: (config) => onNodeServer(createServer(), (request) => openNode(config, request)),
    "express 5": (config) =>
      onNodeServer(createServer(express()), (request) => openExpress(config, request)),
    "express 4": (config) =>
      onNodeServer(createServer((express4 as unknown as () => Express)()), (request) =>
        openExpress(config, request),
      ),
    fastify: async (config) => {
      const app = Fastify();
      await app.ready();
      return onNodeServer(app.server, (request) => openFastify(config, request));
    },
    koa: (config) => {
      const callback = new Koa().callback();
      const server = createServer((request, response) => void callback(request, response));
      return onNodeServer(server, (request) => openKoa(config, request));
    },
    hono: async (config) => {
      const app = new Hono<{ Variables: { opened: Session } }>();
      app.use(async (context, next) => {
        const session = await openHono(config, context.req);
        const refusal = refusalOf(session);
        if (refusal !== undefined) return context.body(null, refusal);
        context.set("opened", session);
        return next();
      });
      app.get(
        "*",
        upgradeWebSocket((context) => {
          const says = describeSession((context.get as (key: "opened") => Session)("opened"));
          return { onOpen: (_, peer) => peer.send(says) };
        }),
      );
      app.onError((error, context) => context.body(null, statusOf(error) as 503));
      const sockets = new WebSocketServer({ noServer: true });
      // The declarations of ws and of the adapter disagree on what may be undefined.
      const websocket = { server: sockets as never };
      const server = createAdaptorServer({ fetch: app.fetch, websocket });
      const { url, close } = await listen(server as Server);
      const end = async (): Promise<void> => {
        for (const peer of sockets.clients) peer.terminate();
        await close();
      };
      return { url, close: end };
    },
    h3: (config) => {
      const app = new H3({ silent: true });
      app.get("/**", defineWebSocketHandler(crossHooks((request) => openH3(config, request))));
      return ready(serveH3(app, { ...loopback, plugins: [plugin({})] }));
    },
    fetch: (config) => {
      const hooks = crossHooks((request) => openFetch(config, request));
      const fetch = (): Response => new Response("not an upgrade", { status: 426 });
      return ready(serveFetch({ ...loopback, fetch, websocket: { resolve: () => hooks } }));
    },
  };
