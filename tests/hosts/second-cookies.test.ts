// An answer that carries a session cookie of our name already, as that of a proxied application
// or of a cookie set by hand: where ours is due, too, that is an error on every host of node:http,
// since of two cookies of one name the last one undoes the first. And ours goes out once.
import type { ServerResponse } from "node:http";
import { mergingCookies } from "kocha-session/merge";
import express, { type NextFunction, type Request, type Response } from "express";
import Fastify from "fastify";
import Koa from "koa";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { withSession } from "kocha-session/node";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "merging cookies": () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
  }),
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

/** How the session is used, and which cookies the answer has of its own. */
interface Plan {
  readonly use: (session: {
    get: (key: string) => string;
    set: (k: string, v: string) => void;
  }) => void;
  readonly cookies: readonly string[];
  /** Called when the answer was given, with node's own response. */
  readonly after?: (raw: ServerResponse) => void;
}

/** A server whose error path answers with the error's code and status. */
type Start = (config: SessionConfig, plan: Plan) => ReturnType<typeof listen>;

function codeOf(error: unknown): string {
  return `${(error as { code?: string }).code}: ${(error as Error).message}`;
}

const hosts: Readonly<Record<string, Start>> = {
  "node:http": (config, { use, cookies, after }) =>
    listen(
      withSession(
        config,
        (_request, response, session) => {
          use(session);
          response.writeHead(200, { "Set-Cookie": [...cookies] });
          response.end("done");
          after?.(response);
        },
        { reportError: () => undefined },
      ),
    ),
  express: (config, { use, cookies, after }) => {
    const app = express();
    app.use(expressSession(config));
    app.get("/", (request, response) => {
      use(request.session);
      response.setHeader("Set-Cookie", [...cookies]);
      response.send("done");
      after?.(response);
    });
    app.use((error: unknown, _: Request, response: Response, __: NextFunction) => {
      response.status(500).send(codeOf(error));
    });
    return listen(app);
  },
  fastify: async (config, { use, cookies, after }) => {
    const app = Fastify();
    app.setErrorHandler((error, _, reply) => void reply.code(500).send(codeOf(error)));
    await app.register(sessionPlugin, config);
    app.get("/", (request, reply) => {
      use(request.session);
      void reply.header("Set-Cookie", [...cookies]).send("done");
      after?.(reply.raw);
    });
    await app.ready();
    return listen(app.server);
  },
  koa: (config, { use, cookies, after }) => {
    const app = new Koa({});
    app.silent = true;
    app.use(async (context, next) => {
      try {
        await next();
      } catch (error) {
        context.status = 500;
        context.body = codeOf(error);
      }
    });
    app.use(koaSession(config));
    app.use((context) => {
      use(context.session);
      context.set("Set-Cookie", [...cookies]);
      context.body = "done";
      // The session's middleware begins to wait after this turn.
      if (after !== undefined) setImmediate(() => after(context.res));
    });
    const callback = app.callback();
    return listen((request, response) => void callback(request, response));
  },
};

function namesOf(response: globalThis.Response): string[] {
  return response.headers.getSetCookie().map((cookie) => cookie.split(/[.=]/, 1)[0] ?? "");
}

describe.each(Object.entries(hosts))("on %s", (host, makeServer) => {
  describe.each(Object.entries(stores))("over %s", (_, makeConfig) => {
    const start = async (plan: Plan) => {
      const config: SessionConfig = { secure: false, ...makeConfig() };
      const { url, close } = await makeServer(config, plan);
      onTestFinished(close);
      return { url, config };
    };
    const claimed = ["session=another; Path=/", "own=1; Path=/"];

    test("a second cookie of the session's name is an error", async () => {
      const { url, config } = await start({
        use: (session) => session.set("a", "1"),
        cookies: claimed,
      });
      const response = await fetch(url);
      // node:http's own error answer tells nothing.
      const told =
        host === "node:http" ? /^Internal/ : /^ERR_SESSION_USAGE_RESPONSE: .*mount it in/;
      expect(response.status).toBe(500);
      expect(await response.text()).toMatch(told);
      // The other's is dropped with the answer; what was changed goes out with the error.
      expect(namesOf(response).filter((name) => name === "session").length).toBe(1);
      const ours = response.headers.getSetCookie().filter((one) => one.startsWith("session"));
      expect(await readCookie(config, ours)).toEqual(new Map([["a", "1"]]));
    });

    test("one that only looks lets the other's cookie through", async () => {
      const { url, config } = await start({
        use: (session) => void session.get("a"),
        cookies: claimed,
      });
      const cookie = await mintCookie(config, { a: "1" });
      const response = await fetch(url, { headers: { cookie } });
      expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([
        200,
        "done",
        claimed,
      ]);
    });

    test("the cookie goes out once, whatever is called while a host waits", async () => {
      const { url, config } = await start({
        use: (session) => session.set("a", "1"),
        cookies: ["own=1; Path=/"],
        after: (raw) => void raw.end(),
      });
      const response = await fetch(url);
      expect([response.status, namesOf(response).toSorted()]).toEqual([200, ["own", "session"]]);
      const ours = response.headers.getSetCookie().filter((one) => one.startsWith("session"));
      expect(await readCookie(config, ours)).toEqual(new Map([["a", "1"]]));
    });
  });
});
