// Adapters and test tools that run a node:http application without a connection, and take its
// answer from the response itself: what waits for the session isn't taken for sent, and a save
// that fails is answered like any other.
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import Fastify from "fastify";
import { type SessionConfig, SessionCookieStore, SessionMemoryStore } from "kocha-session";
import { sessionPlugin } from "kocha-session/fastify";
import { type SessionListener, withSession } from "kocha-session/node";
import { readCookie } from "kocha-session/testing";
import serverless from "serverless-http";
import { toFetchHandler } from "srvx/node";
import { describe, expect, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly setCookie: readonly string[];
}

type Run = (config: SessionConfig, handler: SessionListener) => Promise<Seen>;

const silent = { reportError: () => undefined } as const;

/** What takes the answer of a listener from its response. */
const adapters: Readonly<Record<string, Run>> = {
  "serverless-http": async (config, handler) => {
    const run = serverless(withSession(config, handler, silent));
    const event = { version: "2.0", rawPath: "/", rawQueryString: "", headers: {} };
    const request = { http: { method: "GET", path: "/", sourceIp: "192.0.2.1" } };
    const answer = await run({ ...event, requestContext: request }, {});
    const { statusCode, body, cookies } = answer as {
      readonly statusCode: number;
      readonly body: string;
      readonly cookies?: readonly string[];
    };
    return { status: statusCode, body, setCookie: cookies ?? [] };
  },
  "srvx's toFetchHandler": async (config, handler) => {
    const listener = withSession(config, handler, silent);
    const run = toFetchHandler(listener as Parameters<typeof toFetchHandler>[0]);
    const answer = await run(new Request("http://localhost/"));
    const setCookie = answer.headers.getSetCookie();
    return { status: answer.status, body: await answer.text(), setCookie };
  },
  "Fastify's inject": async (config, handler) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.get("/", async (request, reply) => {
      void reply.hijack();
      await handler(request.raw, reply.raw, request.session);
    });
    const { statusCode, body, headers } = await app.inject("/");
    await app.close();
    return { status: statusCode, body, setCookie: [headers["set-cookie"] ?? []].flat() };
  },
};

describe.each(Object.entries(adapters))("%s", (_, run) => {
  describe.each([
    ["the cookie store", () => ({ store: new SessionCookieStore(freshKeys()) })],
    [
      "a store that answers later",
      () => ({ store: slowly(new SessionMemoryStore()), signingKey: freshKey() }),
    ],
  ] satisfies [string, () => SessionConfig][])("over %s", (__, make) => {
    const alice = new Map([["name", "alice"]]);

    test.each([
      ["at once", () => undefined],
      ["later", () => setImmediate()],
    ])("an answer that is given %s arrives whole, with its cookie", async (___, wait) => {
      const config = make();
      const { status, body, setCookie } = await run(config, async (_request, response, session) => {
        await wait();
        session.set("name", "alice");
        response.setHeader("Set-Cookie", "own=1; Path=/");
        response.statusCode = 201;
        response.end("done");
      });
      expect([status, body]).toEqual([201, "done"]);
      expect(setCookie).toContain("own=1; Path=/");
      expect(await readCookie(config, setCookie)).toEqual(alice);
    });

    test("a second answer is refused, as it would be after the first", async () => {
      const config = make();
      const seen: boolean[] = [];
      const { status, body, setCookie } = await run(config, (_request, response, session) => {
        session.set("name", "alice");
        response.end("first");
        seen.push(response.headersSent);
        expect(() => response.setHeader("X-Late", "1")).toThrow(/ERR_HTTP_HEADERS_SENT|after they/);
        response.end();
      });
      expect([status, body, seen]).toEqual([200, "first", [true]]);
      expect(await readCookie(config, setCookie)).toEqual(alice);
    });
  });

  test("a save that fails is a 503 without a cookie", async () => {
    const { status, setCookie } = await run(failing(), (_request, response, session) => {
      session.set("name", "alice");
      response.end("done");
    });
    expect([status, setCookie]).toEqual([503, []]);
  });

  test("a save that fails while a stream is piped is an error, and the stream is let go", async () => {
    const source = new Readable({ read: () => undefined });
    const { status, body, setCookie } = await run(failing(), (_request, response, session) => {
      session.set("name", "alice");
      source.pipe(response);
      source.push("some of it");
    });
    // An adapter that listens for errors itself answers 500.
    expect([500, 503]).toContain(status);
    expect([body.includes("some"), setCookie, source.destroyed]).toEqual([false, [], true]);
  });
});

/** A store whose saves fail, later. */
function failing(): SessionConfig {
  const spy = spyOn(slowly(new SessionMemoryStore()));
  spy.fault = "save";
  return { store: spy.store, signingKey: freshKey() };
}
