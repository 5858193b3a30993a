// serverless-http runs an application without a socket, on a response of its own making: two cookies
// go out as two, in both of the gateway's formats.
import express from "express";
import serverless from "serverless-http";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { withSession } from "kocha-session/node";
import { readCookie } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";

/** A GET as API Gateway hands it on, formats 1.0 and 2.0. */
const events = {
  "1.0": {
    httpMethod: "GET",
    path: "/",
    headers: { host: "example.com" },
    requestContext: {},
  },
  "2.0": {
    version: "2.0",
    rawPath: "/",
    rawQueryString: "",
    headers: { host: "example.com" },
    requestContext: { http: { method: "GET", path: "/", sourceIp: "192.0.2.1" } },
  },
} as const;

interface GatewayAnswer {
  readonly statusCode: number;
  readonly body: string;
  readonly cookies?: readonly string[];
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
}

const apps = {
  express: (config: SessionConfig) => {
    const app = express();
    app.set("env", "test");
    app.use(sessionMiddleware(config));
    app.get("/", (request, response) => {
      request.session.set("name", "alice");
      response.cookie("own", "1").send("done");
    });
    return app;
  },
  node: (config: SessionConfig) =>
    withSession(
      config,
      (_request, response, session) => {
        session.set("name", "alice");
        response.setHeader("Set-Cookie", "own=1; Path=/");
        response.end("done");
      },
      { reportError: () => undefined },
    ),
} as const;

describe.each(["express", "node"] as const)("an application on %s", (host) => {
  const invoke = async (config: SessionConfig, format: keyof typeof events) => {
    const run = serverless(apps[host](config));
    const answer = (await run(events[format], {})) as GatewayAnswer;
    const { statusCode, body, cookies, multiValueHeaders } = answer;
    return { statusCode, body, setCookie: cookies ?? multiValueHeaders?.["set-cookie"] ?? [] };
  };

  describe.each(["1.0", "2.0"] as const)("behind a gateway of format %s", (format) => {
    test.each([
      ["the cookie store", () => ({ store: new SessionCookieStore(freshKeys()) })],
      [
        "a store that answers later",
        () => ({ store: slowly(new SessionMemoryStore()), signingKey: freshKey() }),
      ],
    ] satisfies [string, () => SessionConfig][])("sends two cookies, over %s", async (_, make) => {
      const config = make();
      const { statusCode, body, setCookie } = await invoke(config, format);
      expect([statusCode, body]).toEqual([200, "done"]);
      expect(setCookie.filter((cookie) => !cookie.startsWith("session="))).toEqual([
        "own=1; Path=/",
      ]);
      const ours = setCookie.filter((cookie) => cookie.startsWith("session="));
      expect(await readCookie(config, ours)).toEqual(new Map([["name", "alice"]]));
    });

    test("answers a store that is down with 503 and no cookie", async () => {
      const spy = spyOn(slowly(new SessionMemoryStore()));
      spy.fault = "save";
      const { statusCode, setCookie } = await invoke(
        { store: spy.store, signingKey: freshKey() },
        format,
      );
      expect([statusCode, setCookie.filter((one) => one.startsWith("session="))]).toEqual([
        503,
        [],
      ]);
    });
  });
});
