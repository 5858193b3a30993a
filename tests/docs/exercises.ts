// What is asked of a snippet's servers beyond that they start: a look for every one of them, and an
// exercise of its own where a document promises an outcome.
import { DAY, SessionCookieStore } from "kocha-session";
import { mintCookie } from "kocha-session/testing";
import { io } from "socket.io-client";
import { expect } from "vitest";
import { Browser } from "../support/http-browser.ts";
import { type Answer, connectByWebSocket, visitByHttp2, Visitor } from "./clients.ts";
import type { SnippetServer } from "./run-snippet.ts";
import type { Snippet } from "./snippets.ts";

/** A Cookie header of a session whose name is alice, under the settings that the documents show. */
export function aliceCookie(keys: Readonly<Record<string, string>>): Promise<string> {
  const store = new SessionCookieStore({
    secretKey: keys["SESSION_SECRET_KEY"],
    signingKey: keys["SESSION_SIGNING_KEY"],
  });
  const config = { name: "appname_session", store, sessionExpires: 90 * DAY };
  return mintCookie(config, { name: "alice" });
}

/** Every server answers, and one whose front page is the session's name shows it to its owner. */
export async function lookAt(
  { port, protocol }: SnippetServer,
  { code }: Snippet,
  alice: string,
): Promise<void> {
  const { status, body } = await (protocol === "http2" ? visitByHttp2(port, "/", alice) : visit());
  expect(status).toBeLessThan(500);
  const showsName = code.includes('get("name")') && code.includes("./config/app.ts");
  if (showsName && status === 200) expect(body).toBe("alice");

  async function visit(): Promise<Answer> {
    const visitor = new Visitor(port);
    visitor.cookie = alice;
    return visitor.visit("/");
  }
}

/** A socket is greeted by its session's name, and refused without one. */
async function takeUpgrades(port: number, alice: string): Promise<void> {
  expect(await connectByWebSocket(port, alice)).toBe("hello alice");
  expect(await connectByWebSocket(port, "appname_session=made-up")).toBe("401");
}

/** What a document promises of a program, by document and heading. */
export const exercises: Readonly<Record<string, (port: number, alice: string) => Promise<void>>> = {
  "docs/kocha-session-page.md#Basics": async (port) => {
    const visitor = new Visitor(port);
    const { setCookie } = await visitor.visit("/set");
    // The configuration block of the page: its name, 90 days, and no HttpOnly.
    expect(setCookie[0]).toMatch(/^appname_session=[\w-]+; Max-Age=7776000; /);
    expect(setCookie[0]).not.toContain("HttpOnly");
    expect((await visitor.visit("/get")).body).toBe("alice");
    expect((await visitor.visit("/del")).body).toBe('["alice",""]');
    expect((await visitor.visit("/get")).body).toBe("");
    expect((await visitor.visit("/clear")).body).toBe("[2,0]");
    expect((await visitor.visit("/get")).body).toBe("");
    expect((await visitor.visit("/cart")).body).toBe('{"tea":2}');
  },
  "docs/kocha-session-page.md#Without sessions": async (port) => {
    const visitor = new Visitor(port);
    const { body, setCookie } = await visitor.visit("/");
    expect([body, setCookie]).toEqual(["no session, no cookie", []]);
  },
  "docs/kocha-session-page.md#Implement the session store": async (port) => {
    const [bob, stranger] = [new Visitor(port), new Visitor(port)];
    await bob.visit("/set");
    expect((await bob.visit("/get")).body).toBe("bob");
    expect((await stranger.visit("/get")).body).toBe("");
  },
  "docs/recipes.md#Login and logout": async (port) => {
    const visitor = new Visitor(port);
    expect((await visitor.visit("/login", "POST")).status).toBe(303);
    expect((await visitor.visit("/")).body).toBe("alice");
    const copied = new Visitor(port);
    copied.cookie = visitor.cookie;
    await visitor.visit("/logout", "POST");
    expect(visitor.cookie).toBe("");
    expect((await copied.visit("/")).body).toBe("");
  },
  "docs/coming-from/express-session.md#To our own sessions": async (port) => {
    const browser = new Browser(`http://127.0.0.1:${port}`);
    const { body: csrf } = await browser.visit("/form");
    expect((await browser.visit("/save", { csrf })).body).toBe("saved");
    expect((await browser.visit("/save", {})).status).toBe(403);
    expect((await new Browser(browser.origin).visit("/save", { csrf })).status).toBe(403);
  },
  "docs/coming-from/fastify-session.md#Its calls": async (port) => {
    const visitor = new Visitor(port);
    expect((await visitor.visit("/")).body).toBe("nobody");
    await visitor.visit("/login", "POST");
    expect((await visitor.visit("/")).body).toBe("user-42");
  },
  "docs/coming-from/koa-session.md#Its calls": async (port) => {
    const browser = new Browser(`http://127.0.0.1:${port}`);
    expect((await browser.visit("/")).body).toBe("1 views");
    expect((await browser.visit("/")).body).toBe("2 views");
  },
  "docs/recipes.md#Passport": async (port) => {
    const browser = new Browser(`http://127.0.0.1:${port}`);
    const alice = { username: "alice", password: "sesame" };
    expect((await browser.visit("/login", { ...alice, password: "wrong" })).status).toBe(401);
    expect((await browser.visit("/")).body).toBe("");
    expect((await browser.visit("/login", alice)).location).toBe("/");
    expect((await browser.visit("/")).body).toBe("alice");
    await browser.visit("/logout", {});
    expect((await browser.visit("/")).body).toBe("");
  },
  "docs/recipes.md#OAuth 2.0 with Passport": async (port) => {
    const browser = new Browser(`http://127.0.0.1:${port}`);
    const { location } = await browser.visit("/login");
    const { headers } = await fetch(location, { redirect: "manual" });
    const callback = headers.get("location") ?? "";
    const victim = new Browser(browser.origin);
    await victim.visit("/login");
    expect((await victim.visit(callback)).status).toBe(403);
    expect((await browser.visit(callback)).location).toBe("/");
    expect((await browser.visit("/")).body).toBe("user-42");
    expect((await browser.visit(callback)).status).toBe(403);
  },
  "docs/recipes.md#Step-up: the password again": async (port, alice) => {
    const visitor = new Visitor(port);
    visitor.cookie = alice;
    expect((await visitor.visit("/delete-account")).status).toBe(303);
    const copied = visitor.cookie;
    await visitor.visit("/confirm", "POST");
    expect((await visitor.visit("/delete-account")).body).toBe("Delete it for good?");
    visitor.cookie = copied;
    expect((await visitor.visit("/delete-account")).status).toBe(303);
  },
  "docs/recipes.md#Too many attempts": async (port) => {
    const logIn = (username: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/login`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ username }),
      });
    for (let n = 0; n < 10; n++) expect((await logIn("alice")).status).toBe(303);
    const refused = await logIn("alice");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(800);
    expect(refused.headers.getSetCookie()).toEqual([]);
    // From the same address, also with another name.
    expect((await logIn("bob")).status).toBe(429);
  },
  "docs/recipes.md#CSRF": async (port) => {
    const rename = async (headers: Record<string, string>): Promise<number> => {
      const url = `http://127.0.0.1:${port}/rename`;
      return (await fetch(url, { method: "POST", redirect: "manual", headers })).status;
    };
    expect(await rename({ "sec-fetch-site": "same-origin" })).toBe(303);
    expect(await rename({ origin: `http://127.0.0.1:${port}` })).toBe(303);
    for (const site of ["cross-site", "same-site", "none"])
      expect(await rename({ "sec-fetch-site": site })).toBe(403);
    expect(await rename({ origin: "https://evil.example" })).toBe(403);
    expect(await rename({ origin: "null" })).toBe(403);
    expect(await rename({})).toBe(403);
  },
  "docs/recipes.md#socket.io": async (port) => {
    const browser = new Browser(`http://127.0.0.1:${port}`);
    await browser.visit("/login", {});
    const socket = io(browser.origin, {
      extraHeaders: { cookie: browser.header },
      reconnection: false,
      forceNew: true,
    });
    try {
      expect(await socket.emitWithAck("rename", "bob")).toBe("Saved.");
      expect((await browser.visit("/")).body).toBe("bob");
      await browser.visit("/logout", {});
      expect(await socket.emitWithAck("rename", "eve")).toBe("Please log in.");
    } finally {
      socket.disconnect();
    }
  },
  "docs/recipes.md#Flash messages": async (port) => {
    const visitor = new Visitor(port);
    await visitor.visit("/save", "POST");
    expect((await visitor.visit("/")).body).toBe("Saved.");
    expect((await visitor.visit("/")).body).toBe("");
  },
  "docs/recipes.md#WebSocket": takeUpgrades,
  "docs/hosts.md#Upgrades": takeUpgrades,
  "docs/hosts.md#Fetch API": async (port) => {
    const { status, body } = await new Visitor(port).visit("/broken");
    expect([status, body]).toEqual([500, "Sorry."]);
  },
  "docs/recipes.md#When something doesn't fit, or the store is down": async (port) => {
    const { status, body, setCookie } = await new Visitor(port).visit("/draft", "POST");
    expect(status).toBe(413);
    expect(body).toMatch(/^13\d{3} of 4096 bytes; draft: 10005$/);
    expect(setCookie).toEqual([]);
  },
};
