// What only a host can get wrong about a request, on every host and in its own way: a middleware
// mounted twice, cookies of the application's beside ours, and a client that leaves.
import { request as httpRequest, type RequestListener } from "node:http";
import Koa from "koa";
import { H3 } from "h3";
import { Hono } from "hono";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Gate, spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { bridge, exchangeApps, type Handle, type MakeApp } from "./exchanges.ts";

/** The names of the cookies that a response sets, in the alphabet's order. */
function cookieNames(response: Response): string[] {
  const names = response.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0] ?? "");
  return names.toSorted();
}

/** A request whose client can be made to leave. */
function leavingClient(url: string, cookie: string): { readonly leave: () => void } {
  const sent = httpRequest(url, { headers: { cookie }, agent: false });
  sent.on("error", () => undefined);
  sent.end();
  return { leave: () => void sent.destroy() };
}

describe.each(Object.entries(exchangeApps))("on %s", (_, makeApp: MakeApp) => {
  const start = async (config: SessionConfig, handle: Handle, mounts = 1): Promise<string> => {
    const settings = { secure: false, storeTimeout: 30, ...config };
    const { url, close } = await makeApp(settings, handle, mounts);
    onTestFinished(close);
    return url;
  };

  test("mounted three times, a session is opened once, saved once, and sent once", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey() };
    const cookie = await mintCookie(config, { visits: "1" });
    const url = await start(
      config,
      async ({ session, send }) => {
        const visits = Number(session.get("visits"));
        await session.regenerate();
        session.set("visits", String(visits + 1));
        return send(session.get("visits"));
      },
      3,
    );
    [spy.loads, spy.saves] = [0, 0];
    const response = await fetch(url, { headers: { cookie } });
    expect([response.status, await response.text()]).toEqual([200, "2"]);
    expect(cookieNames(response)).toEqual(["session"]);
    // The regenerate's own, and the one at the end.
    expect([spy.loads, spy.saves]).toEqual([1, 2]);
  });

  test("a handler that throws while the store is down is one error answer, and no cookie", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey() };
    const url = await start(config, ({ session, path, send }) => {
      if (path === "/fine") return send("fine");
      session.set("a", "1");
      spy.fault = "save";
      throw new Error("the handler threw, as it was told to");
    });
    const response = await fetch(url);
    // Of two errors Fastify answers the first, the others the second.
    expect([500, 503]).toContain(response.status);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await (await fetch(`${url}/fine`)).text()).toBe("fine");
  });

  test.each(["sealed", "kept"])(
    "cookies of the application's stay beside ours: %s",
    async (kind) => {
      const sealed = { store: new SessionCookieStore(freshKeys()) };
      const kept = { store: spyOn(new SessionMemoryStore()).store, signingKey: freshKey() };
      const url = await start(
        kind === "sealed" ? sealed : kept,
        async ({ session, path, cookie, send, redirect }) => {
          cookie("first", "1");
          session.set("a", "1");
          cookie("second", "2");
          if (path === "/saved") await session.commit();
          cookie("trailing", "3");
          return path === "/redirect" ? redirect("/") : send("done");
        },
      );
      for (const path of ["/", "/saved", "/redirect"]) {
        const response = await fetch(url + path, { redirect: "manual" });
        expect(cookieNames(response)).toEqual(["first", "second", "session", "trailing"]);
        expect(response.status).toBe(path === "/redirect" ? 302 : 200);
      }
    },
  );

  test("a client that leaves while its session is being saved loses nothing", async () => {
    const spy = spyOn(new SessionMemoryStore());
    const config = { store: spy.store, signingKey: freshKey() };
    const cookie = await mintCookie(config, { a: "1" });
    const gone = new Gate();
    const url = await start(config, ({ session, send }) => {
      session.set("a", "2");
      return send("done");
    });
    const gate = (spy.saveGate = gone);
    const client = leavingClient(url, cookie);
    await gate.arrived;
    client.leave();
    spy.saveGate = undefined;
    // Another request is through before the save goes on: the server has seen the other one leave.
    await fetch(url);
    gate.open();
    const poll = { timeout: 15_000 };
    await expect.poll(() => readCookie(config, cookie), poll).toEqual(new Map([["a", "2"]]));
  });

  test.each(["before", "after"])(
    "a client that has left %s the change, whose cookie can't be sent, is told to the observers",
    async (when) => {
      const refused: unknown[] = [];
      const config: SessionConfig = {
        store: new SessionCookieStore(freshKeys()),
        on: { refused: ({ reason }) => void refused.push(reason) },
      };
      const cookie = await mintCookie(config, { a: "1" });
      const arrived = new Gate();
      const done = new Gate();
      const url = await start(config, async ({ session, path, send, gone }) => {
        if (path !== "/slow") return send(session.get("a"));
        if (when === "after") session.set("a", "2");
        const left = gone();
        void arrived.pass();
        await left;
        if (when === "before") session.set("a", "2");
        void done.pass();
        return send("to nobody");
      });
      const client = leavingClient(`${url}/slow`, cookie);
      await arrived.arrived;
      client.leave();
      await done.arrived;
      expect(await (await fetch(url, { headers: { cookie } })).text()).toBe("1");
      expect(refused).toEqual(["aborted"]);
    },
  );

  test.each(["regenerate", "destroy"] as const)(
    "a client that has left gets no %s that nothing could carry: it is an error",
    async (step) => {
      const config: SessionConfig = { store: new SessionCookieStore(freshKeys()) };
      const cookie = await mintCookie(config, { a: "1" });
      const arrived = new Gate();
      const done = new Gate();
      let caught: unknown;
      const url = await start(config, async ({ session, send, gone }) => {
        session.get("a");
        const left = gone();
        void arrived.pass();
        await left;
        caught = await session[step]().catch((error: unknown) => error);
        void done.pass();
        return send("to nobody");
      });
      const client = leavingClient(url, cookie);
      await arrived.arrived;
      client.leave();
      await done.arrived;
      expect(caught).toMatchObject({ code: "ERR_SESSION_USAGE_HEADERS_SENT" });
    },
  );

  test("a client that only looked may leave unnoticed", async () => {
    const refused: unknown[] = [];
    const config: SessionConfig = {
      store: new SessionCookieStore(freshKeys()),
      on: { refused: ({ reason }) => void refused.push(reason) },
    };
    const cookie = await mintCookie(config, { a: "1" });
    const arrived = new Gate();
    const done = new Gate();
    const url = await start(config, async ({ session, path, send, gone }) => {
      const found = session.get("a");
      if (path !== "/slow") return send(found);
      const left = gone();
      void arrived.pass();
      await left;
      void done.pass();
      return send("to nobody");
    });
    const client = leavingClient(`${url}/slow`, cookie);
    await arrived.arrived;
    client.leave();
    await done.arrived;
    expect(await (await fetch(url, { headers: { cookie } })).text()).toBe("1");
    expect(refused).toEqual([]);
  });
});

test("a Request object that is used twice has a session of its own each time", async () => {
  const config = { store: new SessionCookieStore(freshKeys()) };
  const serve = withSession(config, (_, session) => {
    session.set("a", "1");
    return new Response(session.isNew ? "new" : "old");
  });
  const request = new Request("http://localhost/");
  for (let round = 0; round < 2; round++) {
    const response = await serve(request);
    expect([await response.text(), cookieNames(response)]).toEqual(["new", ["session"]]);
  }
});

describe.each(["fetch", "hono", "h3"] as const)("on %s, one Response for many clients", (host) => {
  const config: SessionConfig = { store: new SessionCookieStore(freshKeys()) };
  const constant = new Response(null, { status: 204, headers: { "X-Own": "1" } });
  const answer = (url: string, session: Session): Response => {
    if (url.endsWith("/sign-in")) session.set("user", "alice");
    else session.get("user");
    return constant;
  };
  const serve: Record<typeof host, () => (request: Request) => Promise<Response> | Response> = {
    fetch: () => withSession(config, (request, session) => answer(request.url, session)),
    hono: () => {
      const app = new Hono();
      app.use(honoSession(config));
      app.all("*", (context) => answer(context.req.url, context.get("session")));
      return (request) => app.fetch(request);
    },
    h3: () => {
      const app = new H3();
      app.use(h3Session(config));
      app.all("/**", (event) => answer(event.req.url, sessionOf(event)));
      return (request) => app.fetch(request);
    },
  };

  test("a cookie goes to its own client, and to nobody else", async () => {
    const handle = serve[host]();
    const first = await handle(new Request("http://localhost/sign-in"));
    expect([first.status, first.headers.get("X-Own"), cookieNames(first)]).toEqual([
      204,
      "1",
      ["session"],
    ]);
    const other = await handle(new Request("http://localhost/"));
    expect([other.status, cookieNames(other)]).toEqual([204, []]);
    expect([other.headers.get("Vary"), other.headers.get("Cache-Control")]).toEqual([
      "Cookie",
      null,
    ]);
    expect(cookieNames(constant)).toEqual([]);
  });
});

test("a response whose headers can't be changed gets Vary, too", async () => {
  const config = { store: new SessionCookieStore(freshKeys()) };
  const serve = withSession(config, (_, session) => {
    session.get("a");
    return Response.redirect("http://localhost/next", 302);
  });
  const response = await serve(new Request("http://localhost/"));
  expect([response.status, response.headers.get("Location"), response.headers.get("Vary")]).toEqual(
    [302, "http://localhost/next", "Cookie"],
  );
});

test.each(["koa", "hono", "h3", "fetch"] as const)(
  "on %s, mounted twice, the outer one saves, and what stands between may still change the session",
  async (host) => {
    const config: SessionConfig = { store: new SessionCookieStore(freshKeys()), secure: false };
    const serve: Record<typeof host, RequestListener> = {
      koa: (request, response) => {
        const app = new Koa();
        app.use(koaSession(config));
        app.use(async (context, next) => {
          await next();
          context.session.set("late", "1");
        });
        app.use(koaSession(config));
        app.use((context) => (context.body = context.session.get("late")));
        void app.callback()(request, response);
      },
      hono: bridge((request) => {
        const app = new Hono();
        app.use(honoSession(config));
        app.use(async (context, next) => {
          await next();
          context.get("session").set("late", "1");
        });
        app.use(honoSession(config));
        app.all("*", (context) => context.text(context.get("session").get("late")));
        return app.fetch(request);
      }),
      h3: bridge((request) => {
        const app = new H3();
        app.use(h3Session(config));
        app.use(async (event, next) => {
          const answer = await next();
          sessionOf(event).set("late", "1");
          return answer;
        });
        app.use(h3Session(config));
        app.all("/**", (event) => sessionOf(event).get("late"));
        return app.fetch(request);
      }),
      fetch: bridge(
        withSession(config, async (request, session) => {
          const inner = withSession(config, (_, own) => new Response(own.get("late")));
          const answer = await inner(request);
          session.set("late", "1");
          return answer;
        }),
      ),
    };
    const { url, close } = await listen(serve[host]);
    onTestFinished(close);
    const first = await fetch(url);
    expect([first.status, await first.text(), cookieNames(first)]).toEqual([200, "", ["session"]]);
    const cookie = first.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    expect(await (await fetch(url, { headers: { cookie } })).text()).toBe("1");
  },
);
