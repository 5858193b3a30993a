// The request listener of node:http, which has no error path of its own: whatever the store or the
// handler does, the client is answered, the operator is told, and the process goes on.
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  LimitError,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
  SessionMiddleware,
  type SessionStore,
} from "kocha-session";
import * as entry from "kocha-session/node";
import { type SessionListener, sessionMiddleware, withSession } from "kocha-session/node";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowly } from "../support/latency.ts";
import { thrownBy } from "../support/thrown.ts";

test("the entry point gives what its documents name, and nothing else", () => {
  expect(Object.keys(entry).toSorted()).toEqual([
    "openSession",
    "sessionMiddleware",
    "withSession",
  ]);
});

/** A server, the errors that it reported, and the requests that they came with. */
async function serve(config: SessionConfig, handler: SessionListener) {
  const reported: unknown[] = [];
  const paths: unknown[] = [];
  const listener = withSession({ secure: false, storeTimeout: 30, ...config }, handler, {
    reportError: (error, request) => {
      reported.push(error);
      paths.push(request.url);
    },
  });
  const { url, close } = await listen(createServer(listener));
  onTestFinished(close);
  return { url, reported, paths };
}

async function ask(url: string, cookie = "") {
  const response = await fetch(url, { headers: { cookie } });
  return {
    status: response.status,
    body: await response.text(),
    setCookie: response.headers.getSetCookie(),
    headers: response.headers,
  };
}

const refusal = { 500: "Internal Server Error\n", 503: "Service Unavailable\n" };

describe.each<[string, (store: SessionStore) => SessionStore]>([
  ["at once", (store) => store],
  ["later", slowly],
])("over a store that answers %s", (_, pace) => {
  const memory = (): SessionConfig => ({
    store: pace(new SessionMemoryStore()),
    signingKey: freshKey(),
  });
  /** A store whose `fails` throws or rejects. */
  const broken = (fails: "load" | "save"): SessionConfig => {
    const store = pace({
      load: () => undefined,
      save: () => undefined,
      [fails]: () => {
        throw new Error("the store is down");
      },
    });
    return { store, signingKey: freshKey() };
  };
  /** A cookie that is taken to `config`'s store, without asking any. */
  const cookieFor = ({ signingKey }: SessionConfig): Promise<string> =>
    mintCookie({ store: new SessionMemoryStore(), signingKey: signingKey ?? "" }, { a: "1" });

  test("the handler gets the session, which is the request's, and what it changes is saved", async () => {
    const config = memory();
    const { url, reported } = await serve(config, (request, response, session) => {
      expect(request.session).toBe(session);
      session.set("a", "1");
      response.end("done");
    });
    const { status, body, setCookie } = await ask(url);
    expect([status, body, reported]).toEqual([200, "done", []]);
    expect(await readCookie(config, setCookie)).toEqual(new Map([["a", "1"]]));
  });

  test("a session that can't be loaded is a 503, and the handler isn't called", async () => {
    const config = broken("load");
    let called = false;
    const { url, reported, paths } = await serve(config, (_request, response) => {
      called = true;
      response.end();
    });
    const { status, body, setCookie, headers } = await ask(`${url}/here`, await cookieFor(config));
    expect([status, body, setCookie, called]).toEqual([503, refusal[503], [], false]);
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(reported).toMatchObject([{ code: "ERR_SESSION_STORE_FAILED", operation: "load" }]);
    expect(paths).toEqual(["/here"]);
  });

  test.each<[string, SessionListener]>([
    [
      "throws",
      (_request, response) => {
        response.setHeader("Cache-Control", "public, max-age=600").setHeader("ETag", '"1"');
        response.statusMessage = "Fine";
        throw new Error("the handler threw");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the handler threw"))],
    [
      "throws another server's 404",
      () => {
        throw Object.assign(new Error("the handler threw"), { status: 404 });
      },
    ],
  ])("a handler that %s is a 500; what it changed before is saved", async (__, fail) => {
    const config = memory();
    const { url, reported } = await serve(config, (request, response, session) => {
      session.set("a", "1");
      return fail(request, response, session);
    });
    const { status, body, setCookie, headers } = await ask(url);
    expect([status, body]).toEqual([500, refusal[500]]);
    expect([headers.get("Cache-Control"), headers.get("ETag")]).toEqual(["no-store", null]);
    expect(await readCookie(config, setCookie)).toEqual(new Map([["a", "1"]]));
    expect(reported).toMatchObject([{ message: "the handler threw" }]);
  });

  test("a handler that lets a store's error through is a 503, reported once", async () => {
    const { url, reported } = await serve(broken("save"), async (_request, response, session) => {
      session.set("a", "1");
      await session.commit();
      response.end("done");
    });
    const { status, setCookie } = await ask(url);
    expect([status, setCookie]).toEqual([503, []]);
    expect(reported).toMatchObject([{ code: "ERR_SESSION_STORE_FAILED", operation: "save" }]);
  });

  test("a session that can't be saved takes the answer back, and is a 503", async () => {
    const { url, reported } = await serve(broken("save"), (_request, response, session) => {
      session.set("a", "1");
      response.writeHead(201, { "Cache-Control": "public, max-age=600", ETag: '"1"' });
      response.end("done");
    });
    const { status, body, setCookie, headers } = await ask(url);
    expect([status, body, setCookie]).toEqual([503, refusal[503], []]);
    expect([headers.get("Cache-Control"), headers.get("ETag")]).toEqual(["no-store", null]);
    expect(reported).toMatchObject([{ code: "ERR_SESSION_STORE_FAILED", operation: "save" }]);
  });

  test("a handler that throws after its session couldn't be saved is one answer and two reports", async () => {
    const { url, reported } = await serve(broken("save"), (_request, response, session) => {
      session.set("a", "1");
      response.end("done");
      throw new Error("the handler threw");
    });
    const { status, setCookie } = await ask(url);
    expect([status, setCookie]).toEqual([503, []]);
    const messages = reported.map((error) => (error as { code?: string }).code ?? "the handler's");
    expect(messages.toSorted()).toEqual(["ERR_SESSION_STORE_FAILED", "the handler's"]);
  });

  test("a handler that throws when its response has begun ends the connection", async () => {
    const { url, reported } = await serve(memory(), async (request, response, session) => {
      if (request.url === "/fine") {
        response.end("fine");
        return;
      }
      session.get("a");
      await new Promise<void>((resolve) => void response.write("half", () => resolve()));
      throw new Error("the handler threw");
    });
    await expect(ask(url)).rejects.toThrow();
    expect(reported).toMatchObject([{ message: "the handler threw" }]);
    expect((await ask(`${url}/fine`)).body).toBe("fine");
  });

  test.each([
    ["at once", async () => undefined],
    ["when it is sent", (response) => new Promise((resolve) => response.once("finish", resolve))],
  ] satisfies [string, (response: ServerResponse) => Promise<unknown>][])(
    "a handler that throws %s when it has answered leaves the answer whole",
    async (__, wait) => {
      const config = memory();
      const { url, reported } = await serve(config, async (_request, response, session) => {
        session.set("a", "1");
        const waited = wait(response);
        response.writeHead(201, { "X-Own": "1" }).end("first");
        await waited;
        throw new Error("the handler threw");
      });
      const { status, body, headers, setCookie } = await ask(url);
      expect([status, body, headers.get("X-Own")]).toEqual([201, "first", "1"]);
      expect(await readCookie(config, setCookie)).toEqual(new Map([["a", "1"]]));
      expect(reported).toMatchObject([{ message: "the handler threw" }]);
    },
  );

  test("a reporter that fails hides nothing and ends nothing", async () => {
    onTestFinished(() => void vi.restoreAllMocks());
    const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const handler: SessionListener = () => {
      throw new Error("the handler threw");
    };
    const reporters = [
      () => {
        throw new Error("the reporter threw");
      },
      () => Promise.reject(new Error("the reporter threw")),
    ];
    for (const reportError of reporters) {
      const { url, close } = await listen(withSession(memory(), handler, { reportError }));
      onTestFinished(close);
      expect((await ask(url)).status).toBe(500);
      const printed = print.mock.calls.splice(0).map(([error]) => (error as Error).message);
      expect(printed).toEqual(["the handler threw", "the reporter threw"]);
    }
  });

  test("errors are printed unless they are reported, without the request and its cookies", async () => {
    onTestFinished(() => void vi.restoreAllMocks());
    const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const config = broken("load");
    const { url, close } = await listen(withSession(config, () => undefined));
    onTestFinished(close);
    expect((await ask(url, await cookieFor(config))).status).toBe(503);
    expect(print.mock.calls).toMatchObject([[{ code: "ERR_SESSION_STORE_FAILED" }]]);
    expect(print.mock.calls[0]).toHaveLength(1);
  });

  test("a client that has left harms nobody, whatever the handler does", async () => {
    const left: (() => void)[] = [];
    const { url, reported } = await serve(memory(), async (request, response, session) => {
      if (request.url === "/fine") {
        response.end("fine");
        return;
      }
      session.set("a", "1");
      const closed = new Promise((resolve) => response.once("close", resolve));
      left[0]?.();
      await closed;
      throw new Error("the handler threw");
    });
    const sent = httpRequest(url, { agent: false });
    const gone = new Promise((resolve) => sent.once("close", resolve));
    sent.on("error", () => undefined);
    left.push(() => void sent.destroy());
    sent.end();
    await gone;
    expect((await ask(`${url}/fine`)).body).toBe("fine");
    await vi.waitFor(() => expect(reported).toMatchObject([{ message: "the handler threw" }]));
  });

  test("over HTTP/2, it is the same", async () => {
    const config = broken("load");
    const reported: unknown[] = [];
    const server = createHttp2Server(
      withSession(
        { secure: false, ...config },
        (request, response, session) => {
          if (request.url === "/throw") throw new Error("the handler threw");
          session.set("a", "1");
          response.end("done");
        },
        { reportError: (error) => void reported.push(error) },
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const visit = async (path: string, cookie: string) => {
      const stream = client.request({ ":path": path, ...(cookie !== "" && { cookie }) });
      const status = new Promise((resolve) =>
        stream.once("response", (headers) => resolve(headers[":status"])),
      );
      return [await status, await text(stream)];
    };
    expect(await visit("/", await cookieFor(config))).toEqual([503, refusal[503]]);
    expect(await visit("/throw", "")).toEqual([500, refusal[500]]);
    expect(reported).toMatchObject([
      { code: "ERR_SESSION_STORE_FAILED" },
      { message: "the handler threw" },
    ]);
  });
});

test.each(["load", "save"] as const)("a store whose %s never answers is a 503", async (hangs) => {
  const never = new Promise<never>(() => undefined);
  const store: SessionStore = {
    load: () => undefined,
    save: () => undefined,
    [hangs]: () => never,
  };
  const config = { store, signingKey: freshKey(), storeTimeout: 0.05 };
  const cookie = await mintCookie({ ...config, store: new SessionMemoryStore() }, { a: "1" });
  const { url, reported } = await serve(config, (_request, response, session) => {
    session.set("a", "2");
    response.end("done");
  });
  expect((await ask(url, cookie)).status).toBe(503);
  expect(reported).toMatchObject([{ code: "ERR_SESSION_STORE_TIMEOUT", operation: hangs }]);
});

test("a session that is too large for its cookie is a 500, and its keys are reported", async () => {
  const config = { store: new SessionCookieStore(freshKeys()) };
  const { url, reported } = await serve(config, (_request, response, session) => {
    session.set("draft", "x".repeat(8000));
    response.end("done");
  });
  const { status, setCookie } = await ask(url);
  expect([status, setCookie]).toEqual([500, []]);
  expect(reported[0]).toBeInstanceOf(LimitError);
});

test("a listener inside another of the same configuration has the same session", async () => {
  const store = slowly(new SessionMemoryStore());
  const engine = new SessionMiddleware({ store, signingKey: freshKey(), secure: false });
  const inner = withSession(engine, (_request, response, session) => {
    response.end(session.get("a"));
  });
  const outer = withSession(engine, (request, response, session) => {
    session.set("a", "1");
    inner(request, response);
  });
  const { url, close } = await listen(outer);
  onTestFinished(close);
  const { status, body, setCookie } = await ask(url);
  expect([status, body, setCookie.length]).toEqual([200, "1", 1]);
});

test("the middleware without next says what to use instead, before it touches anything", () => {
  const spy = spyOn(new SessionMemoryStore());
  const middleware = sessionMiddleware({ store: spy.store, signingKey: freshKey() }) as (
    ...args: unknown[]
  ) => unknown;
  const error = thrownBy(() => middleware({ headers: {} }, {}));
  expect(error).toMatchObject({ name: "UsageError", code: "ERR_SESSION_USAGE_TYPE" });
  expect((error as Error).message).toMatch(
    /^next must be a function, not undefined: .*withSession/,
  );
  expect(spy.loads).toBe(0);
});
