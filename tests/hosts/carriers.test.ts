// What a handler of the Fetch API's hosts answers with, and what that can carry: a Response that
// can't be copied, none at all, one that a session inside has signed already; and which sessions
// such handlers share.
import { getRequestListener } from "@hono/node-server";
import { H3 } from "h3";
import { H3 as OlderH3 } from "h3rc";
import { Hono } from "hono";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowly } from "../support/latency.ts";

type Answer = (session: Session, request: Request) => Response | Promise<Response>;
type Fetch = (request: Request) => Response | Promise<Response>;
/** A host with the session around an answer; `onError` answers what fails. */
type Make = (config: SessionConfig, answer: Answer, onError: (error: unknown) => Response) => Fetch;

const hosts: Readonly<Record<string, Make>> = {
  fetch: (config, answer, onError) =>
    withSession(config, (request, session) => answer(session, request), { onError }),
  hono: (config, answer, onError) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.all("*", (context) => answer(context.get("session"), context.req.raw));
    app.onError(onError);
    return (request) => app.fetch(request);
  },
  h3: (config, answer, onError) => {
    const app = new H3({
      silent: true,
      // h3 wraps what isn't of its own, and leaves its headers to whoever answers.
      onError: ({ cause }, { res }) => {
        const { body, status } = onError(cause);
        return new Response(body, { status, headers: res.errHeaders });
      },
    });
    app.use(h3Session(config));
    app.all("/**", (event) => answer(sessionOf(event), event.req));
    return (request) => app.fetch(request);
  },
  "h3 2.0.1-rc.2": (config, answer, onError) => {
    const app = new OlderH3({ silent: true, onError: (error) => onError(error.cause) });
    app.use(h3Session(config));
    app.all("/**", (event) => answer(sessionOf(event), event.req));
    return (request) => app.fetch(request);
  },
};

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

const url = "http://localhost/";

function namesOf(response: Response): string[] {
  return response.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0] ?? "");
}

async function usedResponse(): Promise<Response> {
  const response = new Response("used");
  await response.text();
  return response;
}

/** What only Deno and workers can make by a constructor. */
function switching(): Response {
  return Object.defineProperty(new Response(null), "status", { value: 101 });
}

const uncopyable: Readonly<Record<string, () => Response | Promise<Response>>> = {
  "Response.error()": () => Response.error(),
  "a used body": usedResponse,
  "101 Switching Protocols": switching,
};

describe.each(Object.entries(hosts))("on %s", (_, make) => {
  const withOnError = (config: SessionConfig, answer: Answer) => {
    const errors: unknown[] = [];
    const serve = make(config, answer, (error) => {
      errors.push(error);
      return new Response("sorry", { status: 500 });
    });
    return { serve, errors };
  };

  describe.each(Object.entries(uncopyable))("%s", (__, makeResponse) => {
    test("can't carry a change, which is told before the session is saved", async () => {
      const events: string[] = [];
      const { serve, errors } = withOnError(
        {
          ...stores["a store that takes a while"]?.(),
          on: { created: () => void events.push("created") },
        } as SessionConfig,
        (session) => {
          session.set("a", "1");
          events.push("set");
          return makeResponse();
        },
      );
      const told = errors as { readonly code?: string }[];
      const pending = serve(new Request(url));
      const response = await pending;
      expect(told.map(({ code }) => code)).toEqual(["ERR_SESSION_USAGE_RESPONSE"]);
      // What was changed is saved with the answer of the error, which carries the cookie.
      expect([response.status, namesOf(response), events]).toEqual([
        500,
        ["session"],
        ["set", "created"],
      ]);
    });

    test("goes through as it is where the session was only looked at, and renews nothing", async () => {
      let now = Date.now();
      const events: string[] = [];
      const config: SessionConfig = {
        store: new SessionCookieStore(freshKeys()),
        sessionExpires: 1000,
        now: () => now,
        on: { renewed: () => void events.push("renewed") },
      };
      const cookie = await mintCookie(config, { a: "1" });
      now += 1000;
      const made = await makeResponse();
      const { serve, errors } = withOnError(config, (session) => {
        session.get("a");
        return made;
      });
      const response = await serve(new Request(url, { headers: { cookie } }));
      expect(response.status).toBe(made.status);
      expect([errors, events]).toEqual([[], []]);
    });
  });
});

describe.each(Object.entries(stores))("withSession with %s", (_, makeConfig) => {
  /** A session in the store, and the cookie that leads to it. */
  const begin = async () => {
    const events: string[] = [];
    const config: SessionConfig = {
      ...makeConfig(),
      on: {
        committed: () => void events.push("committed"),
        refused: ({ reason }) => void events.push(`refused ${reason}`),
      },
    };
    const cookie = await mintCookie(config, { a: "1" });
    events.length = 0;
    return { config, cookie, events, request: new Request(url, { headers: { cookie } }) };
  };
  const isSealed = makeConfig().store instanceof SessionCookieStore;

  test("what is no Response is passed on as it is", async () => {
    const { config, request, events } = await begin();
    // Bun's own idiom; `upgrade` is true when the socket has taken over.
    const serve = withSession(
      config,
      (incoming, session, bun: { upgrade(of: Request): boolean }) => {
        if (session.get("a") === "1" && bun.upgrade(incoming)) return undefined;
        return new Response(null, { status: 401 });
      },
    );
    expect(await serve(request, { upgrade: () => true })).toBeUndefined();
    expect(await serve(request, { upgrade: () => false })).toMatchObject({ status: 401 });
    expect(events).toEqual([]);
  });

  test("a change that only a cookie could carry is refused with what is no Response", async () => {
    const { config, request, cookie, events } = await begin();
    const serve = withSession(config, (_request, session) => {
      session.set("a", "2");
    });
    expect(await serve(request)).toBeUndefined();
    expect(events).toEqual([isSealed ? "refused uncarried" : "committed"]);
    expect((await readCookie(config, cookie)).get("a")).toBe(isSealed ? "1" : "2");
    events.length = 0;
    // Nobody would ever find a new one.
    await serve(new Request(url));
    expect(events).toEqual(["refused uncarried"]);
  });

  test("a change before an error that nobody answers is refused, or saved without a cookie", async () => {
    const { config, request, events } = await begin();
    const serve = withSession(config, (_request, session) => {
      session.set("a", "2");
      throw new Error("the handler threw, as it was told to");
    });
    await expect(serve(request)).rejects.toThrow("as it was told to");
    expect(events).toEqual([isSealed ? "refused uncarried" : "committed"]);
  });

  test("on Node.js the host's own error page carries it", async () => {
    const { config, events } = await begin();
    const serve = withSession({ ...config, secure: false }, (_request, session) => {
      session.set("a", "2");
      throw new Error("the handler threw, as it was told to");
    });
    const handle = getRequestListener(serve, { overrideGlobalObjects: false });
    const server = await listen((request, response) => void handle(request, response));
    onTestFinished(server.close);
    const response = await fetch(server.url);
    expect([response.status, namesOf(response)]).toEqual([500, ["session"]]);
    expect(events).toEqual(["committed"]);
  });
});
