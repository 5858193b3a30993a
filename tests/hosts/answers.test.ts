// Every kind of answer of the Fetch API's hosts carries the session's cookie once and what else it
// says: h3's values, Hono's errors and streams, answers of a proxy with cookies of their own, and
// AWS Lambda, which has a list for cookies.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { H3, HTTPError, HTTPResponse, html, iterable, noContent, proxy, redirect } from "h3";
import { H3 as OlderH3, HTTPError as OlderHTTPError } from "h3rc";
import { toNodeHandler } from "h3/node";
import { toNodeHandler as toOlderNodeHandler } from "h3rc/node";
import { Hono } from "hono";
import { handle as handleLambda } from "hono/aws-lambda";
import { setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { proxy as honoProxy } from "hono/proxy";
import { streamSSE } from "hono/streaming";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowly } from "../support/latency.ts";

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()), secure: false }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
    secure: false,
  }),
};

/** Both ways that a host is reached: with a response of node:http underneath, and without. */
const ways = ["on Node.js", "elsewhere"] as const;

function namesOf(response: Response): string[] {
  const names = response.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0] ?? "");
  return names.toSorted();
}

function expectText(text: string, wanted: string | RegExp): void {
  const isSo = typeof wanted === "string" ? text === wanted : wanted.test(text);
  expect([text, isSo]).toEqual([text, true]);
}

async function serve(listener: Parameters<typeof listen>[0]): Promise<string> {
  const { url, close } = await listen(listener);
  onTestFinished(close);
  return url;
}

/** A server of somebody else's, whose answers have cookies of their own. */
function upstream(): Promise<string> {
  return serve(
    createServer((_request, response) => {
      response.setHeader("Set-Cookie", [
        "one=1; Path=/",
        "two=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
      ]);
      response.setHeader("Cache-Control", "public, max-age=60");
      response.end("proxied");
    }),
  );
}

const fail = (): never => {
  throw new Error("the handler threw, as it was told to");
};

/** What a handler of h3 may give, and what the client sees of it. */
const h3Answers: Readonly<Record<string, readonly [() => unknown, number, string | RegExp]>> = {
  "a text": [() => "text", 200, "text"],
  "an empty text": [() => "", 200, ""],
  nothing: [() => undefined, 200, ""],
  null: [() => null, 200, ""],
  "an object": [() => ({ a: 1 }), 200, '{"a":1}'],
  "an array": [() => [1, 2], 200, "[1,2]"],
  "a number": [() => 5, 200, "5"],
  false: [() => false, 200, "false"],
  "a bigint": [() => 5n, 200, "5"],
  bytes: [() => new TextEncoder().encode("bytes"), 200, "bytes"],
  "a Blob": [() => new Blob(["blob"], { type: "text/plain" }), 200, "blob"],
  "a stream": [() => new Response("stream").body, 200, "stream"],
  "an iterable": [() => iterable(["iter", "able"]), 200, "iterable"],
  "a Response": [() => new Response("made", { status: 201 }), 201, "made"],
  "a Response that says that something failed": [
    () => new Response("none", { status: 404 }),
    404,
    "none",
  ],
  "an HTTPResponse": [() => new HTTPResponse("own", { status: 202 }), 202, "own"],
  html: [() => html`<p>page</p>`, 200, /<p>page/],
  "a redirect": [() => redirect("/next"), 302, /next/],
  "no content": [() => noContent(), 204, ""],
  "an HTTPError": [() => Promise.reject(new HTTPError({ status: 418 })), 418, /418/],
  "an error": [fail, 500, /500/],
};

describe.each(Object.entries(stores))("with %s", (_, makeConfig) => {
  describe.each(ways)("h3 %s", (way) => {
    test.each(Object.entries(h3Answers))("%s", async (__, [answer, status, body]) => {
      const app = new H3({ silent: true });
      app.use(h3Session(makeConfig()));
      app.get("/", (event) => {
        sessionOf(event).set("a", "1");
        event.res.headers.append("Set-Cookie", "own=1");
        event.res.errHeaders.append("Set-Cookie", "own=1");
        return answer();
      });
      const response =
        way === "on Node.js"
          ? await fetch(await serve(toNodeHandler(app)), { redirect: "manual" })
          : await app.fetch(new Request("http://localhost/"));
      expect(response.status).toBe(status);
      expectText(await response.text(), body);
      expect(namesOf(response)).toEqual(["own", "session"]);
      expect([response.headers.get("Vary"), response.headers.get("Cache-Control")]).toEqual([
        "Cookie",
        "no-store",
      ]);
    });

    test("what proxy gives keeps its own cookies", async () => {
      const target = await upstream();
      const app = new H3({ silent: true });
      app.use(h3Session(makeConfig()));
      app.get("/", (event) => {
        sessionOf(event).set("a", "1");
        return proxy(event, target);
      });
      const response =
        way === "on Node.js"
          ? await fetch(await serve(toNodeHandler(app)))
          : await app.fetch(new Request("http://localhost/"));
      expect([response.status, await response.text()]).toEqual([200, "proxied"]);
      expect(namesOf(response)).toEqual(["one", "session", "two"]);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
    });
  });

  describe.each(ways)("h3 2.0.1-rc.2, which has no errHeaders, %s", (way) => {
    const reach = async (app: OlderH3): Promise<Response> =>
      way === "on Node.js"
        ? fetch(await serve(toOlderNodeHandler(app)))
        : app.fetch(new Request("http://localhost/"));

    test.each(["an HTTPError", "an error"])(
      "%s carries the cookie once, when the application answers it",
      async (kind) => {
        // As Nitro 3.0.0 does it.
        const onError = ({ status }: { readonly status: number }): Response =>
          new Response("sorry", { status });
        const app = new OlderH3({ silent: true, onError });
        app.use(h3Session(makeConfig()));
        app.get("/", (event) => {
          sessionOf(event).set("a", "1");
          throw kind === "an error" ? new Error("thrown") : new OlderHTTPError({ status: 418 });
        });
        const response = await reach(app);
        expect([response.status, await response.text(), namesOf(response)]).toEqual([
          kind === "an error" ? 500 : 418,
          "sorry",
          ["session"],
        ]);
      },
    );

    test("h3's own error answer carries it on Node.js; elsewhere it can't, and is told", async () => {
      const refused: string[] = [];
      const app = new OlderH3({ silent: true });
      const on = { refused: ({ reason }: { reason: string }) => void refused.push(reason) };
      app.use(h3Session({ ...makeConfig(), on }));
      app.get("/", (event) => {
        sessionOf(event).set("a", "1");
        throw new OlderHTTPError({ status: 418 });
      });
      const response = await reach(app);
      expect(response.status).toBe(418);
      expect([namesOf(response), refused]).toEqual(
        way === "on Node.js" ? [["session"], []] : [[], ["uncarried"]],
      );
    });

    test("a Response for many clients gets no cookie of one", async () => {
      const constant = new Response(null, { status: 204 });
      const app = new OlderH3({ silent: true });
      app.use(h3Session(makeConfig()));
      app.get("/", (event) => {
        sessionOf(event).set("a", "1");
        return constant;
      });
      expect(namesOf(await reach(app))).toEqual(["session"]);
      expect(namesOf(constant)).toEqual([]);
    });

    test("a Response with status 404, which it takes for none, carries the cookie", async () => {
      const constant = new Response("no such tea", { status: 404, headers: { "x-own": "1" } });
      const app = new OlderH3({ silent: true });
      app.use(h3Session(makeConfig()));
      app.get("/", (event) => {
        sessionOf(event).set("a", "1");
        return constant;
      });
      const response = await reach(app);
      expect([response.status, await response.text()]).toEqual([404, "no such tea"]);
      expect([response.headers.get("x-own"), namesOf(response)]).toEqual(["1", ["session"]]);
      expect(namesOf(constant)).toEqual([]);
    });
  });

  describe.each(ways)("Hono %s", (way) => {
    const reach = async (app: Hono, path: string, init?: RequestInit): Promise<Response> => {
      const listener = getRequestListener((request, env) => app.fetch(request, env), {
        overrideGlobalObjects: false,
      });
      return way === "on Node.js"
        ? fetch((await serve((request, response) => void listener(request, response))) + path, init)
        : app.fetch(new Request(`http://localhost${path}`, init));
    };
    const make = async (): Promise<Hono> => {
      const target = await upstream();
      const app = new Hono();
      app.use(honoSession(makeConfig()));
      app.use(async (context, next) => {
        context.get("session").set("a", "1");
        setCookie(context, "own", "1");
        await next();
      });
      app.get("/exception", () => {
        throw new HTTPException(401, { message: "who are you?" });
      });
      app.get("/exception-with-a-response", () => {
        const res = new Response("teapot", { headers: { "X-Own": "1" } });
        throw new HTTPException(418, { res });
      });
      app.get("/events", (context) =>
        streamSSE(context, async (stream) => {
          await stream.writeSSE({ data: "one" });
          await stream.writeSSE({ data: "two" });
        }),
      );
      app.get("/proxy", () => honoProxy(target));
      return app;
    };

    test.each<[string, number, string | RegExp]>([
      ["/exception", 401, "who are you?"],
      ["/exception-with-a-response", 418, "teapot"],
      ["/not-there", 404, /not found/i],
      ["/events", 200, "data: one\n\ndata: two\n\n"],
    ])("%s", async (path, status, body) => {
      const response = await reach(await make(), path);
      expect(response.status).toBe(status);
      expectText(await response.text(), body);
      expect(namesOf(response)).toEqual(["own", "session"]);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
    });

    test("an application's own page for what isn't there", async () => {
      const app = await make();
      app.notFound((context) => context.text("nothing here", 404));
      const response = await reach(app, "/not-there");
      expect([response.status, await response.text(), namesOf(response)]).toEqual([
        404,
        "nothing here",
        ["own", "session"],
      ]);
    });

    test("what proxy gives keeps its own cookies", async () => {
      const response = await reach(await make(), "/proxy");
      expect([response.status, await response.text()]).toEqual([200, "proxied"]);
      // Hono's own cookies go only onto what its context makes.
      expect(namesOf(response)).toEqual(["one", "session", "two"]);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
    });
  });

  test("Hono on AWS Lambda: each cookie is an entry of its own", async () => {
    const app = new Hono();
    app.use(honoSession(makeConfig()));
    app.get("/", (context) => {
      context.get("session").set("a", "1");
      setCookie(context, "own", "1", { expires: new Date(Date.now() + 86_400_000) });
      return context.text("done");
    });
    const event = {
      version: "2.0",
      routeKey: "$default",
      rawPath: "/",
      rawQueryString: "",
      headers: { host: "localhost" },
      body: null,
      isBase64Encoded: false,
      requestContext: {
        accountId: "",
        apiId: "",
        authentication: null,
        authorizer: {},
        domainName: "localhost",
        domainPrefix: "",
        http: {
          method: "GET",
          path: "/",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: "",
        },
        requestId: "",
        routeKey: "$default",
        stage: "$default",
        time: "",
        timeEpoch: 0,
      },
    };
    const result = (await handleLambda(app)(event as never)) as unknown as {
      readonly statusCode: number;
      readonly cookies: readonly string[];
    };
    expect(result.statusCode).toBe(200);
    const names = result.cookies.map((cookie) => cookie.split("=", 1)[0] ?? "");
    expect(names.toSorted()).toEqual(["own", "session"]);
  });
});
