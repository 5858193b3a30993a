// The checks that applications have on all their requests: against forged forms, for a login, against too
// many requests. Behind the sessions they never see the browser's own requests; before them they keep a
// session from being bound, and its observers show that.
import express from "express";
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import { csrfSync } from "csrf-sync";
import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { SessionMemoryStore } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import type { MakeServer } from "kocha-session/testing";
import { bridge } from "../hosts/exchanges.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { type Check, guardedHosts } from "./guarded-hosts.ts";
import { isFresh, isEnd, type Site, startSite, type StoreParts, stores } from "./site.ts";

const later = stores["a store that answers later"] as StoreParts;
const POST = { method: "POST" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(makeServer: MakeServer, parts = later): Promise<Site> {
  const site = await startSite(makeServer, parts);
  closing.push(site.close);
  return site;
}

/** Refuses what changes something without a token. */
const forgery: Check = ({ method, header }) =>
  method === "POST" && header("x-csrf-token") !== "token"
    ? { status: 403, body: "no token" }
    : undefined;

/** Leads visitors who aren't logged in to the login page: those without a user, or without a cookie. */
const login: Check = ({ path, header, session }) => {
  const isKnown =
    session === undefined ? (header("cookie") ?? "").includes("session=") : session.has("user");
  return isKnown || path === "/login"
    ? undefined
    : { status: 302, body: "", headers: { Location: "/login" } };
};

/** Refuses all requests after so many. */
function limit(most: number): Check {
  let count = 0;
  return () => (++count > most ? { status: 429, body: "too many" } : undefined);
}

describe.each(Object.entries(guardedHosts))("on %s", (_, guarded) => {
  it("checks behind the sessions don't see the browser's own requests", async () => {
    const few = limit(4);
    const all: Check = (request) => few(request) ?? forgery(request) ?? login(request);
    const site = await open(guarded("behind", all));
    const browser = await site.browser();
    expect((await browser.visit("/read")).status).toBe(302);
    const offer = await browser.visit("/login");
    // As after an OAuth redirect, and after a link from another site.
    expect((await browser.register(offer, {}, true)).status).toBe(200);
    expect(isFresh(await browser.refresh(true))).toBe(true);
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    expect((await browser.visit("/form", POST)).status).toBe(403);
    expect((await browser.visit("/read")).status).toBe(429);
    site.wait(700);
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(isFresh(await browser.refresh(true))).toBe(true);
  });

  it.each([
    ["against forged forms", forgery, 403],
    ["for a login", login, 302],
    ["against too many requests", limit(1), 429],
  ] as const)("a check %s before them leaves the session unbound", async (__, check, status) => {
    const site = await open(guarded("before", check));
    const browser = await site.browser();
    const offer = await browser.visit("/login");
    const reply = await browser.register(offer, {}, true);
    expect([reply.status, reply.setCookie]).toEqual([status, []]);
    expect(reply.header("secure-session-challenge")).toBeUndefined();
    // What an observer sees of it: offers that no registration follows.
    expect(site.events).toEqual(["offered"]);
  });
});

describe("a check that is put before the sessions later", () => {
  it("makes the sessions that are bound stale, and observers see no refresh", async () => {
    const parts = { store: slowly(new SessionMemoryStore()), signingKey: freshKey() };
    const guarded = guardedHosts["express"] as (typeof guardedHosts)[string];
    const before = await open(guarded("behind", forgery), () => parts);
    const browser = await before.bound();
    const after = await open(guarded("before", forgery), () => parts);
    after.wait(761);
    const moved = browser.copy(after.url, (name) => name === "session");
    const headers = { "sec-secure-session-id": browser.identifier };
    const refresh = await moved.visit("/session/device", { ...POST, headers });
    // Without a challenge the browser forgets its key.
    expect([refresh.status, refresh.header("secure-session-challenge")]).toEqual([403, undefined]);
    expect(await moved.read()).toMatchObject({ user: "", device: "stale" });
    expect(after.events).toEqual(["stale: missing", "rejected: device"]);
  });
});

describe("the checks that frameworks have", () => {
  it("hono/csrf lets the browser's own requests through wherever it is mounted", async () => {
    for (const order of ["behind", "before"] as const) {
      const site = await open((config, handler) => {
        const app = new Hono();
        if (order === "before") app.use(csrf());
        app.use(honoSession(config));
        if (order === "behind") app.use(csrf());
        app.all("*", async (context) => {
          const { body } = await handler(context.get("session"), new URL(context.req.url));
          return context.text(body);
        });
        return listen(createServer(bridge((request) => app.fetch(request))));
      });
      const browser = await site.bound();
      expect(isFresh(await browser.refresh(true))).toBe(true);
      // It does check.
      const forged = { form: { a: "1" }, headers: { origin: "https://evil.example" } };
      expect((await browser.visit("/set/x", forged)).status).toBe(403);
    }
  });

  it("csrf-sync on Express refuses forms, and sees none of the browser's own requests", async () => {
    const site = await open((config, handler) => {
      const app = express();
      app.set("env", "test");
      const { csrfSynchronisedProtection, generateToken } = csrfSync({
        getTokenFromState: ({ session }) => (session.has("csrf") ? session.get("csrf") : undefined),
        storeTokenInState: ({ session }, token) => session.set("csrf", token ?? ""),
      });
      app.use(expressSession(config), csrfSynchronisedProtection);
      app.get("/token", (request, response) => void response.send(generateToken(request)));
      app.use((request, response, next) => {
        const url = new URL(request.url, "http://localhost");
        Promise.resolve(handler(request.session, url)).then(
          ({ body }) => response.send(body),
          next,
        );
      });
      return listen(app);
    });
    const browser = await site.bound();
    expect(isFresh(await browser.refresh(true))).toBe(true);
    expect((await browser.visit("/set/x", POST)).status).toBe(403);
    const token = (await browser.visit("/token")).body;
    const headers = { "x-csrf-token": token };
    expect((await browser.visit("/set/x", { ...POST, headers })).status).toBe(200);
    expect((await browser.read()).keys).toEqual(["csrf", "note", "user"]);
    await browser.visit("/logout");
    expect(isEnd(await browser.refresh())).toBe(true);
  });
});

/** What helmet and an application's own middleware set, before they know what the answer is. */
const early = {
  "Cache-Control": "public, max-age=3600",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Content-Type": "text/html",
  "Content-Security-Policy": "default-src 'self'",
  "Set-Cookie": "seen=1; Path=/",
};
const { fetch: _, ...withHeaders } = guardedHosts;

describe.each(Object.entries(withHeaders))("on %s", (__, guarded) => {
  it("headers that a middleware has set give way to the endpoint's, and other ones stay", async () => {
    const site = await open(guarded("before", () => undefined, early));
    const browser = await site.browser();
    const registration = await browser.register(await browser.visit("/login"));
    const refresh = await browser.refresh();
    for (const reply of [registration, refresh, await browser.ask(undefined)]) {
      expect(reply.header("cache-control")).toBe("no-store");
      expect(reply.header("cross-origin-resource-policy")).toBe("same-origin");
      expect(reply.header("x-content-type-options")).toBe("nosniff");
      expect(reply.header("content-type")).toMatch(/^application\/json(; charset=utf-8)?$/);
    }
    for (const { setCookie, header } of [registration, refresh]) {
      expect(header("content-security-policy")).toBe("default-src 'self'");
      const names = setCookie.map((cookie) => cookie.split("=", 1)[0]);
      expect(new Set(names)).toEqual(new Set(["seen", "session-device"]));
      expect(names).toHaveLength(2);
    }
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
  });
});
