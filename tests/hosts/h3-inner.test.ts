// What a page on h3 fetches from its own server. On h3 1, as Nitro 2 does, by a request and a response that
// stand for node:http's, with the page's context beside the request; on h3 2 by fetchWithEvent, with srvx's
// description of the runtime. The store takes a while.
import * as h3 from "h3";
import * as h3rc from "h3rc";
import { createApp, createEvent, eventHandler, type H3Event, toNodeListener } from "h3v1";
import { perRequest, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { type SessionEventMiddleware, sessionMiddleware, sessionOf } from "kocha-session/h3";
import { mintCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowStore } from "../support/slow-store.ts";

/** An event as Nitro makes it for a request to itself. */
function innerEvent(headers: Record<string, string>, context?: object): H3Event {
  const request = { url: "/", method: "GET", socket: {}, headers, __unenv__: context };
  const response = { socket: null };
  const event = createEvent(request as never, response as never);
  return Object.assign(event, { fetch: () => Promise.reject(new Error("it asks nobody")) });
}

type Get = (path: string, cookie?: string) => Promise<Response>;

async function start(
  page: (event: H3Event, inner: SessionEventMiddleware) => unknown,
): Promise<Get> {
  const { store } = slowStore();
  const config: SessionConfig = { store, signingKey: freshKey() };
  const inner = sessionMiddleware(config);
  const app = createApp();
  app.use(inner);
  app.use(
    "/held",
    eventHandler((event) => sessionOf(event).toObject()),
  );
  app.use(eventHandler((event) => page(event, inner)));
  const { url, close } = await listen(toNodeListener(app));
  onTestFinished(close);
  return (path, cookie = "") => fetch(`${url}${path}`, { headers: { cookie } });
}

test("it shares the page's session, and both writes are kept", async () => {
  const get = await start(async (event, inner) => {
    sessionOf(event).set("page", "1");
    const made = innerEvent({ host: "localhost" }, event.context);
    expect(await inner(made)).toBeUndefined();
    expect(sessionOf(made)).toBe(sessionOf(event));
    sessionOf(made).set("inner", "2");
    return "page";
  });
  const [cookie = "", ...others] = (await get("/")).headers.getSetCookie();
  expect(others).toEqual([]);
  const held = await get("/held", cookie.split(";", 1)[0]);
  expect(await held.json()).toEqual({ page: "1", inner: "2" });
});

test("by the global $fetch, which brings nothing of the page, a write is an error", async () => {
  const get = await start(async (_event, inner) => {
    const made = innerEvent({ host: "localhost" });
    await inner(made);
    expect(sessionOf(made).readOnly).toBe(true);
    expect(() => sessionOf(made).set("inner", "2")).toThrow(/use event\.\$fetch/);
    return "page";
  });
  const page = await get("/");
  expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
});

test("by the global $fetch, a store for each request is made of the bindings", async () => {
  const store = new SessionMemoryStore();
  const signingKey = freshKey();
  const cookie = await mintCookie({ store, signingKey }, { a: "1" });
  const seen: unknown[] = [];
  const inner = sessionMiddleware({
    store: perRequest((env: unknown) => {
      seen.push(env);
      return store;
    }),
    signingKey,
  });
  // As Nitro keeps them: such a request brings none.
  Object.assign(globalThis, { __env__: "bindings" });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, "__env__"));
  const made = innerEvent({ host: "localhost", cookie });
  await inner(made);
  expect(sessionOf(made).get("a")).toBe("1");
  expect(seen).toEqual(["bindings"]);
});

test("mounted twice beside another library's req.session, it opens once", async () => {
  const { store } = slowStore();
  const config: SessionConfig = { store, signingKey: freshKey() };
  const app = createApp();
  app.use(
    eventHandler(({ node }) => {
      Object.assign(node.req, { session: { of: "another library" } });
    }),
  );
  app.use(sessionMiddleware(config));
  app.use(eventHandler((event) => sessionOf(event).set("outer", "1")));
  app.use(sessionMiddleware(config));
  app.use(eventHandler((event) => `inside ${sessionOf(event).get("outer")}`));
  const { url, close } = await listen(toNodeListener(app));
  onTestFinished(close);
  const answer = await fetch(url);
  expect([await answer.text(), answer.headers.getSetCookie().length]).toEqual(["inside 1", 1]);
});

test("where no response of node:http is there, Nitro's answer carries the session", async () => {
  const { store } = slowStore();
  const inner = sessionMiddleware({ store, signingKey: freshKey() });
  const event = Object.assign(innerEvent({ host: "example.org" }, { waitUntil: () => undefined }), {
    fetch: async (url: string, init: object) => {
      const { context, method } = init as { context: object; method: string };
      // The application sees the same session behind the same middleware.
      const made = innerEvent({ host: "example.org" }, context);
      expect([url, method, await inner(made)]).toEqual(["/", "GET", undefined]);
      sessionOf(made).set("page", "1");
      return new Response("page");
    },
  });
  const answer = (await inner(event)) as Response;
  expect(await answer.text()).toBe("page");
  expect(answer.headers.getSetCookie()).toHaveLength(1);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

describe.each([
  ["h3 2", h3 as unknown as typeof h3rc],
  ["h3 2.0.1-rc.2", h3rc],
])("%s, where no request of node:http is underneath", (_, { H3, fetchWithEvent }) => {
  /** An application, with a runtime of its own for each request, as srvx makes it. */
  function serve(page: (event: h3rc.H3Event) => unknown): Get {
    const { store } = slowStore();
    const app = new H3({ silent: true });
    app.use(sessionMiddleware({ store, signingKey: freshKey() }));
    app.get("/held", (event) => sessionOf(event).toObject());
    app.get("/write", async (event) => {
      const key = new URL(event.req.url).searchParams.get("key") ?? "";
      sessionOf(event).set(key, "1");
      return key;
    });
    app.get("/deep", async (event) => (await fetchWithEvent(event, "/write?key=deep")).text());
    app.get("/**", (event) => page(event));
    return async (path, cookie = "") => {
      const request = new Request(`http://example.org${path}`, { headers: { cookie } });
      Object.assign(request, { runtime: { name: "cloudflare", cloudflare: { env: {} } } });
      return app.fetch(request);
    };
  }

  test("its requests share the page's session, nested and side by side", async () => {
    const get = serve(async (event) => {
      sessionOf(event).set("page", "1");
      const paths = ["/write?key=one", "/write?key=two", "/deep"];
      const answers = await Promise.all(paths.map((path) => fetchWithEvent(event, path)));
      expect(answers.flatMap(({ headers }) => headers.getSetCookie())).toEqual([]);
      sessionOf(event).set("after", "1");
      return "page";
    });
    const [cookie = "", ...others] = (await get("/")).headers.getSetCookie();
    expect(others).toEqual([]);
    const held = await get("/held", cookie.split(";", 1)[0]);
    expect(await held.json()).toEqual({ page: "1", one: "1", two: "1", deep: "1", after: "1" });
  });

  test("two clients at once have a session each", async () => {
    const get = serve(async (event) => {
      const name = new URL(event.req.url).searchParams.get("name") ?? "";
      sessionOf(event).set("name", name);
      await fetchWithEvent(event, `/write?key=${name}`);
      return "page";
    });
    const answers = await Promise.all(["a", "b", "c"].map((name) => get(`/?name=${name}`)));
    const cookies = answers.map(({ headers }) => headers.getSetCookie()[0]?.split(";", 1)[0]);
    const held = await Promise.all(cookies.map((cookie) => get("/held", cookie)));
    expect(await Promise.all(held.map((one) => one.json()))).toEqual(
      ["a", "b", "c"].map((name) => ({ name, [name]: "1" })),
    );
  });

  test("a request that comes when the page has been answered gets our error for its write", async () => {
    let later: (() => Promise<Response>) | undefined;
    const get = serve((event) => {
      later = () => fetchWithEvent(event, "/write?key=late");
      return "page";
    });
    await get("/");
    expect((await later?.())?.status).toBe(500);
  });

  test("the same handler of another configuration has a session of its own", async () => {
    const other = sessionMiddleware({ store: slowStore().store, signingKey: freshKey() });
    const seen: unknown[] = [];
    const get = serve(async (event) => {
      sessionOf(event).set("page", "1");
      const made = new Request("http://example.org/other");
      const { runtime } = event.req;
      const inner = { req: Object.assign(made, { runtime }), res: event.res, context: {} };
      await other(inner as never, () => seen.push(sessionOf(inner).size));
      await fetchWithEvent(event, "/write?key=inner");
      return "page";
    });
    const [cookie = ""] = (await get("/")).headers.getSetCookie();
    expect(seen).toEqual([0]);
    const held = await get("/held", cookie.split(";", 1)[0]);
    expect(await held.json()).toEqual({ page: "1", inner: "1" });
  });
});

test("on Nitro 3 a request by the global fetch, which brings nothing of the page, is read-only", async () => {
  const { store } = slowStore();
  const config: SessionConfig = { store, signingKey: freshKey() };
  const cookie = await mintCookie(config, { a: "1" });
  const app = new h3rc.H3({ silent: true });
  app.use(sessionMiddleware(config));
  app.get("/**", (event) => {
    const session = sessionOf(event);
    expect(() => session.set("inner", "2")).toThrow(/fetchWithEvent/);
    return `${session.get("a")} ${session.readOnly}`;
  });
  const own = { nitro: { errors: [] } };
  const answer = await app.request("/", { headers: { cookie } }, own);
  expect([await answer.text(), answer.headers.getSetCookie()]).toEqual(["1 true", []]);
});
