// What works with a request's session besides its application: passport, socket.io, and callers of the
// middleware without a response.
import { createServer, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import express from "express";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import session, { type Session } from "kocha-session/compat/express-session";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../support/listen.ts";
import { clientOf, routes, SECRET, serve, stores } from "./server.ts";

interface Visited {
  session: Session;
}

type Keep = (value: unknown, done: (error: null, value: unknown) => void) => void;

/** The part of passport that is used; it has no types of its own. */
interface Passport {
  serializeUser(keep: Keep): void;
  deserializeUser(keep: Keep): void;
  use(name: string, strategy: object): void;
  initialize(): express.RequestHandler;
  session(): express.RequestHandler;
  authenticate(name: string): express.RequestHandler;
}

interface LoggedIn {
  readonly user?: unknown;
  logout(done: (error?: unknown) => void): void;
}

const { Passport } = createRequire(import.meta.url)("passport") as {
  readonly Passport: new () => Passport;
};

/** A passport that logs in whoever the path names. */
function passportOf(): Passport {
  const one = new Passport();
  one.serializeUser((user, done) => done(null, user));
  one.deserializeUser((user, done) => done(null, user));
  one.use("name", {
    authenticate(this: { success: (user: object) => void }, request: IncomingMessage) {
      const { searchParams } = new URL(request.url ?? "", "http://host");
      this.success({ name: searchParams.get("name") });
    },
  });
  return one;
}

describe.each(Object.entries(stores))("with %s", (_, makeStore) => {
  const options = () => ({
    secret: SECRET,
    store: makeStore(),
    resave: false,
    saveUninitialized: false,
  });

  test("passport 0.7 logs in, regenerates, keeps the user, and logs out", async () => {
    const one = passportOf();
    const app = express();
    // Before the session, as some applications have it.
    app.use(one.initialize());
    app.use(session(options()));
    app.use(one.session());
    app.get("/login", one.authenticate("name"), (_request, response) => void response.end());
    app.get("/logout", (request, response, next) => {
      (request as unknown as LoggedIn).logout((error) => (error ? next(error) : response.end()));
    });
    app.get("/", (request, response) => {
      response.json((request as unknown as LoggedIn).user ?? null);
    });
    const { url, close } = await listen(app);
    onTestFinished(close);
    const get = clientOf(url);
    expect((await get()).body).toBe("null");
    expect((await get("/login?name=alice")).status).toBe(200);
    const before = get.cookie;
    expect((await get()).body).toBe('{"name":"alice"}');
    await get("/login?name=bob");
    expect(get.cookie).not.toBe(before);
    expect((await get()).body).toBe('{"name":"bob"}');
    const stale = clientOf(url);
    stale.cookie = before;
    expect((await stale()).body).toBe("null");
    await get("/logout");
    expect((await get()).body).toBe("null");
  });

  test.each(["polling", "websocket"])(
    "a socket by %s reads, saves, reloads and renews its session after the handshake",
    async (transport) => {
      const middleware = session(options());
      const server = createServer((incoming, response) => {
        middleware(incoming, response, () => {
          const { session: bag } = incoming as unknown as Visited;
          if (incoming.url === "/login") bag["user"] = "alice";
          response.end(JSON.stringify(bag));
        });
      });
      const sockets = new Server(server);
      sockets.engine.use(middleware);
      sockets.on("connection", (socket) => {
        const request = socket.request as unknown as Visited;
        socket.on("count", async (answer: (seen: unknown[]) => void) => {
          await request.session.reload();
          request.session["count"] = Number(request.session["count"] ?? 0) + 1;
          await request.session.save();
          await request.session.touch().save();
          answer([request.session["user"], request.session["count"]]);
        });
        socket.on("end", (answer: () => void) => request.session.destroy(answer));
      });
      const { url, close } = await listen(server);
      onTestFinished(async () => {
        await sockets.close();
        await close();
      });
      const get = clientOf(url);
      await get("/login");
      const socket = io(url, {
        transports: [transport],
        extraHeaders: { cookie: get.cookie },
        reconnection: false,
        forceNew: true,
      });
      const cookie = get.cookie;
      expect(await socket.emitWithAck("count")).toEqual(["alice", 1]);
      expect(JSON.parse((await get()).body)).toMatchObject({ user: "alice", count: 1 });
      expect(await socket.emitWithAck("count")).toEqual(["alice", 2]);
      await socket.emitWithAck("end");
      get.cookie = cookie;
      expect(Object.keys(JSON.parse((await get()).body) as object)).toEqual(["cookie"]);
      socket.disconnect();
    },
  );

  test("a middleware that is called without a response gives a session that can be saved", async () => {
    const store = makeStore() ?? new session.MemoryStore();
    const settings = { ...options(), store };
    const { client } = await serve(
      settings,
      routes({
        "/login": ({ session: bag }, response) => {
          bag["user"] = "alice";
          response.end();
        },
      }),
    );
    const get = client();
    await get("/login");
    const request = { headers: { cookie: get.cookie }, url: "/" } as unknown as IncomingMessage;
    await new Promise<void>((resolve, reject) => {
      session(settings)(request, {} as never, (error) => (error ? reject(error) : resolve()));
    });
    const { session: bag } = request as unknown as Visited;
    expect(bag["user"]).toBe("alice");
    bag["read"] = true;
    await bag.save();
    await bag.touch().save();
    expect(JSON.parse((await get()).body)).toMatchObject({ user: "alice", read: true });
    await bag.destroy();
    expect(Object.keys(JSON.parse((await get()).body) as object)).toEqual(["cookie"]);
    await expect(bag.save()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT_STALE" });
  });
});

test("a WebSocket's handshake carries the cookie of a session that is stored although it is new", async () => {
  const middleware = session({ secret: SECRET, saveUninitialized: true });
  const server = createServer((incoming, response) => {
    middleware(incoming, response, () =>
      response.end(JSON.stringify((incoming as unknown as Visited).session)),
    );
  });
  const sockets = new Server(server);
  sockets.engine.use(middleware);
  let cookies: string | undefined;
  sockets.engine.on("initial_headers", (headers: Record<string, string>) => {
    cookies = String(headers["Set-Cookie"]);
  });
  sockets.on("connection", (socket) => {
    socket.on("name", async (name: string, answer: () => void) => {
      const { session: bag } = socket.request as unknown as Visited;
      bag["name"] = name;
      await bag.save();
      answer();
    });
  });
  const { url, close } = await listen(server);
  onTestFinished(async () => {
    await sockets.close();
    await close();
  });
  const socket = io(url, { transports: ["websocket"], reconnection: false, forceNew: true });
  await socket.emitWithAck("name", "alice");
  const get = clientOf(url);
  get.cookie = (cookies ?? "").split(";", 1)[0] ?? "";
  expect(JSON.parse((await get()).body)).toMatchObject({ name: "alice" });
  socket.disconnect();
});
