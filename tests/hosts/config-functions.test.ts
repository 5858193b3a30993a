// A configuration that is a function: asked at the first request and not before, once, with the
// host's environment; what it throws goes the host's error path, and the next request asks again.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express, { type NextFunction, type Request, type Response as Answer } from "express";
import Fastify from "fastify";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import Koa from "koa";
import {
  ConfigError,
  type SessionConfig,
  type SessionConfigFunction,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { sessionMiddleware as expressSession, openSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { openSession as openFetchSession, withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as connectSession, withSession as onNode } from "kocha-session/node";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { thrownBy } from "../support/thrown.ts";

interface Running {
  readonly url: string;
  readonly close: () => Promise<void>;
}
/** A server that counts its client's visits; `failed` gets what reaches the host's error path. */
type Make = (
  config: SessionConfigFunction,
  failed: (error: unknown) => void,
) => Running | Promise<Running>;

function visit(session: {
  get(key: string): string;
  set(key: string, value: string): void;
}): string {
  const visits = String(Number(session.get("visits")) + 1);
  session.set("visits", visits);
  return visits;
}

/** What workers pass beside a request, and srvx keeps in it. */
const bindings = { secret: "a binding" };

const hosts: Readonly<Record<string, { readonly make: Make; readonly env: unknown }>> = {
  node: {
    env: undefined,
    make: (config, failed) =>
      listen(
        createServer(
          onNode(config, (_, response, session) => response.end(visit(session)), {
            reportError: failed,
          }),
        ),
      ),
  },
  connect: {
    env: undefined,
    make: (config, failed) => {
      const middleware = connectSession(config);
      return listen(
        createServer((request, response) =>
          middleware(request, response, (error) => {
            if (error === undefined) return response.end(visit(request.session));
            failed(error);
            response.statusCode = 500;
            return response.end();
          }),
        ),
      );
    },
  },
  express: {
    env: undefined,
    make: (config, failed) => {
      const app = express();
      app.use(expressSession(config));
      app.get("/", (request, response) => void response.send(visit(request.session)));
      app.use((error: unknown, _request: Request, response: Answer, _next: NextFunction) => {
        failed(error);
        response.status(500).end();
      });
      return listen(app);
    },
  },
  fastify: {
    env: undefined,
    make: async (config, failed) => {
      const app = Fastify();
      await app.register(sessionPlugin, { config });
      app.get("/", async (request) => visit(request.session));
      app.setErrorHandler((error, _, reply) => {
        failed(error);
        return reply.status(500).send("");
      });
      await app.listen({ port: 0, host: "127.0.0.1" });
      const { port } = app.server.address() as { readonly port: number };
      return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
    },
  },
  koa: {
    env: undefined,
    make: (config, failed) => {
      const app = new Koa();
      app.on("error", failed);
      app.use(koaSession(config));
      app.use((context) => {
        context.body = visit(context.session);
      });
      const callback = app.callback();
      return listen((request, response) => void callback(request, response));
    },
  },
  hono: {
    env: bindings,
    make: (config, failed) => {
      const app = new Hono();
      app.use(honoSession(config));
      app.get("/", (context) => context.text(visit(context.get("session"))));
      app.onError((error) => {
        failed(error);
        return new Response(null, { status: 500 });
      });
      return serve((request) => app.fetch(request, bindings));
    },
  },
  h3: {
    env: bindings,
    make: (config, failed) => {
      const app = new H3({
        silent: true,
        onError: ({ cause }) => {
          failed(cause);
        },
      });
      // As srvx does on Workers.
      app.use((event) => {
        const { runtime } = event.req;
        Object.assign(runtime ?? {}, { cloudflare: { env: bindings } });
      });
      app.use(h3Session(config));
      app.get("/", (event) => visit(sessionOf(event)));
      return listen(createServer(toNodeHandler(app)));
    },
  },
  fetch: {
    env: bindings,
    make: (config, failed) => {
      const handler = withSession(
        config,
        (_request, session, _env: typeof bindings) => new Response(visit(session)),
        {
          onError: (error, _request, env) => {
            expect(env).toBe(bindings);
            failed(error);
            return new Response(null, { status: 500 });
          },
        },
      );
      return serve((request) => handler(request, bindings));
    },
  },
};

function serve(
  fetch: (request: globalThis.Request) => Response | Promise<Response>,
): Promise<Running> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  return listen(createServer((request, response) => void listener(request, response)));
}

function slowConfig(): SessionConfig {
  const store = slowly(new SessionMemoryStore());
  return { store, signingKey: freshKey(), secure: false };
}

describe.each(Object.entries(hosts))("on %s", (_, { make, env }) => {
  test("it is asked once, at the first request, with the host's environment", async () => {
    const config = slowConfig();
    const asked: unknown[] = [];
    const ask: SessionConfigFunction = (given) => {
      asked.push(given);
      return config;
    };
    const one = await make(ask, () => undefined);
    const other = await make(ask, () => undefined);
    try {
      expect(asked).toEqual([]);
      const first = await Promise.all([fetch(one.url), fetch(other.url), fetch(one.url)]);
      expect(await Promise.all(first.map((answer) => answer.text()))).toEqual(["1", "1", "1"]);
      const cookie = first[0]?.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
      const again = await fetch(other.url, { headers: { cookie } });
      expect(await again.text()).toBe("2");
      expect(asked).toEqual([env]);
      // Made at a request, it is the engine of whoever has the function.
      expect(await readCookie(ask, cookie)).toEqual(new Map([["visits", "2"]]));
    } finally {
      await one.close();
      await other.close();
    }
  });

  test("what it throws goes the host's error path, and the next request asks again", async () => {
    const config = slowConfig();
    const failed: unknown[] = [];
    const reasons = [new Error("the keys aren't there yet, as it was told"), undefined];
    let asked = 0;
    const { url, close } = await make(
      () => {
        const reason = reasons[asked++];
        if (reason !== undefined) throw reason;
        return asked === 2 ? ({} as SessionConfig) : config;
      },
      (error) => void failed.push(error),
    );
    try {
      const statuses: number[] = [];
      for (let tries = 0; tries < 4; tries++) statuses.push((await fetch(url)).status);
      expect(statuses).toEqual([500, 500, 200, 200]);
      expect(failed).toEqual([reasons[0], expect.any(ConfigError)]);
      expect(asked).toBe(3);
    } finally {
      await close();
    }
  });
});

describe("a configuration's function", () => {
  test("is asked early where that is wanted, and gives one engine", () => {
    let asked = 0;
    const config = slowConfig();
    const ask = (env: { readonly key: string } | undefined): SessionConfig => {
      asked++;
      return { ...config, name: env?.key };
    };
    const engine = SessionMiddleware.from(ask, { key: "early" });
    expect(engine.cookieName).toBe("early");
    expect(SessionMiddleware.from(ask)).toBe(engine);
    expect(asked).toBe(1);
    expect(SessionMiddleware.from(() => config)).not.toBe(engine);
  });

  test.each([
    ["that is kept", () => Promise.resolve(slowConfig())],
    ["that is broken", () => Promise.reject(new Error("as it was told"))],
  ])("that gives a promise %s is a ConfigError, each time", (_, ask) => {
    const source = ask as unknown as SessionConfigFunction;
    for (let tries = 0; tries < 2; tries++) {
      const error = thrownBy(() => SessionMiddleware.from(source));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ field: "config", message: expect.stringContaining("promise") });
    }
  });

  test("that gives nothing, as one that forgot its return, is a ConfigError that says so", () => {
    const source = (() => undefined) as unknown as SessionConfigFunction;
    const error = thrownBy(() => SessionMiddleware.from(source));
    expect(error).toMatchObject({
      field: "config",
      message: expect.stringMatching(/gave nothing \(see /),
    });
  });

  test("that gives a function is a ConfigError", () => {
    const source = (() => () => slowConfig()) as unknown as SessionConfigFunction;
    expect(thrownBy(() => SessionMiddleware.from(source))).toBeInstanceOf(ConfigError);
  });

  test("is taken by mintCookie, readCookie and openSession, which pass on an environment", async () => {
    const config = slowConfig();
    const cookie = await mintCookie(config, { name: "alice" });
    const asked: unknown[] = [];
    const ask = (env: unknown): SessionConfig => {
      asked.push(env);
      return config;
    };
    const session = await openFetchSession(
      ask,
      new globalThis.Request("http://localhost", { headers: { cookie } }),
      bindings,
    );
    expect(session.get("name")).toBe("alice");
    expect((await openSession(ask, { headers: { cookie } })).get("name")).toBe("alice");
    expect(await readCookie(ask, await mintCookie(ask, { name: "bob" }))).toEqual(
      new Map([["name", "bob"]]),
    );
    expect(asked).toEqual([bindings]);
  });
});
