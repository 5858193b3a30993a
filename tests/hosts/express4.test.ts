// Express 4 doesn't look at the promise of an async handler. With the wrapper of docs/hosts.md a
// regenerate() that rejects goes to the error handlers, as it does on Express 5.
import type { ErrorRequestHandler, RequestHandler } from "express";
import type express from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import { SessionMemoryStore, StoreError } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { mintCookie } from "kocha-session/testing";
import { expect, onTestFinished, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

const create = express4 as unknown as typeof express;

const caught =
  (handler: (...args: Parameters<RequestHandler>) => Promise<void>): RequestHandler =>
  (request, response, next) =>
    void handler(request, response, next).catch(next);

test("a wrapped handler's regenerate() that rejects is a 503 of the error handlers", async () => {
  const spy = spyOn(slowly(new SessionMemoryStore()));
  const config = { store: spy.store, signingKey: freshKey(), secure: false };
  const cookie = await mintCookie(config, { name: "alice" });
  const app = create();
  app.use(sessionMiddleware(config));
  app.get(
    "/login",
    caught(async (request, response) => {
      await request.session.regenerate();
      response.send("done");
    }),
  );
  app.get("/", (request, response) => void response.send(request.session.get("name")));
  const handled: unknown[] = [];
  const answer: ErrorRequestHandler = (error: { status: number }, _request, response, _next) => {
    handled.push(error);
    response.status(error.status).send("sorry");
  };
  app.use(answer);
  const { url, close } = await listen(app);
  onTestFinished(close);
  spy.fault = "save";
  const refused = await fetch(`${url}/login`, { headers: { cookie } });
  expect([refused.status, await refused.text()]).toEqual([503, "sorry"]);
  expect(refused.headers.getSetCookie()).toEqual([]);
  expect(handled).toHaveLength(1);
  expect(handled[0]).toBeInstanceOf(StoreError);
  spy.fault = undefined;
  const served = await fetch(url, { headers: { cookie } });
  expect(await served.text()).toBe("alice");
});
