// What lives beside express-session: passport, connect-flash, csrf-sync, lusca and socket.io. Each
// application is one and the same on express-session and on its drop-in, over a store that answers late.
import { createServer } from "node:http";
// @ts-expect-error it has no declarations of its own
import flash from "connect-flash";
import { csrfSync } from "csrf-sync";
import express, { type Express, type RequestHandler } from "express";
// @ts-expect-error it has no declarations of its own
import lusca from "lusca";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { Strategy as OAuth2Strategy, type VerifyCallback } from "passport-oauth2";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { bagOf, libraries, type MakeSessions } from "../../support/express-sessions.ts";
import { Browser } from "../../support/http-browser.ts";
import { listen } from "../../support/listen.ts";
import { oauthClient, startOAuth2Server } from "../../support/oauth2-server.ts";

async function start(app: Express): Promise<string> {
  const { url, close } = await listen(app as never);
  onTestFinished(close);
  return url;
}

type Guard = InstanceType<typeof passport.Passport>;

function newPassport(): Guard {
  const guard = new passport.Passport();
  guard.serializeUser((user, done) => done(null, (user as { id: string }).id));
  guard.deserializeUser((id: string, done) => done(null, { id }));
  return guard;
}

/** An application with passport, its home page, and a logout. */
function appWith(guard: Guard, sessions: RequestHandler): Express {
  const app = express();
  app.use(express.urlencoded(), sessions, guard.initialize(), guard.session());
  app.get("/", (req, res) => {
    const user = req.user as { id: string } | undefined;
    res.json({ user: user?.id, id: bagOf(req).id, cart: bagOf(req)["cart"] });
  });
  app.get("/cart", (req, res) => {
    bagOf(req)["cart"] = ["tea"];
    res.end();
  });
  app.post("/logout", (req, res, next) => {
    req.logout((error: unknown) => (error ? next(error) : res.redirect("/")));
  });
  return app;
}

async function home(browser: Browser): Promise<{ user?: string; id: string; cart?: string[] }> {
  return JSON.parse((await browser.visit("/")).body) as { id: string };
}

describe.each(libraries)("on %s", (_, sessions) => {
  describe("passport-local", () => {
    async function startLocal(options: object = {}): Promise<Browser> {
      const guard = newPassport();
      guard.use(
        new LocalStrategy((username, password, done) => {
          const isRight = password === "right";
          done(null, isRight && { id: username }, isRight ? undefined : { message: "wrong" });
        }),
      );
      const app = appWith(guard, sessions());
      const redirects = { successRedirect: "/", failureRedirect: "/?failed" };
      app.post("/login", guard.authenticate("local", { ...redirects, ...options }));
      return new Browser(await start(app));
    }
    const alice = { username: "alice", password: "right" };

    test("a login is one for the next request, with a new session and a new id", async () => {
      const browser = await startLocal();
      await browser.visit("/cart");
      const before = await home(browser);
      expect(before.cart).toEqual(["tea"]);
      expect((await browser.visit("/login", alice)).location).toBe("/");
      const after = await home(browser);
      expect(after).toEqual({ user: "alice", id: expect.any(String) });
      expect(after.id).not.toBe(before.id);
    });

    test("keepSessionInfo takes the old session's data along", async () => {
      const browser = await startLocal({ keepSessionInfo: true });
      await browser.visit("/cart");
      await browser.visit("/login", alice);
      expect(await home(browser)).toMatchObject({ user: "alice", cart: ["tea"] });
    });

    test("a wrong password logs nobody in", async () => {
      const browser = await startLocal();
      const { location } = await browser.visit("/login", { ...alice, password: "wrong" });
      expect(location).toBe("/?failed");
      expect((await home(browser)).user).toBeUndefined();
    });

    test("a logout ends the session for every copy of its cookie", async () => {
      const browser = await startLocal();
      await browser.visit("/login", alice);
      const stolen = new Map(browser.cookies);
      expect((await browser.visit("/logout", {})).location).toBe("/");
      expect((await home(browser)).user).toBeUndefined();
      browser.cookies.clear();
      for (const [name, value] of stolen) browser.cookies.set(name, value);
      expect((await home(browser)).user).toBeUndefined();
    });
  });

  describe("passport-oauth2 with state and PKCE", () => {
    async function startOAuth2(): Promise<Browser> {
      const { url, close } = await startOAuth2Server();
      onTestFinished(close);
      const urls = { authorizationURL: `${url}/authorize`, tokenURL: `${url}/token` };
      const guard = newPassport();
      const options = {
        ...oauthClient,
        ...urls,
        callbackURL: "/callback",
        state: true,
        pkce: true,
      };
      guard.use(
        new OAuth2Strategy(
          options,
          (_token: string, _refresh: string, _profile: object, done: VerifyCallback) =>
            done(null, { id: "alice" }),
        ),
      );
      const app = appWith(guard, sessions());
      app.get("/login", guard.authenticate("oauth2"));
      app.get("/callback", guard.authenticate("oauth2", { successRedirect: "/" }));
      return new Browser(await start(app));
    }
    /** The provider's way back, for a login that was begun. */
    async function callbackOf(browser: Browser): Promise<string> {
      const { location } = await browser.visit("/login");
      const provider = await fetch(location, { redirect: "manual" });
      return provider.headers.get("location") ?? "";
    }

    test("a login comes back by its state", async () => {
      const browser = await startOAuth2();
      const { location, status } = await browser.visit(await callbackOf(browser));
      expect([status, location]).toEqual([302, "/"]);
      expect((await home(browser)).user).toBe("alice");
    });

    test("a state that another browser began, or that was used, is refused", async () => {
      const browser = await startOAuth2();
      const callback = await callbackOf(browser);
      const victim = new Browser(new URL(callback).origin);
      expect((await victim.visit(callback)).status).toBe(403);
      await victim.visit("/login");
      expect((await victim.visit(callback)).status).toBe(403);
      expect((await browser.visit(callback)).status).toBe(302);
      expect((await browser.visit(callback)).status).toBe(403);
    });
  });

  test("connect-flash: messages come once, on the next page", async () => {
    const app = express();
    app.use(sessions(), flash() as RequestHandler);
    type Flash = { flash(type: string, message?: string): unknown };
    app.get("/save", (req, res) => {
      const flashing = req as unknown as Flash;
      flashing.flash("info", "Saved.");
      flashing.flash("info", "Sent.");
      res.redirect("/");
    });
    app.get("/", (req, res) => res.json((req as unknown as Flash).flash("info")));
    const browser = new Browser(await start(app));
    expect((await browser.visit("/save")).location).toBe("/");
    expect((await browser.visit("/")).body).toBe('["Saved.","Sent."]');
    expect((await browser.visit("/")).body).toBe("[]");
  });

  test("csrf-sync: a form needs its session's token", async () => {
    const { generateToken, csrfSynchronisedProtection, revokeToken } = csrfSync({
      getTokenFromRequest: ({ body }) => (body as { token?: string }).token,
    });
    const app = express();
    app.use(express.urlencoded(), sessions());
    app.get("/form", (req, res) => res.end(generateToken(req)));
    app.get("/revoke", (req, res) => {
      revokeToken(req);
      res.end();
    });
    app.post("/save", csrfSynchronisedProtection, (_req, res) => res.end("saved"));
    app.use(errorStatus);
    await mustGuard(new Browser(await start(app)));
  });

  test("lusca: a form needs its session's token", async () => {
    const app = express();
    app.use(express.urlencoded(), sessions(), lusca.csrf({ key: "token" }) as RequestHandler);
    app.get("/form", (_req, res) => res.end(res.locals["token"]));
    app.get("/revoke", (req, res) => {
      delete bagOf(req)["_csrfSecret"];
      res.end();
    });
    app.post("/save", (_req, res) => res.end("saved"));
    app.use(errorStatus);
    await mustGuard(new Browser(await start(app)));
  });

  describe("socket.io", () => {
    async function startSockets(make: MakeSessions): Promise<Browser> {
      const handler = make();
      const app = express();
      app.use(handler);
      app.get("/visits", (req, res) => {
        const bag = bagOf(req);
        bag["visits"] = Number(bag["visits"] ?? 0) + 1;
        res.json(bag["visits"]);
      });
      app.get("/logout", (req, res) => bagOf(req).destroy(() => res.end()));
      const server = createServer(app as never);
      const sockets = new Server(server);
      sockets.engine.use(handler);
      sockets.on("connection", (socket) => {
        socket.on("visit", (answer: (visits: unknown) => void) => {
          const bag = bagOf(socket.request);
          bag.reload((error) => {
            if (error) return answer("no session");
            const { request } = socket;
            const loaded = bagOf(request);
            loaded["visits"] = Number(loaded["visits"] ?? 0) + 1;
            loaded.touch();
            loaded.save((failed) => answer(failed ? "not saved" : loaded["visits"]));
          });
        });
      });
      const { url, close } = await listen(server);
      onTestFinished(async () => {
        await sockets.close();
        await close();
      });
      return new Browser(url);
    }

    test.each(["polling", "websocket"])("by %s: a socket reads and writes", async (transport) => {
      const browser = await startSockets(sessions);
      expect((await browser.visit("/visits")).body).toBe("1");
      const socket = io(browser.origin, {
        transports: [transport],
        extraHeaders: { cookie: browser.header },
        reconnection: false,
        forceNew: true,
      });
      onTestFinished(() => void socket.disconnect());
      expect(await socket.emitWithAck("visit")).toBe(2);
      expect((await browser.visit("/visits")).body).toBe("3");
      expect(await socket.emitWithAck("visit")).toBe(4);
      expect((await browser.visit("/visits")).body).toBe("5");
      await browser.visit("/logout");
      expect(await socket.emitWithAck("visit")).toBe("no session");
    });
  });
});

const errorStatus: express.ErrorRequestHandler = (
  error: { status?: number; statusCode?: number },
  _req,
  res,
  _next,
) => {
  const told = res.statusCode === 200 ? 500 : res.statusCode;
  res.status(error.status ?? error.statusCode ?? told).end("refused");
};

/** A form is taken with its own session's token only. */
async function mustGuard(browser: Browser): Promise<void> {
  const { body: token } = await browser.visit("/form");
  expect(token).not.toBe("");
  expect(await browser.visit("/save", { token })).toMatchObject({ status: 200, body: "saved" });
  expect((await browser.visit("/save", { token: "made up" })).status).toBe(403);
  expect((await browser.visit("/save", {})).status).toBe(403);
  const other = new Browser(browser.origin);
  await other.visit("/form");
  expect((await other.visit("/save", { token })).status).toBe(403);
  await browser.visit("/revoke");
  expect((await browser.visit("/save", { token })).status).toBe(403);
}
