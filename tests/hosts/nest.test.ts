// NestJS on both of its platforms, by controllers as its users write them (decorators are called as
// functions, since nothing here compiles them): the session of each request, Nest's own error
// answers, and a StreamableFile through a real compression.
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import fastifyCompress from "@fastify/compress";
import {
  Controller,
  Get,
  HttpException,
  type INestApplication,
  Module,
  Post,
  Req,
  Res,
  StreamableFile,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import compression from "compression";
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

  /** The answer by the platform's own response. */
  raw({ session }: Asked, response: { readonly send: (body: string) => unknown }): void {
    session.set("name", "alice");
    response.send("raw");
  }
}

/** What `@Get(path) method(@Req() request, @Res() response)` does in a class body. */
function route(
  method: keyof AppController,
  decorator: MethodDecorator,
  withResponse = false,
): void {
  const { prototype } = AppController;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  if (descriptor === undefined) throw new Error(`there is no ${method}`);
  decorator(prototype, method, descriptor);
  Req()(prototype, method, 0);
  if (withResponse) Res()(prototype, method, 1);
}

Controller()(AppController);
route("name", Get("name"));
route("login", Post("login"));
route("teapot", Get("teapot"));
route("file", Get("file"));
route("raw", Get("raw"), true);
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
