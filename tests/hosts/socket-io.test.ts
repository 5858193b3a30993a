// socket.io runs Connect's middlewares on its handshakes, `io.engine.use`: the session is on the
// request of each socket, by both transports, and a store that is down refuses the socket only.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import { mintCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

const middlewares = { node: nodeSession, express: expressSession } as const;
const configs: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

describe.each(["node", "express"] as const)("the middleware of kocha-session/%s", (entry) => {
  async function start(config: SessionConfig): Promise<string> {
    const server = createServer();
    const sockets = new Server(server);
    sockets.engine.use(middlewares[entry]({ secure: false, storeTimeout: 30, ...config }));
    sockets.on("connection", (socket) => {
      socket.emit("greeting", socket.request.session.get("name"));
    });
    const { url, close } = await listen(server);
    onTestFinished(async () => {
      await sockets.close();
      await close();
    });
    return url;
  }

  /** What a client is told first, or that it isn't let in. */
  async function join(url: string, transport: string, cookie: string): Promise<string> {
    const socket = io(url, {
      transports: [transport],
      extraHeaders: { cookie },
      reconnection: false,
      forceNew: true,
    });
    try {
      return await new Promise((resolve) => {
        socket.once("greeting", (name: string) => resolve(`hello ${name}`));
        socket.once("connect_error", () => resolve("refused"));
      });
    } finally {
      socket.disconnect();
    }
  }

  describe.each(["polling", "websocket"])("by %s", (transport) => {
    test.each(Object.entries(configs))("gives a socket its session, over %s", async (_, make) => {
      const config = make();
      const url = await start(config);
      const cookie = await mintCookie(config, { name: "alice" });
      expect(await join(url, transport, cookie)).toBe("hello alice");
      expect(await join(url, transport, "session=made-up")).toBe("hello ");
    });

    test("refuses a socket while its store is down, and goes on", async () => {
      const spy = spyOn(slowly(new SessionMemoryStore()));
      const config = { store: spy.store, signingKey: freshKey() };
      const url = await start(config);
      const cookie = await mintCookie(config, { name: "alice" });
      spy.fault = "load";
      expect(await join(url, transport, cookie)).toBe("refused");
      spy.fault = undefined;
      expect(await join(url, transport, cookie)).toBe("hello alice");
    });
  });
});
