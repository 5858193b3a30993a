// A session that is replaced, and one of another library beside ours: an error that says what to do,
// on every host where the session is a property, over stores that answer at once and later.
import { IncomingMessage } from "node:http";
// @ts-expect-error it has no declarations of its own
import cookieSession from "cookie-session";
import type { RequestHandler } from "express";
import expressSession from "express-session";
import Fastify from "fastify";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import { sessionPlugin } from "kocha-session/fastify";
import passport from "passport";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { type Act, expressApp, expresses, type MakeApp, places, type Started } from "./misuse.ts";

const configs: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()), secure: false }),
  "an asynchronous store": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
    storeTimeout: 30,
    secure: false,
  }),
};

async function run(started: Started | Promise<Started>): Promise<string> {
  const { url, close } = await started;
  onTestFinished(async () => close());
  return url;
}

async function ask(
  url: string,
  cookie?: string,
): Promise<{ status: number; text: string; cookie: string }> {
  const response = await fetch(url, { headers: cookie === undefined ? {} : { cookie } });
  const [pair = ""] = (response.headers.getSetCookie()[0] ?? "").split(";");
  return { status: response.status, text: await response.text(), cookie: pair };
}

describe.each(Object.entries(places))("on %s", (host, makeApp: MakeApp) => {
  describe.each(Object.entries(configs))("over %s", (_, makeConfig) => {
    test.each([
      ["null", null],
      ["undefined", undefined],
      ["an object", { user: "alice" }],
    ])("replacing the session by %s is an error that names destroy()", async (kind, value) => {
      const act: Act = (place, path) => {
        const session = place.session as Session;
        if (path === "/set") session.set("name", "alice");
        if (path === "/replace") place.session = value;
        return session.get("name");
      };
      const url = await run(makeApp(makeConfig(), act));
      const { cookie } = await ask(`${url}/set`);
      const answer = await ask(`${url}/replace`, cookie);
      expect(answer.status).toBe(500);
      expect(answer.text).toContain("ERR_SESSION_USAGE_FOREIGN");
      expect(answer.text).toContain(kind);
      expect(answer.text).toContain("session.destroy()");
      // Nobody is logged out by it, and the error says so.
      expect(await ask(url, cookie)).toMatchObject({ status: 200, text: "alice" });
    });

    test("what takes the place before ours is an error at once", async () => {
      let acted = false;
      const act: Act = () => {
        acted = true;
        return "never";
      };
      // Fastify knows all decorators when it starts, and then doesn't.
      const answer = await Promise.resolve()
        .then(() => run(makeApp(makeConfig(), act, { session: { user: "alice" } })))
        .then(
          (url) => ask(url),
          (error: unknown) => ({ status: 500, text: (error as { code?: string }).code }),
        );
      expect(answer.status).toBe(500);
      expect(answer.text).toContain("ERR_SESSION_USAGE_FOREIGN");
      expect(acted).toBe(false);
    });

    test("an empty place, and the session put where it is, are as good as nothing", async () => {
      const act: Act = (place) => {
        const { session } = place;
        place.session = session;
        return (session as Session).get("name");
      };
      // These two declare it for all requests, and what is declared is taken.
      const before = ["fastify", "koa"].includes(host) ? undefined : { session: null };
      const url = await run(makeApp(makeConfig(), act, before));
      expect(await ask(url)).toMatchObject({ status: 200, text: "" });
    });
  });
});

describe.each(Object.entries(expresses))("beside real libraries on %s", (_, create) => {
  const options = { secret: "a secret", resave: false, saveUninitialized: false };
  const act: Act = ({ session }) => {
    (session as Session).set("name", "alice");
    return "saved";
  };

  describe.each(Object.entries(configs))("over %s", (_name, makeConfig) => {
    test.each([
      ["express-session", () => expressSession(options)],
      ["cookie-session", () => (cookieSession as (o: object) => RequestHandler)({ keys: ["a"] })],
    ])("%s before ours is an error at once", async (_library, make) => {
      const url = await run(expressApp(create, makeConfig(), act, { before: make() }));
      const { status, text } = await ask(url);
      expect([status, text.split(":")[0]]).toEqual([500, "ERR_SESSION_USAGE_FOREIGN"]);
    });

    test("cookie-session behind ours is an error when the response would leave", async () => {
      const behind = (cookieSession as (o: object) => RequestHandler)({ keys: ["a"] });
      const quiet: Act = () => "a page";
      const url = await run(expressApp(create, makeConfig(), quiet, { behind: [behind] }));
      const { status, text } = await ask(url);
      expect([status, text.split(":")[0]]).toEqual([500, "ERR_SESSION_USAGE_FOREIGN"]);
    });

    test("express-session behind ours steps back, and the session is ours", async () => {
      const behind = [expressSession(options)];
      const url = await run(expressApp(create, makeConfig(), act, { behind }));
      expect(await ask(url)).toMatchObject({ status: 200, text: "saved" });
    });

    test("a login by passport, which calls regenerate back, fails and doesn't hang", async () => {
      const { Passport } = passport as {
        Passport: new () => {
          session: () => RequestHandler;
          initialize: () => RequestHandler;
          serializeUser: (
            to: (user: unknown, done: (e: unknown, id: string) => void) => void,
          ) => void;
        };
      };
      const guard = new Passport();
      guard.serializeUser((_user, done) => done(undefined, "1"));
      const login: Act = (place) =>
        new Promise((resolve, reject) => {
          const request = place as unknown as {
            logIn: (user: object, done: (error?: Error) => void) => void;
          };
          request.logIn({ id: 1 }, (error) => (error ? reject(error) : resolve("logged in")));
        });
      const behind = [guard.initialize(), guard.session()];
      const url = await run(expressApp(create, makeConfig(), login, { behind }));
      const { status, text } = await ask(url);
      expect([status, text.split(":")[0]]).toEqual([500, "ERR_SESSION_USAGE_FOREIGN"]);
      expect(text).toContain("await session.regenerate()");
    });
  });
});

test("requests that have no session of ours take whatever they are given", () => {
  const request = new IncomingMessage({} as never) as unknown as { session?: unknown };
  expect(request.session).toBeUndefined();
  request.session = { theirs: true };
  expect(Object.getOwnPropertyDescriptor(request, "session")).toEqual({
    value: { theirs: true },
    configurable: true,
    enumerable: true,
    writable: true,
  });
  expect(delete request.session).toBe(true);
  expect(request.session).toBeUndefined();
});

test("Fastify's injected requests, which are no IncomingMessage, are guarded too", async () => {
  const app = Fastify();
  await app.register(sessionPlugin, {
    store: new SessionMemoryStore(),
    signingKey: freshKey(),
    secure: false,
  });
  app.get("/", async (request) => {
    request.session = null as never;
    return "never";
  });
  const { statusCode, body } = await app.inject("/");
  expect([statusCode, body]).toMatchObject([500, expect.stringContaining("session.destroy()")]);
});
