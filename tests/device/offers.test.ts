// The offer on every kind of response: whatever a handler answers with, and however early it sends its head,
// the header is there once, beside the session's cookie.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import express from "express";
import Fastify from "fastify";
import Koa from "koa";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { sessionPlugin } from "kocha-session/fastify";
import { sessionMiddleware as koaSession } from "kocha-session/koa";
import { withSession } from "kocha-session/node";
import { exchangeApps } from "../hosts/exchanges.ts";
import { DeviceBrowser, DeviceKeyPair, type Reply } from "../support/device-browser.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { isFresh } from "./site.ts";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const stores: Readonly<Record<string, () => Pick<SessionConfig, "store" | "signingKey">>> = {
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
};

function configOf(store: string): SessionConfig {
  return {
    ...stores[store]?.(),
    deviceBinding: deviceBinding({ acceptUnboundCopies: true }),
  } as SessionConfig;
}

async function browserOf({ url, close }: { url: string; close: () => Promise<void> }) {
  closing.push(close);
  return new DeviceBrowser(url, Date.now, await DeviceKeyPair.make());
}

/** Expects one offer, which a browser takes. */
async function expectOffer(browser: DeviceBrowser, reply: Reply): Promise<void> {
  const offer = reply.header("secure-session-registration") ?? "";
  expect(offer.match(/challenge=/g)).toHaveLength(1);
  expect(reply.setCookie.map((cookie) => cookie.split("=", 1)[0])).toContain("session");
  expect(reply.header("cache-control")).toMatch(/no-store/);
  expect((await browser.register(reply)).status).toBe(200);
  expect(isFresh(await browser.refresh())).toBe(true);
}

async function logIn(session: Session): Promise<void> {
  await session.regenerate();
  session.set("user", "ann");
  session.bindDevice();
}

describe.each(Object.entries(exchangeApps))("on %s", (_, makeApp) => {
  it.each([
    ["a text", "/text", "a store that answers later", 1],
    ["a stream", "/stream", "a store that answers later", 1],
    ["a stream", "/stream", "the cookie store", 1],
    ["a redirect", "/redirect", "a store that answers later", 1],
    ["a stream behind two middlewares", "/stream", "a store that answers later", 2],
  ])("%s carries it (%s, %s)", async (__, asked, store, mounts) => {
    const app = await makeApp(
      configOf(store),
      async ({ session, path, send, pipe, redirect, cookie }) => {
        await logIn(session);
        cookie("own", "1");
        if (path === "/stream") return pipe(Readable.from([Buffer.from("a"), Buffer.from("b")]));
        return path === "/redirect" ? redirect("/home") : send("in");
      },
      mounts,
    );
    const browser = await browserOf(app);
    const reply = await browser.visit(asked);
    const { status, body } = reply;
    expect([status, body]).toEqual(
      { "/text": [200, "in"], "/stream": [200, "ab"], "/redirect": [302, expect.any(String)] }[
        asked
      ],
    );
    await expectOffer(browser, reply);
  });
});

type Write = (response: ServerResponse) => void;

/** Ways to send the head before the body, and before anything is saved. */
const early: Readonly<Record<string, Write>> = {
  "writeHead with headers": (response) => {
    response.writeHead(200, { "Content-Type": "text/plain" });
    response.write("a");
    response.end("b");
  },
  "writeHead with a list of headers": (response) => {
    response.writeHead(200, "OK", ["X-Own", "1"]).end("ab");
  },
  flushHeaders: (response) => {
    response.flushHeaders();
    response.end("ab");
  },
  "a write": (response) => {
    response.write("a");
    setImmediate(() => response.end("b"));
  },
};

/** Hosts whose handlers get the response of node:http. */
const raw: Readonly<
  Record<string, (config: SessionConfig, write: Write) => ReturnType<typeof listen>>
> = {
  node: (config, write) =>
    listen(
      withSession(config, async (_request: IncomingMessage, response, session) => {
        await logIn(session);
        write(response);
      }),
    ),
  express: (config, write) => {
    const app = express();
    app.use(expressSession(config));
    app.get("/", (request, response, next) => {
      logIn(request.session).then(() => write(response), next);
    });
    return listen(app);
  },
  fastify: async (config, write) => {
    const app = Fastify();
    await app.register(sessionPlugin, config);
    app.get("/", async (request, reply) => {
      await logIn(request.session);
      void reply.hijack();
      write(reply.raw);
    });
    await app.ready();
    closing.push(() => app.close());
    return listen(app.server);
  },
  koa: (config, write) => {
    const app = new Koa();
    app.use(koaSession(config));
    app.use(async (context) => {
      await logIn(context.session);
      context.respond = false;
      context.status = 200;
      write(context.res);
    });
    const callback = app.callback();
    return listen(createServer((request, response) => void callback(request, response)));
  },
};

describe.each(Object.entries(raw))("a response that %s writes itself", (_, makeServer) => {
  it.each(Object.entries(early))("carries it after %s", async (__, write) => {
    const browser = await browserOf(
      await makeServer(configOf("a store that answers later"), write),
    );
    const reply = await browser.visit("/");
    expect([reply.status, reply.body]).toEqual([200, "ab"]);
    await expectOffer(browser, reply);
  });
});

describe("a response", () => {
  it("can't be asked to carry it once it has begun", async () => {
    let late: unknown;
    let session: Session | undefined;
    const serve = withSession(
      configOf("a store that answers later"),
      (_request: IncomingMessage, response, own) => {
        session = own;
        response.write("a");
        try {
          own.bindDevice();
        } catch (error) {
          late = error;
        }
        response.end("b");
      },
    );
    const browser = await browserOf(await listen(serve));
    const reply = await browser.visit("/");
    expect(late).toMatchObject({ name: "UsageError" });
    expect(session?.device).toBe("none");
    expect(reply.header("secure-session-registration")).toBeUndefined();
    expect(reply.setCookie).toEqual([]);
  });
});
