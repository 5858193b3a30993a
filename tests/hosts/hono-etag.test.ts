// Hono's etag() and the session: mounted as docs/hosts.md says, a 304 carries the session's cookie.
import { Hono } from "hono";
import { etag } from "hono/etag";
import { SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/hono";
import { expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";

test.each([
  ["before etag(), a 304 carries the cookie", true],
  ["after it, the cookie is lost", false],
])("mounted %s", async (_, isBefore) => {
  const session = sessionMiddleware({ store: new SessionMemoryStore(), signingKey: freshKey() });
  const app = new Hono();
  for (const middleware of isBefore ? [session, etag()] : [etag(), session]) app.use(middleware);
  app.get("/", (context) => {
    context.get("session").set("seen", "yes");
    return context.text("always the same");
  });
  const first = await app.request("/");
  const tag = first.headers.get("etag") ?? "";
  const again = await app.request("/", { headers: { "if-none-match": tag } });
  expect([first.status, again.status]).toEqual([200, 304]);
  expect(again.headers.getSetCookie().length).toBe(isBefore ? 1 : 0);
});
