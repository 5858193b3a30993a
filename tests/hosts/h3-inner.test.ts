// What a page on h3 1 fetches from its own server, as Nitro 2 does: a request and a response that stand for
// node:http's, with the page's context beside the request. The store takes a while.
import { createApp, createEvent, eventHandler, type H3Event, toNodeListener } from "h3v1";
import { perRequest, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { getSession, type SessionEventMiddleware, sessionMiddleware } from "kocha-session/h3";
import { mintCookie } from "kocha-session/testing";
import { expect, onTestFinished, test } from "vitest";
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
    eventHandler((event) => getSession(event).toObject()),
  );
  app.use(eventHandler((event) => page(event, inner)));
  const { url, close } = await listen(toNodeListener(app));
  onTestFinished(close);
  return (path, cookie = "") => fetch(`${url}${path}`, { headers: { cookie } });
}

test("it shares the page's session, and both writes are kept", async () => {
  const get = await start(async (event, inner) => {
    getSession(event).set("page", "1");
    const made = innerEvent({ host: "localhost" }, event.context);
    expect(await inner(made)).toBeUndefined();
    expect(getSession(made)).toBe(getSession(event));
    getSession(made).set("inner", "2");
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
    expect(getSession(made).readOnly).toBe(true);
    expect(() => getSession(made).set("inner", "2")).toThrow(/read-only/);
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
  const made = innerEvent({ host: "localhost", cookie });
  Object.assign(made.context, { cloudflare: { env: "bindings" } });
  await inner(made);
  expect(getSession(made).get("a")).toBe("1");
  expect(seen).toEqual(["bindings"]);
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
      getSession(made).set("page", "1");
      return new Response("page");
    },
  });
  const answer = (await inner(event)) as Response;
  expect(await answer.text()).toBe("page");
  expect(answer.headers.getSetCookie()).toHaveLength(1);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});
