// A save that fails while an answer is held: on each host its own error path answers, nothing of
// the dropped answer goes out, and nobody stores what does.
import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
// @ts-expect-error it has no declarations of its own
import express4 from "express4";
import Fastify from "fastify";
import Koa from "koa";
import { type SessionConfig, SessionCookieStore } from "kocha-session";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { sessionMiddleware as nodeSession } from "kocha-session/node";
import { afterEach, describe, expect, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowStore } from "../support/slow-store.ts";

/** What the session is given to keep. */
let value = "1";

type Close = () => Promise<unknown>;
const closing: Close[] = [];
afterEach(async () => {
  value = "1";
  for (const close of closing.splice(0)) await close();
});

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}
type Ask = () => Promise<Seen>;
/** An application that answers like this, with the session in front. */
type MakeApp = (config: SessionConfig, answer: (raw: ServerResponse) => unknown) => Promise<Ask>;

function askHttp1(url: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.once("error", reject);
    sent.end();
  });
}

/** A promise, and what resolves it. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((resolved) => (resolve = resolved));
  return { promise, resolve };
}

function statusOf(error: unknown): number {
  return (error as { status?: number } | null)?.status ?? 500;
}

/** An error path that clears nothing. */
function answerError(raw: ServerResponse, error: unknown): void {
  raw.statusCode = statusOf(error);
  raw.end("error");
}

function onNode(config: SessionConfig, answer: (raw: ServerResponse) => unknown) {
  const session = nodeSession(config);
  return (request: IncomingMessage, raw: ServerResponse): void => {
    session(request, raw, (error) => {
      if (error !== undefined) {
        answerError(raw, error);
        return;
      }
      request.session.set("a", value);
      answer(raw);
    });
  };
}

function onExpress(create: () => Express): MakeApp {
  return async (config, answer) => {
    const app = create();
    app.set("env", "test");
    app.use(expressSession(config));
    app.use((request: Request, response: Response) => {
      request.session.set("a", value);
      answer(response);
    });
    app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
      void next;
      response.status(statusOf(error)).send("error");
    });
    const { url, close } = await listen(app);
    closing.push(close);
    return () => askHttp1(url);
  };
}

const apps: Readonly<Record<string, MakeApp>> = {
  "node:http": async (config, answer) => {
    const { url, close } = await listen(onNode(config, answer));
    closing.push(close);
    return () => askHttp1(url);
  },
  "express 5": onExpress(() => express()),
  "express 4": onExpress(() => (express4 as unknown as typeof express)()),
  koa: async (config, answer) => {
    const app = new Koa();
    app.silent = true;
    app.use(koaSession(config));
    app.use((context) => {
      context.session.set("a", value);
      context.respond = false;
      answer(context.res);
    });
    const callback = app.callback();
    const { url, close } = await listen((request, response) => void callback(request, response));
    closing.push(close);
    return () => askHttp1(url);
  },
  "fastify with hijack": async (config, answer) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.get("/", (request, reply) => {
      request.session.set("a", value);
      void reply.hijack();
      answer(reply.raw);
    });
    await app.ready();
    const { url, close } = await listen(app.server);
    closing.push(close, () => app.close());
    return () => askHttp1(url);
  },
  "HTTP/2": async (config, answer) => {
    const server = createHttp2Server(onNode(config, answer) as never);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    closing.push(async () => {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return () =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ":path": "/" });
        let seen = { status: 0, headers: {} as Record<string, unknown>, body: "" };
        stream.once("response", (headers) => {
          seen = { ...seen, status: Number(headers[":status"]), headers };
        });
        stream.on("data", (chunk: Buffer) => (seen.body += chunk.toString()));
        stream.once("error", reject);
        stream.once("end", () => resolve(seen));
      });
  },
};

/** By node's alias of writeHead, where node has it: Node.js 26 doesn't. */
function writeHeader(raw: ServerResponse, status: number, headers: Record<string, string>): void {
  const methods = raw as unknown as Record<string, ServerResponse["writeHead"]>;
  methods["writeHeader" in raw ? "writeHeader" : "writeHead"]?.(status, headers);
}

/** What is answered and taken back, by every method that can begin a response. */
const answers: Readonly<Record<string, (raw: ServerResponse) => unknown>> = {
  end: (raw) => raw.end("promised"),
  "writeHead and end": (raw) => raw.writeHead(201, { "X-Promised": "1" }).end("promised"),
  "write and end": (raw) => [raw.write("pro"), raw.end("mised")],
  "flushHeaders and end": (raw) => [raw.flushHeaders(), raw.end("promised")],
  "no content": (raw) => raw.writeHead(204).end(),
};

const stores = {
  "a store that fails later": () => {
    const slow = slowStore();
    slow.failsToSave = true;
    return { status: 503, config: { store: slow.store, signingKey: freshKey() } };
  },
  "a session that is too large for its cookie": () => {
    value = "1".repeat(5000);
    return { status: 500, config: { store: new SessionCookieStore(freshKeys()) } };
  },
};

describe.each(Object.entries(apps))("on %s", (_, makeApp) => {
  describe.each(Object.entries(stores))("%s", (__, makeStore) => {
    test.each(Object.entries(answers))("takes back %s", async (___, answer) => {
      const { status, config } = makeStore();
      const ask = await makeApp({ ...config, secure: false }, (raw) => {
        raw.setHeader("Cache-Control", "public, max-age=600");
        raw.setHeader("ETag", '"promised"');
        raw.setHeader("Content-Type", "application/x-promised");
        return answer(raw);
      });
      const seen = await ask();
      expect(seen.status).toBe(status);
      expect(seen.body).not.toContain("promised");
      expect(seen.headers["cache-control"]).toBe("no-store");
      expect(seen.headers["etag"]).not.toBe('"promised"');
      expect(seen.headers["x-promised"]).toBeUndefined();
      expect(seen.headers["set-cookie"]).toBeUndefined();
      expect(seen.headers["content-type"]).not.toBe("application/x-promised");
    });

    test("tells who waits for a callback", async () => {
      const { config } = makeStore();
      const told: unknown[] = [];
      const ask = await makeApp({ ...config, secure: false }, (raw) => {
        const tell = (error?: unknown): unknown => told.push(error instanceof Error);
        raw.write("one", tell);
        raw.write("two", "utf8", tell);
        raw.end("three", tell);
      });
      await ask();
      expect(told).toEqual([true, true, true]);
    });
  });

  test("an answer, then an error, and a save that fails: the client is answered", async () => {
    const { config } = stores["a store that fails later"]();
    const ask = await makeApp({ ...config, secure: false }, (raw) => {
      raw.end("promised");
      // What finalhandler does with an error once the response has begun.
      if (raw.headersSent) raw.destroy();
    });
    expect((await ask()).status).toBe(503);
  });

  test("a cookie makes `public` `no-store`", async () => {
    for (const store of [slowStore().store, undefined]) {
      const config =
        store === undefined
          ? { store: new SessionCookieStore(freshKeys()) }
          : { store, signingKey: freshKey() };
      const ask = await makeApp({ ...config, secure: false }, (raw) => {
        raw.setHeader("Cache-Control", "public, max-age=600");
        raw.end("body");
      });
      const { headers } = await ask();
      expect([headers["cache-control"], (headers["set-cookie"] as string[]).length > 0]).toEqual([
        "no-store",
        true,
      ]);
    }
  });
});

describe.each(["at once", "later"] as const)("a session that is saved %s", (when) => {
  test("writeHeader, node's alias of writeHead, is held", async () => {
    const config: SessionConfig =
      when === "at once"
        ? { store: new SessionCookieStore(freshKeys()) }
        : { store: slowStore().store, signingKey: freshKey() };
    const { url, close } = await listen(
      onNode({ ...config, secure: false }, (raw) => {
        writeHeader(raw, 201, {
          "Set-Cookie": "own=1",
          "Cache-Control": "public",
          Vary: "Accept",
        });
        raw.end("body");
      }),
    );
    closing.push(close);
    const { status, headers, body } = await askHttp1(url);
    expect([status, body, headers["cache-control"], headers["vary"]]).toEqual([
      201,
      "body",
      "no-store",
      "Accept, Cookie",
    ]);
    expect((headers["set-cookie"] as string[]).length).toBeGreaterThan(1);
  });
});

describe("behind a save that failed, before the host's error path has answered", () => {
  /** An error path that waits for the handler, and what both do meanwhile. */
  const applications = {
    "express 5": () => express(),
    "express 4": () => (express4 as unknown as typeof express)(),
  };

  test.each(
    Object.entries(applications).flatMap(([host, create]) => [
      { host, create, isEnded: false, seen: [503, "error"] },
      { host, create, isEnded: true, seen: [503, ""] },
    ]),
  )(
    "nothing that the handler still writes goes out: $host, ended: $isEnded",
    async ({ create, isEnded, seen }) => {
      const { config } = stores["a store that fails later"]();
      const failed = deferred();
      const written = deferred();
      const app = create();
      app.set("env", "test");
      app.use(expressSession({ ...config, secure: false }));
      app.use((request: Request, response: Response, next: NextFunction) => {
        request.session.set("a", value);
        response.write("one, ");
        failed.promise
          .then(() => {
            response.write("two, ");
            response.flushHeaders();
            if (isEnded) response.end("three");
            written.resolve();
          })
          .catch(next);
      });
      app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
        failed.resolve();
        written.promise
          .then(() => response.headersSent || response.status(statusOf(error)).send("error"))
          .catch(next);
      });
      const { url, close } = await listen(app);
      closing.push(close);
      const { status, body, headers } = await askHttp1(url);
      expect([status, body]).toEqual(seen);
      expect([headers["cache-control"], headers["set-cookie"]]).toEqual(["no-store", undefined]);
    },
  );

  test("what answers at once may leave the head alone", async () => {
    const { config } = stores["a store that fails later"]();
    const app = express();
    app.use(expressSession({ ...config, secure: false }));
    app.use((request: Request, response: Response) => {
      request.session.set("a", value);
      response.end("promised");
    });
    app.use((_error: unknown, __: Request, response: Response, ___: NextFunction) => {
      response.end("sorry");
    });
    const { url, close } = await listen(app);
    closing.push(close);
    expect((await askHttp1(url)).body).toBe("sorry");
  });
});

test.each(["koa", "fastify with hijack"] as const)(
  "what node can't send behind the first bytes ends the connection: %s",
  async (host) => {
    const config = { store: slowStore().store, signingKey: freshKey(), secure: false };
    const ask = await apps[host]?.(config, (raw) => {
      raw.write("first");
      raw.write("second", "no encoding" as never);
      raw.end();
    });
    await expect(ask?.()).rejects.toThrow(/aborted|hang up|reset/);
  },
);

test("a save that fails behind writeHeader is the host's error", async () => {
  const { config } = stores["a store that fails later"]();
  const { url, close } = await listen(
    onNode({ ...config, secure: false }, (raw) => {
      writeHeader(raw, 204, { "X-Promised": "1" });
      raw.end();
    }),
  );
  closing.push(close);
  const { status, headers, body } = await askHttp1(url);
  expect([status, headers["x-promised"], body]).toEqual([503, undefined, "error"]);
});
