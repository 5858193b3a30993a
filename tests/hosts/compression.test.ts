// Real middlewares that put a stream of their own in front of the response, mounted before the
// session and behind it: a page arrives as it does without sessions, however it is written, and a
// save that fails is still answered.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, pipeline, Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import fastifyCompress from "@fastify/compress";
import fastifyStatic from "@fastify/static";
import compression from "compression";
// @ts-expect-error it has no declarations of its own
import compression17 from "compression17";
import express, { type RequestHandler } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import Koa from "koa";
import koaCompress from "koa-compress";
import type { SessionConfig } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
// @ts-expect-error it has no declarations of its own
import responseTime from "response-time";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowStore, type SlowStore } from "../support/slow-store.ts";

/** Text that compresses to several buffers' worth. */
const page = randomBytes(96 * 1024).toString("hex");
const pieces = page.match(/.{1,20000}/g) ?? [];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-compression-"));
  writeFileSync(join(folder, "page.html"), page);
});
afterAll(() => rm(folder, { recursive: true }));

interface Seen {
  readonly status: number | undefined;
  readonly encoding: string | undefined;
  readonly cacheControl: string | undefined;
  readonly etag: string | undefined;
  readonly cookies: number;
  readonly body: string;
}

/** What a client that takes gzip sees; rejects when the response is cut. */
function ask(url: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "gzip" };
    const sent = httpRequest(url, { agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const encoding = response.headers["content-encoding"];
        const raw = Buffer.concat(chunks);
        resolve({
          status: response.statusCode,
          encoding,
          cacheControl: response.headers["cache-control"],
          etag: response.headers.etag,
          cookies: response.headers["set-cookie"]?.length ?? 0,
          body: (encoding === "gzip" ? gunzipSync(raw) : raw).toString(),
        });
      });
    });
    sent.once("error", reject);
    sent.end();
  });
}

type Write = (response: ServerResponse, request: IncomingMessage) => unknown;

/** Every way to write a page. */
const ways: Readonly<Record<string, Write>> = {
  end: (response) => response.end(page),
  "writes in a loop, whatever they answer": (response) => {
    for (const piece of pieces) response.write(piece);
    response.end();
  },
  "writes that wait for drain": async (response) => {
    for (const piece of pieces) {
      if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
    }
    response.end();
  },
  pipe: (response) => Readable.from(pieces).pipe(response),
  pipeline: (response) => pipeline(Readable.from(pieces), response, () => undefined),
  "pipe of small chunks": (response) =>
    Readable.from(page.match(/.{1,500}/g) ?? [], { objectMode: false }).pipe(response),
  "a stream that renders on the server": (response) => {
    // As React's renderToPipeableStream does it: it writes, stops at false, and goes on at drain.
    let next = 0;
    const render = (): void => {
      while (next < pieces.length) {
        if (!response.write(pieces[next++])) return;
        (response as { flush?: () => void }).flush?.();
      }
      response.end();
    };
    response.on("drain", render);
    render();
  },
  "as Next.js' server writes a page: flushHeaders, then the rest": async (response) => {
    response.flushHeaders();
    for (const piece of pieces) {
      if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
    }
    response.end();
  },
};

const compressions: Readonly<Record<string, () => RequestHandler>> = {
  "compression 1.8": () => compression(),
  "compression 1.7": () => (compression17 as typeof compression)(),
};
const expresses: Readonly<Record<string, () => express.Express>> = {
  "express 5": () => express(),
  "express 4": () => (express4 as unknown as typeof express)(),
};

function configOf(slow: SlowStore): SessionConfig {
  return { store: slow.store, signingKey: freshKey(), secure: false };
}

/** An Express application whose page is written by `write`. */
async function serve(
  create: () => express.Express,
  before: readonly RequestHandler[],
  behind: readonly RequestHandler[],
  write: Write,
  slow = slowStore(),
) {
  const app = create();
  app.set("env", "test");
  for (const one of before) app.use(one);
  app.use(expressSession(configOf(slow)));
  for (const one of behind) app.use(one);
  app.get("/", (request, response) => {
    request.session.set("a", "1");
    response.setHeader("Content-Type", "text/html");
    return write(response, request);
  });
  app.use((error: { status?: number }, _: unknown, response: express.Response, next: unknown) => {
    void next;
    response.status(error.status ?? 500).send("error".repeat(2000));
  });
  const { url, close } = await listen(app);
  onTestFinished(close);
  return { url, slow };
}

describe.each(Object.entries(expresses))("on %s", (_, create) => {
  describe.each(Object.entries(compressions))("%s", (__, compress) => {
    const sendFile: Write = (response) =>
      (response as express.Response).sendFile(join(folder, "page.html"));

    test.each(Object.entries({ ...ways, sendFile }))("%s arrives whole", async (name, write) => {
      for (const place of ["before", "behind"] as const) {
        const wrappers = [compress(), (responseTime as () => RequestHandler)()];
        const [before, behind] = place === "before" ? [wrappers, []] : [[], wrappers];
        const { url } = await serve(create, before, behind, write);
        const seen = await ask(url);
        expect([place, name, seen.status, seen.encoding, seen.cookies]).toEqual([
          place,
          name,
          200,
          "gzip",
          1,
        ]);
        expect(seen.body === page).toBe(true);
      }
    });

    test("server-sent events arrive one by one", async () => {
      for (const place of ["before", "behind"] as const) {
        const write: Write = (response) => {
          response.writeHead(200, { "Content-Type": "text/event-stream" });
          response.write("data: 1\n\n");
          (response as unknown as { flush: () => void }).flush();
          heard = () => response.end("data: 2\n\n");
        };
        let heard = (): unknown => undefined;
        const [before, behind] = place === "before" ? [[compress()], []] : [[], [compress()]];
        const { url } = await serve(create, before, behind, write);
        const response = await fetch(url);
        const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
        expect((await reader?.read())?.value).toBe("data: 1\n\n");
        heard();
        expect((await reader?.read())?.value).toBe("data: 2\n\n");
        expect((await reader?.read())?.done).toBe(true);
      }
    });

    test.each(Object.entries({ ...ways, sendFile }))(
      "a save that fails is answered, of %s",
      async (_way, write) => {
        for (const place of ["before", "behind"] as const) {
          const [before, behind] = place === "before" ? [[compress()], []] : [[], [compress()]];
          const cached: Write = (response, request) => {
            response.setHeader("Cache-Control", "public, max-age=600");
            response.setHeader("ETag", '"of the dropped answer"');
            return write(response, request);
          };
          const { url, slow } = await serve(create, before, behind, cached);
          slow.failsToSave = true;
          const seen = await ask(url);
          expect([place, seen.status, seen.cookies, seen.cacheControl]).toEqual([
            place,
            503,
            0,
            "no-store",
          ]);
          expect(seen.body).toBe("error".repeat(2000));
          expect(seen.etag).not.toBe('"of the dropped answer"');
        }
      },
    );
  });
});

test.each([true, false])("koa-compress, mounted before: %s", async (isBefore) => {
  const app = new Koa();
  const middlewares = [koaSession(configOf(slowStore())), koaCompress()];
  for (const one of isBefore ? middlewares.toReversed() : middlewares) app.use(one);
  app.use((context) => {
    context.session.set("a", "1");
    context.type = "html";
    context.body = context.path === "/stream" ? Readable.from(pieces) : page;
  });
  const callback = app.callback();
  const { url, close } = await listen((request, response) => void callback(request, response));
  onTestFinished(close);
  for (const path of ["/", "/stream"]) {
    const seen = await ask(url + path);
    expect([seen.status, seen.encoding, seen.cookies]).toEqual([200, "gzip", 1]);
    expect(seen.body === page).toBe(true);
  }
});

test.each([true, false])(
  "@fastify/compress and @fastify/static, registered before: %s",
  async (isBefore) => {
    const app = Fastify();
    const config = configOf(slowStore());
    if (!isBefore) await app.register(sessionPlugin, config);
    await app.register(fastifyCompress);
    await app.register(fastifyStatic, { root: folder, prefix: "/files/" });
    if (isBefore) await app.register(sessionPlugin, config);
    app.addHook("preHandler", async (request) => request.session.set("a", "1"));
    app.get("/", async (_, reply) => reply.type("text/html").send(page));
    app.get("/stream", async (_, reply) => reply.type("text/html").send(Readable.from(pieces)));
    app.get("/file", async (_, reply) => reply.sendFile("page.html"));
    await app.ready();
    const { url, close } = await listen(app.server);
    onTestFinished(async () => {
      await close();
      await app.close();
    });
    for (const path of ["/", "/stream", "/file"]) {
      const seen = await ask(url + path);
      expect([path, seen.status, seen.encoding, seen.cookies]).toEqual([path, 200, "gzip", 1]);
      expect(seen.body === page).toBe(true);
      expect(seen.cacheControl).toBe("no-store");
    }
  },
);

test("the callbacks of what was dropped hear why, and its sources are let go", async () => {
  const slow = slowStore();
  const told: unknown[] = [];
  const source = new PassThrough();
  const closed = new Promise((resolve) => source.once("close", resolve));
  const write: Write = (response) => {
    const tell = (error: unknown): unknown => told.push((error as { code?: string }).code);
    response.write("one", tell);
    response.write("two", "utf8", tell);
    source.pipe(response);
    source.write("three");
  };
  const { url } = await serve(() => express(), [], [], write, slow);
  slow.failsToSave = true;
  expect((await ask(url)).status).toBe(503);
  await closed;
  expect(told).toEqual(["ERR_SESSION_STORE_FAILED", "ERR_SESSION_STORE_FAILED"]);
});
