// NestJS on both of its platforms, by controllers as its users write them (decorators are called as
// functions, since nothing here compiles them): the session of each request by Nest's own @Session(),
// guards, exception filters, Nest's own error answers, server-sent events, and a StreamableFile through a
// real compression.
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import fastifyCompress from "@fastify/compress";
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  type MessageEvent,
  Module,
  Post,
  Req,
  Res,
  Session as SessionParam,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import compression from "compression";
import { type Observable, of } from "rxjs";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { mintCookie, readCookie } from "kocha-session/testing";
import { request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";

interface Asked {
  readonly session: Session;
}

/** More than any buffer on the way holds, and worth compressing. */
const chunks = Array.from({ length: 100 }, (_, index) => `chunk ${index} `.repeat(2000));
const text = chunks.join("");

class AppController {
  name({ session }: Asked): { name: string } {
    return { name: session.get("name") };
  }

  async login({ session }: Asked): Promise<string> {
    await session.regenerate();
    session.set("name", "alice");
    return "done";
  }

  teapot({ session }: Asked): never {
    session.set("name", "alice");
    throw new HttpException("short and stout", 418);
  }

  file({ session }: Asked): StreamableFile {
    session.set("name", "alice");
    return new StreamableFile(Readable.from(chunks), { type: "text/plain" });
  }

  own(session: Session): { name: string } {
    return { name: session.get("name") };
  }

  async members({ session }: Asked): Promise<string> {
    await session.regenerate();
    return "come in";
  }

  broken({ session }: Asked): never {
    session.set("name", "alice");
    throw new Error("out of order");
  }

  events({ session }: Asked): Observable<MessageEvent> {
    session.set("name", "alice");
    return of({ data: "one" }, { data: "two" });
  }

  /** The answer by the platform's own response. */
  raw({ session }: Asked, response: { readonly send: (body: string) => unknown }): void {
    session.set("name", "alice");
    response.send("raw");
  }
}

/** Lets in who has a name, and counts who hasn't. */
class SignedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<Asked>();
    if (session.has("name")) return true;
    session.set("refused", "1");
    return false;
  }
}

/** Answers an error with what the session says. */
class Sorry implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { session } = http.getRequest<Asked>();
    session.set("told", "1");
    const response = http.getResponse<{
      status: (status: number) => { send: (body: string) => unknown };
    }>();
    response.status(418).send(`${error.message}, ${session.get("name")}`);
  }
}
Catch()(Sorry);

/** What `@Get(path) method(@Req() request, @Res() response)` does in a class body. */
function route(
  method: keyof AppController,
  decorator: MethodDecorator,
  withResponse = false,
  ...further: readonly MethodDecorator[]
): void {
  const { prototype } = AppController;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  if (descriptor === undefined) throw new Error(`there is no ${method}`);
  for (const one of [decorator, ...further]) one(prototype, method, descriptor);
  if (method === "own") SessionParam()(prototype, method, 0);
  else Req()(prototype, method, 0);
  if (withResponse) Res()(prototype, method, 1);
}

Controller()(AppController);
route("name", Get("name"));
route("login", Post("login"));
route("teapot", Get("teapot"));
route("file", Get("file"));
route("raw", Get("raw"), true);
route("own", Get("own"));
route("members", Get("members"), false, UseGuards(SignedIn));
route("broken", Get("broken"), false, UseFilters(Sorry));
route("events", Sse("events"));
class AppModule {
  readonly name = "app";
}
Module({ controllers: [AppController] })(AppModule);

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly setCookie: readonly string[];
}

/** A request whose answer isn't decompressed on its way. */
function ask(url: string, method: string, cookie: string): Promise<Answer> {
  const headers = { cookie, "Accept-Encoding": "gzip" };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
      const { statusCode: status = 0, headers: had } = response;
      buffer(response).then(
        (body) => resolve({ status, body, headers: had, setCookie: had["set-cookie"] ?? [] }),
        reject,
      );
    });
    sent.once("error", reject);
    sent.end();
  });
}

const silent = { logger: false } as const;

async function onExpress(config: SessionConfig, compresses: "before" | "behind" | "not") {
  const app = await NestFactory.create(AppModule, new ExpressAdapter(), silent);
  if (compresses === "before") app.use(compression({ threshold: 0 }));
  app.use(sessionMiddleware(config));
  if (compresses === "behind") app.use(compression({ threshold: 0 }));
  return app;
}

async function onFastify(config: SessionConfig, compresses: "before" | "behind" | "not") {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule,
    new FastifyAdapter(),
    silent,
  );
  // Nest has a Fastify of its own, of another version than ours: its types are others.
  type Plugin = Parameters<typeof app.register>[0];
  const compress = fastifyCompress as unknown as Plugin;
  if (compresses === "before") await app.register(compress, { threshold: 0 });
  await app.register(sessionPlugin as unknown as Plugin, config);
  if (compresses === "behind") await app.register(compress, { threshold: 0 });
  return app;
}

const platforms: Readonly<
  Record<
    string,
    (config: SessionConfig, compresses: "before" | "behind" | "not") => Promise<INestApplication>
  >
> = { Express: onExpress, Fastify: onFastify };

describe.each(Object.entries(platforms))("Nest on %s", (_, makeApp) => {
  const start = async (
    config: SessionConfig,
    compresses: "before" | "behind" | "not" = "not",
  ): Promise<(path: string, cookie?: string, method?: string) => Promise<Answer>> => {
    const app = await makeApp({ secure: false, storeTimeout: 30, ...config }, compresses);
    await app.init();
    // Fastify's own sign that its plugins are loaded.
    await (app.getHttpAdapter().getInstance() as { ready?: () => PromiseLike<unknown> }).ready?.();
    const { url, close } = await listen(app.getHttpServer() as Server);
    onTestFinished(async () => {
      await close();
      await app.close();
    });
    return (path, cookie = "", method = "GET") => ask(url + path, method, cookie);
  };

  describe.each([
    ["the cookie store", () => ({ store: new SessionCookieStore(freshKeys()) })],
    [
      "a store that answers later",
      () => ({ store: slowly(new SessionMemoryStore()), signingKey: freshKey() }),
    ],
  ] satisfies [string, () => SessionConfig][])("over %s", (__, make) => {
    const alice = new Map([["name", "alice"]]);

    test("a controller has its client's session, and what it changes is saved", async () => {
      const config = make();
      const visit = await start(config);
      const { status, setCookie } = await visit("/login", "", "POST");
      expect([status, setCookie.length]).toEqual([201, 1]);
      const cookie = setCookie[0]?.split(";", 1)[0] ?? "";
      const { body } = await visit("/name", cookie);
      expect(JSON.parse(body.toString())).toEqual({ name: "alice" });
    });

    test("@Session() is the request's session", async () => {
      const config = make();
      const visit = await start(config);
      const { body, headers } = await visit("/own", await mintCookie(config, { name: "alice" }));
      expect(JSON.parse(body.toString())).toEqual({ name: "alice" });
      expect(headers.vary).toContain("Cookie");
    });

    test("a guard reads the session, and what it writes is saved when it refuses", async () => {
      const config = make();
      const visit = await start(config);
      const refused = await visit("/members");
      expect([refused.status, await readCookie(config, refused.setCookie)]).toEqual([
        403,
        new Map([["refused", "1"]]),
      ]);
      const { status, body, setCookie } = await visit(
        "/members",
        await mintCookie(config, { name: "alice" }),
      );
      expect([status, body.toString()]).toEqual([200, "come in"]);
      expect(await readCookie(config, setCookie)).toEqual(alice);
    });

    test("an exception filter has the session with the handler's changes, and adds its own", async () => {
      const config = make();
      const visit = await start(config);
      const { status, body, setCookie } = await visit("/broken");
      expect([status, body.toString()]).toEqual([418, "out of order, alice"]);
      expect(await readCookie(config, setCookie)).toEqual(new Map([...alice, ["told", "1"]]));
    });

    test("server-sent events begin with the cookie", async () => {
      const config = make();
      const visit = await start(config);
      const { status, body, headers, setCookie } = await visit("/events");
      expect([status, headers["content-type"]]).toEqual([200, "text/event-stream"]);
      expect(body.toString().match(/data: \w+/g)).toEqual(["data: one", "data: two"]);
      expect(await readCookie(config, setCookie)).toEqual(alice);
    });

    test.each([
      ["/teapot", 418],
      ["/raw", 200],
    ] as const)("%s has its cookie and its status", async (path, due) => {
      const config = make();
      const visit = await start(config);
      const { status, setCookie } = await visit(path);
      expect([status, await readCookie(config, setCookie)]).toEqual([due, alice]);
    });

    test.each(["not", "before", "behind"] as const)(
      "a StreamableFile arrives whole, compressed %s",
      async (compresses) => {
        const config = make();
        const visit = await start(config, compresses);
        const { status, body, headers, setCookie } = await visit("/file");
        const isPacked = headers["content-encoding"] === "gzip";
        expect([status, isPacked]).toEqual([200, compresses !== "not"]);
        expect((isPacked ? gunzipSync(body) : body).toString() === text).toBe(true);
        expect(await readCookie(config, setCookie)).toEqual(alice);
      },
    );
  });

  test.each(["load", "save"] as const)(
    "a store that fails to %s is a 503 or 500",
    async (fault) => {
      const spy = spyOn(slowly(new SessionMemoryStore()));
      const config = { store: spy.store, signingKey: freshKey() };
      const visit = await start(config);
      const cookie = await mintCookie(config, { name: "bob" });
      spy.fault = fault;
      for (const [path, method] of [
        ["/login", "POST"],
        ["/teapot", "GET"],
        ["/raw", "GET"],
        ["/file", "GET"],
      ] as const) {
        const { status, setCookie } = await visit(path, cookie, method);
        expect([500, 503]).toContain(status);
        expect(setCookie).toEqual([]);
      }
      spy.fault = undefined;
      const { body } = await visit("/name", cookie);
      expect(JSON.parse(body.toString())).toEqual({ name: "bob" });
    },
  );
});
