// A store that is made for each request, from the host's environment: with it, and only if the request
// needs one; what its function throws goes the host's error path.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express, { type NextFunction, type Request, type Response as Answer } from "express";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import {
  ConfigError,
  perRequest,
  type Session,
  type SessionConfig,
  SessionMemoryStore,
  type SessionStore,
  type SessionStoreFunction,
} from "kocha-session";
import { openSession, sessionMiddleware as expressSession } from "kocha-session/express";
import { openSession as openFetchSession, withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { describe, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

interface Running {
  readonly url: string;
  readonly close: () => Promise<void>;
}
/** Serves `work`, which gives the answer's text; `failed` gets what reaches the host's error path. */
type Make = (
  config: SessionConfig,
  work: (path: string, session: Session) => Promise<string>,
  failed: (error: unknown) => void,
) => Running | Promise<Running>;

let requests = 0;

/** What workers pass beside a request; here each request has one of its own. */
function newBindings(): { readonly request: number } {
  return { request: ++requests };
}

const pathOf = (url: string): string => new URL(url, "http://localhost").pathname;

const hosts: Readonly<Record<string, { readonly make: Make; readonly hasEnv: boolean }>> = {
  express: {
    hasEnv: false,
    make: (config, work, failed) => {
      const app = express();
      app.use(expressSession(config));
      app.use(async (request, response) => {
        response.send(await work(request.path, request.session));
      });
      app.use((error: unknown, _request: Request, response: Answer, _next: NextFunction) => {
        failed(error);
        response.status(500).end();
      });
      return listen(app);
    },
  },
  hono: {
    hasEnv: true,
    make: (config, work, failed) => {
      const app = new Hono();
      app.use(honoSession(config));
      app.get("*", async (context) =>
        context.text(await work(context.req.path, context.get("session"))),
      );
      app.onError((error) => {
        failed(error);
        return new Response(null, { status: 500 });
      });
      return serve((request) => app.fetch(request, newBindings()));
    },
  },
  h3: {
    hasEnv: true,
    make: (config, work, failed) => {
      const app = new H3({ silent: true, onError: ({ cause }) => failed(cause) });
      // As srvx does on Workers.
      app.use((event) => {
        Object.assign(event.req.runtime ?? {}, { cloudflare: { env: newBindings() } });
      });
      app.use(h3Session(config));
      app.get("/**", (event) => work(event.url.pathname, sessionOf(event)));
      return listen(createServer(toNodeHandler(app)));
    },
  },
  fetch: {
    hasEnv: true,
    make: (config, work, failed) => {
      const handler = withSession(
        config,
        async (request, session, _env: object) =>
          new Response(await work(pathOf(request.url), session)),
        {
          onError: (error) => {
            failed(error);
            return new Response(null, { status: 500 });
          },
        },
      );
      return serve((request) => handler(request, newBindings()));
    },
  },
};

function serve(
  fetch: (request: globalThis.Request) => Response | Promise<Response>,
): Promise<Running> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  return listen(createServer((request, response) => void listener(request, response)));
}

/** The stores of a test: all on one memory, each used by the request that it was made for. */
function stores(): {
  readonly make: SessionStoreFunction;
  readonly made: { readonly env: unknown; calls: number }[];
} {
  const memory = slowly(new SessionMemoryStore());
  const made: { readonly env: unknown; calls: number }[] = [];
  const make = (env: unknown): SessionStore => {
    const one = { env, calls: 0 };
    made.push(one);
    return {
      capabilities: { atomic: true, expects: true },
      load: (selector) => {
        one.calls++;
        return memory.load(selector);
      },
      save: (selector, change) => {
        one.calls++;
        return memory.save(selector, change);
      },
    };
  };
  return { make, made };
}

function configOf(make: SessionStoreFunction): SessionConfig {
  return { store: perRequest(make), signingKey: freshKey(), secure: false };
}

function cookieOf(answer: { readonly headers: Headers }): string {
  return answer.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
}

async function serveVisit(path: string, session: Session): Promise<string> {
  if (path === "/count") return String(await session.increment("count"));
  if (path === "/take") return String(await session.take("token"));
  if (path === "/login") {
    await session.regenerate();
    session.set("name", "alice");
  }
  if (path === "/give") session.set("token", "once");
  if (path === "/logout") await session.destroy();
  return session.get("name");
}

describe.each(Object.entries(hosts))("on %s", (_, { make, hasEnv }) => {
  test("each request has a store of its own, made of its environment", async () => {
    const { make: store, made } = stores();
    const { url, close } = await make(configOf(store), serveVisit, (error) => {
      throw error;
    });
    try {
      requests = 0;
      const cookie = cookieOf(await fetch(`${url}/login`));
      const headers = { cookie };
      const say = async (path: string): Promise<string> => {
        const answer = await fetch(url + path, { headers });
        expect(answer.status).toBe(200);
        return answer.text();
      };
      expect(await say("/name")).toBe("alice");
      const counts = await Promise.all(Array.from({ length: 5 }, () => say("/count")));
      expect(counts.map(Number).toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5]);
      await say("/give");
      expect([await say("/take"), await say("/take")]).toEqual(["once", "undefined"]);
      await say("/logout");
      expect(await say("/name")).toBe("");
      // One for each of the twelve requests, and each used.
      expect(made.map(({ env }) => env)).toEqual(
        Array.from({ length: 12 }, (_one, index) => (hasEnv ? { request: index + 1 } : undefined)),
      );
      expect(made.every(({ calls }) => calls > 0)).toBe(true);
    } finally {
      await close();
    }
  });

  test("a request that needs no store has none made", async () => {
    const { make: store, made } = stores();
    const { url, close } = await make(configOf(store), serveVisit, (error) => {
      throw error;
    });
    try {
      for (const cookie of ["", "session=forged", "other=1"]) {
        expect((await fetch(`${url}/name`, { headers: { cookie } })).status).toBe(200);
      }
      expect(made).toEqual([]);
    } finally {
      await close();
    }
  });

  test.each(["fail", "anonymous"] as const)(
    "what its function throws goes the host's error path (onStoreError %s)",
    async (onStoreError) => {
      const { make: store } = stores();
      const reason = new Error("the binding isn't there, as it was told");
      let isBroken = false;
      const failed: unknown[] = [];
      const config = configOf((env) => {
        if (isBroken) throw reason;
        return store(env);
      });
      const { url, close } = await make({ ...config, onStoreError }, serveVisit, (error) => {
        failed.push(error);
      });
      try {
        const cookie = cookieOf(await fetch(`${url}/login`));
        isBroken = true;
        // At a load, and at the save of a session that is new.
        const broken = [
          await fetch(`${url}/name`, { headers: { cookie } }),
          await fetch(`${url}/give`),
        ];
        expect(broken.map(({ status }) => status)).toEqual([500, 500]);
        expect(broken.flatMap(({ headers }) => headers.getSetCookie())).toEqual([]);
        expect(failed).toEqual([reason, reason]);
        // The next request asks again.
        isBroken = false;
        expect(await (await fetch(`${url}/name`, { headers: { cookie } })).text()).toBe("alice");
      } finally {
        await close();
      }
    },
  );
});

describe("openSession", () => {
  test("makes the store of the environment that it is given", async () => {
    const { make, made } = stores();
    const config = configOf(make);
    const { url, close } = await (hosts["fetch"]?.make(config, serveVisit, () => undefined) ??
      Promise.reject(new Error("no such host")));
    const cookie = cookieOf(await fetch(`${url}/login`));
    await close();
    made.length = 0;
    const request = new globalThis.Request("http://localhost", { headers: { cookie } });
    const env = newBindings();
    expect((await openFetchSession(config, request, env)).get("name")).toBe("alice");
    expect((await openSession(config, { headers: { cookie } })).get("name")).toBe("alice");
    expect(made).toEqual([
      { env, calls: 1 },
      { env: undefined, calls: 1 },
    ]);
  });
});

describe("perRequest", () => {
  test.each([
    ["a promise", () => Promise.resolve(new SessionMemoryStore())],
    ["nothing", () => undefined],
    ["a client", () => ({ query: () => undefined })],
  ])("gives a ConfigError at the request when its function gives %s", async (_, make) => {
    const handle = withSession(
      configOf(make as unknown as SessionStoreFunction),
      (_request, session) => {
        session.set("name", "alice");
        return new Response();
      },
    );
    const error: unknown = await handle(new globalThis.Request("http://localhost")).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ field: "store", message: expect.stringContaining("perRequest") });
  });

  test("takes only a function", () => {
    const store = new SessionMemoryStore();
    expect(() => perRequest(store as unknown as SessionStoreFunction)).toThrow(ConfigError);
  });

  test("tells each store how long the engines wait", async () => {
    const told: number[] = [];
    const store = perRequest(() => ({
      load: () => undefined,
      save: () => ({ rev: 1, generation: 1, expires: Infinity }),
      answerWithin: (ms: number) => void told.push(ms),
    }));
    for (const storeTimeout of [2, 1]) {
      const handle = withSession(
        { store, signingKey: freshKey(), storeTimeout },
        (_request, session) => {
          session.set("name", "alice");
          return new Response();
        },
      );
      await handle(new globalThis.Request("http://localhost"));
    }
    expect(told).toEqual([2000, 2000]);
  });

  test("tells of an overwritten key", async () => {
    const { make } = stores();
    const overwritten: unknown[] = [];
    const config: SessionConfig = {
      ...configOf(make),
      on: { overwritten: ({ keys }) => void overwritten.push(keys) },
    };
    let arrived = 0;
    let letGo = (): void => undefined;
    const both = new Promise<void>((resolve) => (letGo = resolve));
    const handle = withSession(config, async (request, session) => {
      const value = session.get("count");
      if (request.url.endsWith("/race") && ++arrived === 2) letGo();
      if (request.url.endsWith("/race")) await both;
      session.set("count", `${value}1`);
      return new Response();
    });
    const cookie = cookieOf(await handle(new globalThis.Request("http://localhost/")));
    const race = (): Promise<Response> =>
      handle(new globalThis.Request("http://localhost/race", { headers: { cookie } }));
    await Promise.all([race(), race()]);
    expect(overwritten).toEqual([["count"]]);
  });
});
