// sessionOf(request): the session for what gets the request only, on the hosts of the Fetch API.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { Hono } from "hono";
import {
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
} from "kocha-session";
import { sessionOf, withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf as ofH3 } from "kocha-session/h3";
import { sessionMiddleware as honoSession, sessionOf as ofHono } from "kocha-session/hono";
import { mintCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { thrownBy } from "../support/thrown.ts";

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()), secure: false }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
    secure: false,
  }),
};

/** What is mounted knows the request, and nothing of a session. */
type Loader = (request: Request) => string | Promise<string>;
type Make = (
  config: SessionConfig,
  loader: Loader,
) => Promise<{ url: string; close: () => Promise<void> }>;

function bridge(serve: (request: Request) => Response | Promise<Response>): ReturnType<Make> {
  const listener = getRequestListener(serve, { overrideGlobalObjects: false });
  return listen(createServer((request, response) => void listener(request, response)));
}

const hosts: Readonly<Record<string, Make>> = {
  fetch: (config, loader) =>
    bridge(withSession(config, async (request) => new Response(await loader(request)))),
  "fetch, twice": (config, loader) => {
    const inner = withSession(config, async (request) => new Response(await loader(request)));
    return bridge(withSession(config, (request) => inner(request)));
  },
  hono: (config, loader) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.all("*", async (context) => context.text(await loader(context.req.raw)));
    return bridge((request) => app.fetch(request));
  },
  h3: (config, loader) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.all("/**", (event) => {
      expect(ofH3(event.req)).toBe(ofH3(event));
      return loader(event.req);
    });
    return listen(createServer(toNodeHandler(app)));
  },
};

describe.each(Object.entries(stores))("with %s", (_, makeConfig) => {
  test.each(Object.entries(hosts))("what runs inside reads and writes it: %s", async (__, make) => {
    const config = makeConfig();
    const { url, close } = await make(config, async (request) => {
      const before = sessionOf(request).get("name");
      await new Promise((resolve) => setImmediate(resolve));
      sessionOf(request).set("name", "bob");
      return before;
    });
    onTestFinished(close);
    const cookie = await mintCookie(config, { name: "alice" });
    const answer = await fetch(url, { headers: { cookie } });
    expect(await answer.text()).toBe("alice");
    const changed = answer.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
    const again = await fetch(url, { headers: { cookie: changed } });
    expect(await again.text()).toBe("bob");
  });

  test("clients at the same time have each their own", async () => {
    const config = makeConfig();
    const { url, close } = await bridgeOf(config, (session) => session.get("name"));
    onTestFinished(close);
    const names = ["alice", "bob", "carol", "dave"];
    const answers = names.map(async (name) => {
      const cookie = await mintCookie(config, { name });
      return (await fetch(url, { headers: { cookie } })).text();
    });
    expect(await Promise.all(answers)).toEqual(names);
  });

  test("it can be read, and not be changed, when the response has begun", async () => {
    const config = makeConfig();
    const cookie = await mintCookie(config, { name: "alice" });
    const request = new Request("http://localhost/", { headers: { cookie } });
    const serve = withSession(config, (incoming) => {
      sessionOf(incoming).get("name");
      return new Response("begun");
    });
    await serve(request);
    expect(sessionOf(request).get("name")).toBe("alice");
    expect(thrownBy(() => sessionOf(request).set("name", "bob"))).toMatchObject({
      code: "ERR_SESSION_USAGE_HEADERS_SENT",
    });
  });
});

function bridgeOf(config: SessionConfig, read: (session: Session) => string): ReturnType<Make> {
  return bridge(
    withSession(config, async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return new Response(read(sessionOf(request)));
    }),
  );
}

test("a request without a session is an error that says where to call it", async () => {
  const config = { store: new SessionCookieStore(freshKeys()) };
  const request = new Request("http://localhost/");
  const seen: unknown[] = [thrownBy(() => sessionOf(request))];
  await withSession(config, (incoming) => {
    seen.push(thrownBy(() => sessionOf(new Request(incoming))));
    return new Response("done");
  })(request);
  for (const one of [sessionOf, ofH3]) seen.push(thrownBy(() => one(undefined as never)));
  for (const error of seen) {
    expect(error).toMatchObject({
      code: "ERR_SESSION_USAGE_NO_SESSION",
      message: expect.stringContaining("withSession"),
    });
  }
  expect(seen).toHaveLength(4);
  expect(ofHono).toBe(sessionOf);
});
