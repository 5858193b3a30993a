// Answers that a handler writes to node:http's own response, past its host: Hono's and the Fetch
// API's RESPONSE_ALREADY_SENT, h3's fromNodeHandler. The session's cookie goes out with them, or the
// observers hear why not.
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { fromNodeHandler, H3 } from "h3";
import { fromNodeHandler as fromOlderNodeHandler, H3 as OlderH3 } from "h3rc";
import { toNodeHandler } from "h3/node";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import { Hono } from "hono";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowly } from "../support/latency.ts";

/** Answers on node:http's own objects. */
type Write = (session: Session, response: ServerResponse) => unknown;
type Serve = (config: SessionConfig, write: Write) => Parameters<typeof listen>[0];

const listener = (serve: (request: Request, env: HttpBindings) => unknown) => {
  const options = { overrideGlobalObjects: false };
  const handle = getRequestListener(serve as Parameters<typeof getRequestListener>[0], options);
  return (request: IncomingMessage, response: ServerResponse) => void handle(request, response);
};

const hosts: Readonly<Record<string, Serve>> = {
  hono: (config, write) => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(honoSession(config));
    app.get("*", async (context) => {
      await write(context.get("session"), context.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    return listener((request, env) => app.fetch(request, env));
  },
  fetch: (config, write) =>
    listener(
      withSession<Request, [HttpBindings]>(config, async (_, session, { outgoing }) => {
        await write(session, outgoing);
        return RESPONSE_ALREADY_SENT;
      }),
    ),
  h3: (config, write) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.get(
      "/**",
      fromNodeHandler(async (request, response) => {
        const { session } = request as IncomingMessage;
        await write(session, response as ServerResponse);
      }),
    );
    return toNodeHandler(app);
  },
  "h3, by a middleware of Node's": (config, write) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.get(
      "/**",
      // With a third parameter h3 waits until the response is through.
      fromNodeHandler((request, response, _next?: unknown) => {
        void write((request as IncomingMessage).session, response as ServerResponse);
      }),
    );
    return toNodeHandler(app);
  },
  "h3 2.0.1-rc.2": (config, write) => {
    const app = new OlderH3({ silent: true });
    app.use(h3Session(config));
    app.get(
      "/**",
      fromOlderNodeHandler(async (request, response) => {
        await write((request as IncomingMessage).session, response as ServerResponse);
      }),
    );
    return toOlderNodeHandler(app);
  },
};

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

/** Every way to write past a host. */
const writes: Readonly<Record<string, Write>> = {
  "head and body": (session, response) => {
    session.set("a", "1");
    response.writeHead(200, { "Content-Type": "text/plain", "Set-Cookie": "own=1" });
    response.write("bo");
    response.end("dy");
  },
  "the body alone": (session, response) => {
    session.set("a", "1");
    response.setHeader("Set-Cookie", "own=1").end("body");
  },
  "after a while, when the host was told already": (session, response) => {
    session.set("a", "1");
    response.setHeader("Set-Cookie", "own=1");
    setImmediate(() => response.end("body"));
  },
};

function namesOf(response: Response): string[] {
  const names = response.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0] ?? "");
  return names.toSorted();
}

/** h3 ends the response itself when such a handler is through. */
const endsItself = ["h3", "h3 2.0.1-rc.2"];

describe.each(Object.entries(hosts))("%s", (host, serve) => {
  describe.each(Object.entries(stores))("with %s", (__, makeConfig) => {
    const start = async (
      write: Write,
      more: Partial<SessionConfig> = {},
    ): Promise<{ url: string; config: SessionConfig; events: string[] }> => {
      const events: string[] = [];
      const config: SessionConfig = {
        ...makeConfig(),
        secure: false,
        on: {
          created: () => void events.push("created"),
          committed: () => void events.push("committed"),
          renewed: () => void events.push("renewed"),
          refused: ({ reason }) => void events.push(`refused ${reason}`),
        },
        ...more,
      };
      const { url, close } = await listen(serve(config, write));
      onTestFinished(close);
      return { url, config, events };
    };

    const possible = Object.entries(writes).filter(
      ([way]) => !(endsItself.includes(host) && way.startsWith("after a while")),
    );
    test.each(possible)("the cookie goes out: %s", async (___, write) => {
      const { url, config, events } = await start(write);
      const response = await fetch(url);
      expect([response.status, await response.text()]).toEqual([200, "body"]);
      expect(namesOf(response)).toEqual(["own", "session"]);
      expect([response.headers.get("Vary"), response.headers.get("Cache-Control")]).toEqual([
        "Cookie",
        "no-store",
      ]);
      expect(events).toEqual(["created", "committed"]);
      const ours = response.headers.getSetCookie().find((cookie) => cookie.startsWith("session="));
      const cookie = ours?.split(";", 1)[0] ?? "";
      expect(await readCookie(config, cookie)).toEqual(new Map([["a", "1"]]));
    });

    test("a change after the first byte is refused, and so told", async () => {
      const { url, events } = await start((session, response) => {
        response.write("bo");
        session.set("a", "1");
        response.end("dy");
      });
      const response = await fetch(url);
      expect([response.status, await response.text(), namesOf(response)]).toEqual([
        200,
        "body",
        [],
      ]);
      expect(events).toEqual(["refused uncarried"]);
    });
  });

  test("a session that was only looked at isn't renewed by what can't carry it", async () => {
    let now = Date.now();
    const events: string[] = [];
    const config: SessionConfig = {
      store: new SessionCookieStore(freshKeys()),
      secure: false,
      sessionExpires: 1000,
      now: () => now,
      on: { renewed: () => void events.push("renewed") },
    };
    const write: Write = (session, response) => response.end(session.get("a"));
    const { url, close } = await listen(serve(config, write));
    onTestFinished(close);
    const cookie = await mintCookie(config, { a: "1" });
    now += 500_000;
    const response = await fetch(url, { headers: { cookie } });
    expect([await response.text(), namesOf(response)]).toEqual(["1", []]);
    // Another request is through: the server is through with the first one.
    await fetch(url);
    expect(events).toEqual([]);
  });

  test("a save that fails is answered with its status, and in the log", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => logged.mockRestore());
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey(), secure: false };
    const write: Write = (session, response) => {
      session.set("a", "1");
      response.writeHead(200, { "Cache-Control": "public, max-age=600", ETag: '"1"' });
      response.end("body");
    };
    const { url, close } = await listen(serve(config, write));
    onTestFinished(close);
    spy.fault = "save";
    const response = await fetch(url);
    const { headers } = response;
    expect([response.status, await response.text(), namesOf(response)]).toEqual([
      503,
      "Service Unavailable\n",
      [],
    ]);
    expect([headers.get("Cache-Control"), headers.get("ETag")]).toEqual(["no-store", null]);
    expect(logged.mock.calls.flat()).toEqual([
      expect.objectContaining({ code: "ERR_SESSION_STORE_FAILED" }),
    ]);
    spy.fault = undefined;
    expect((await fetch(url)).status).toBe(200);
  });
});

test.each(Object.entries(hosts))(
  "what node can't send behind the first bytes ends the connection, and no more: %s",
  async (_, serve) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => logged.mockRestore());
    const config = {
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
      secure: false,
    };
    const { url, close } = await listen(
      serve(config, (session, response) => {
        session.set("a", "1");
        response.write("first");
        response.write("second", "no encoding" as never);
        response.end();
      }),
    );
    onTestFinished(close);
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow(
      /terminated|failed/,
    );
  },
);
