// Sessions mounted more than once around one answer: one configuration shares one session where the
// request is the same, two of one cookie's name are an error where it isn't, and two configurations
// of one request are refused; and one request that is handled twice at once.
import type { IncomingMessage, ServerResponse } from "node:http";
import { mergingCookies } from "kocha-session/merge";
import { getRequestListener } from "@hono/node-server";
import { H3 } from "h3";
import { toNodeHandler } from "h3/node";
import { H3 as OlderH3 } from "h3rc";
import { createApp, eventHandler, toNodeListener } from "h3v1";
import { Hono } from "hono";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMemoryStore,
} from "kocha-session";
import express from "express";
import { sessionMiddleware as expressSession } from "kocha-session/express";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Gate } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowly } from "../support/latency.ts";
import { slowStore } from "../support/slow-store.ts";

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "merging cookies": () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
  }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

const url = "http://localhost/";

type Fetch = (request: Request, env?: object) => Response | Promise<Response>;
type Answer = (session: Session, path: string) => string | Promise<string>;

/** A host around an answer; errors become a text. */
type Make = (config: SessionConfig, answer: Answer) => Fetch;
/** A host around another function. */
type MakeOuter = (config: SessionConfig, touch: (session: Session) => void, within: Fetch) => Fetch;

/** The same on the newest h3 2 and on the oldest, whose types differ. */
function onH3<T>(make: (newApp: () => H3) => T): Record<string, T> {
  return {
    h3: make(() => new H3({ silent: true })),
    "h3 2.0.1-rc.2": make(() => new OlderH3({ silent: true }) as unknown as H3),
  };
}

function codeOf(error: unknown): string {
  return `${(error as { code?: string }).code}: ${(error as Error).message}`;
}

const inner: Readonly<Record<string, Make>> = {
  fetch: (config, answer) =>
    withSession(config, async (request, session) => {
      return new Response(await answer(session, new URL(request.url).pathname));
    }),
  hono: (config, answer) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.all("*", async (context) =>
      context.text(await answer(context.get("session"), context.req.path)),
    );
    return (request, env) => app.fetch(request, env);
  },
  h3: (config, answer) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.all("/**", (event) => answer(sessionOf(event), event.url.pathname));
    return (request) => app.fetch(request);
  },
};

/** The session once more around another function, which gets a Request of its own. */
const outer: Readonly<Record<string, MakeOuter>> = {
  "fetch, around new Request(request)": (config, touch, within) =>
    withSession(
      config,
      (request, session) => {
        touch(session);
        return within(new Request(request));
      },
      { onError: (error) => new Response(codeOf(error), { status: 500 }) },
    ),
  "hono's mount": (config, touch, within) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.use(async (context, next) => {
      touch(context.get("session"));
      await next();
    });
    app.mount("/", (request: Request, env?: object) => within(request, env));
    app.onError((error) => new Response(codeOf(error), { status: 500 }));
    return (request, env) => app.fetch(request, env);
  },
  "h3, around new Request(request)": (config, touch, within) => {
    const app = new H3({
      silent: true,
      onError: (error, { res }) =>
        new Response(codeOf(error.cause), { status: 500, headers: res.errHeaders }),
    });
    app.use(h3Session(config));
    app.all("/**", (event) => {
      touch(sessionOf(event));
      return within(new Request(event.req));
    });
    return (request) => app.fetch(request);
  },
};

/** The session once more around another function, which gets the same Request. */
const around: Readonly<Record<string, MakeOuter>> = {
  fetch: (config, touch, within) =>
    withSession(config, (request, session) => {
      touch(session);
      return within(request);
    }),
  "hono's mount": (config, touch, within) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.use(async (context, next) => {
      touch(context.get("session"));
      await next();
    });
    app.mount("/", (request: Request, env?: object) => within(request, env), {
      replaceRequest: false,
    });
    return (request, env) => app.fetch(request, env);
  },
  ...onH3<MakeOuter>((newApp) => (config, touch, within) => {
    const app = newApp();
    app.use(h3Session(config));
    app.all("/**", (event) => {
      touch(sessionOf(event));
      return within(event.req);
    });
    return (request) => app.fetch(request);
  }),
};

/** The session twice, with another Request the second time, and one context. */
const alike: Readonly<Record<string, Make>> = {
  hono: (config, answer) => {
    const app = new Hono();
    app.use(honoSession(config));
    app.use(async (context, next) => {
      context.get("session").set("outer", "1");
      context.req.raw = new Request(context.req.raw);
      await next();
    });
    app.use(honoSession(config));
    app.all("*", async (context) => context.text(await answer(context.get("session"), "")));
    return (request) => app.fetch(request);
  },
  ...onH3<Make>((newApp) => (config, answer) => {
    const app = newApp();
    app.use(h3Session(config));
    app.get("/inner", (event) => answer(sessionOf(event), ""));
    app.get("/", (event) => {
      sessionOf(event).set("outer", "1");
      return app.request("/inner", {}, event.context);
    });
    return (request) => app.fetch(request);
  }),
};

type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A host as a listener of node:http, which Express calls. */
const withinExpress: Readonly<
  Record<string, (config: SessionConfig, answer: Answer) => NodeListener>
> = {
  ...Object.fromEntries(
    ["fetch", "hono"].map((name) => [
      name,
      (config: SessionConfig, answer: Answer) => {
        const serve = inner[name]?.(config, answer) as Fetch;
        return getRequestListener((request, env) => serve(request, env), {
          overrideGlobalObjects: false,
        });
      },
    ]),
  ),
  h3: (config, answer) => {
    const app = new H3({ silent: true });
    app.use(h3Session(config));
    app.all("/**", (event) => answer(sessionOf(event), ""));
    return toNodeHandler(app);
  },
  "h3 1": (config, answer) => {
    const app = createApp();
    app.use(h3Session(config));
    app.use(eventHandler((event) => answer(sessionOf(event), "")));
    return toNodeListener(app);
  },
};

function namesOf(response: Response): string[] {
  return response.headers.getSetCookie().map((cookie) => cookie.split(/[.=]/, 1)[0] ?? "");
}

const set: Answer = (session) => {
  session.set("inner", "1");
  return "inside";
};

describe.each(Object.entries(stores))("with %s", (_, makeConfig) => {
  describe.each(Object.entries(outer))("%s", (__, makeOuter) => {
    test.each(Object.entries(inner))(
      "two sessions of one name are an error: %s",
      async (___, makeInner) => {
        const config = makeConfig();
        const serve = makeOuter(
          config,
          (session) => session.set("outer", "1"),
          makeInner(config, set),
        );
        const response = await serve(new Request(url));
        expect([response.status, await response.text()]).toEqual([
          500,
          expect.stringMatching(/^ERR_SESSION_USAGE_RESPONSE: .*mount it in one of the two/),
        ]);
        // The inner one's answer is dropped; what the outer one changed goes out with the error.
        expect(namesOf(response)).toEqual(["session"]);
      },
    );

    test.each(Object.entries(inner))(
      "one that only looks lets the other's cookie through: %s",
      async (___, makeInner) => {
        const config = makeConfig();
        const serve = makeOuter(config, (session) => void session.get("a"), makeInner(config, set));
        const response = await serve(new Request(url));
        expect([response.status, await response.text(), namesOf(response)]).toEqual([
          200,
          "inside",
          ["session"],
        ]);
      },
    );
  });

  describe.each(Object.entries(around))("%s, around the same Request", (__, makeOuter) => {
    test.each(Object.entries(inner))("shares one session: %s", async (___, makeInner) => {
      const config = makeConfig();
      const within = makeInner(config, async (session) => {
        const seen = session.get("outer");
        await new Promise(setImmediate);
        session.set("inner", "1");
        return seen;
      });
      const serve = makeOuter(config, (session) => session.set("outer", "1"), within);
      const response = await serve(new Request(url));
      expect([response.status, await response.text()]).toEqual([200, "1"]);
      expect(namesOf(response)).toEqual(["session"]);
      expect(await readCookie(config, response.headers.getSetCookie())).toEqual(
        new Map([
          ["outer", "1"],
          ["inner", "1"],
        ]),
      );
    });
  });

  test.each(Object.entries(alike))(
    "another Request in the same context shares one session: %s",
    async (__, makeOuter) => {
      const config = makeConfig();
      const serve = makeOuter(config, async (session) => {
        session.set("inner", session.get("outer"));
        return "inside";
      });
      const response = await serve(new Request(url));
      expect([response.status, await response.text()]).toEqual([200, "inside"]);
      expect(await readCookie(config, response.headers.getSetCookie())).toEqual(
        new Map([
          ["outer", "1"],
          ["inner", "1"],
        ]),
      );
    },
  );

  // h3 is given no environment by it, and so knows nothing of the request underneath.
  test.each(["fetch", "hono"])(
    "hono's mount on Node.js shares one session with %s inside",
    async (name) => {
      const config: SessionConfig = { ...makeConfig(), secure: false };
      const makeInner = inner[name] as Make;
      const within = makeInner(config, (session) => {
        session.set("inner", "1");
        return session.get("outer");
      });
      const app = new Hono();
      app.use(honoSession(config));
      app.use(async (context, next) => {
        context.get("session").set("outer", "1");
        await next();
      });
      app.mount("/", (request: Request, env: object) => within(request, env));
      const handle = getRequestListener((request, env) => app.fetch(request, env), {
        overrideGlobalObjects: false,
      });
      const server = await listen((request, response) => void handle(request, response));
      onTestFinished(server.close);
      const response = await fetch(server.url);
      expect([response.status, await response.text(), namesOf(response)]).toEqual([
        200,
        "1",
        ["session"],
      ]);
      const cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
      expect(await readCookie(config, cookie)).toEqual(
        new Map([
          ["outer", "1"],
          ["inner", "1"],
        ]),
      );
    },
  );

  test.each(Object.entries(withinExpress))(
    "%s inside Express shares the session of Express",
    async (__, listenerOf) => {
      const config: SessionConfig = { ...makeConfig(), secure: false };
      const app = express();
      app.use(expressSession(config));
      app.use((request, _response, next) => {
        request.session.set("outer", "1");
        next();
      });
      const listener = listenerOf(config, set);
      app.use((request, response) => void listener(request as IncomingMessage, response));
      const server = await listen(app);
      onTestFinished(server.close);
      const response = await fetch(server.url);
      expect([response.status, await response.text(), namesOf(response)]).toEqual([
        200,
        "inside",
        ["session"],
      ]);
      const cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
      expect((await readCookie(config, cookie)).size).toBe(2);
    },
  );

  test.each(["fetch", "hono", "h3", "h3 2.0.1-rc.2"])(
    "two configurations of one request are refused: %s",
    async (host) => {
      const [one, other] = [makeConfig(), { ...makeConfig(), name: "other" }];
      const onError = (error: unknown): Response => new Response(codeOf(error), { status: 500 });
      const answer = (...sessions: Session[]): Response => {
        for (const session of sessions) session.set("a", "1");
        return new Response("both");
      };
      const makers: Readonly<Record<string, () => Fetch>> = {
        fetch: () =>
          withSession(
            one,
            (request, outside) =>
              withSession(other, (__, within) => answer(outside, within))(request),
            { onError },
          ),
        hono: () => {
          const app = new Hono();
          app.use(honoSession(one), honoSession(other));
          app.all("*", (context) => answer(context.get("session")));
          app.onError(onError);
          return (request) => app.fetch(request);
        },
        h3: () => {
          const app = new H3({ silent: true, onError: ({ cause }) => onError(cause) });
          app.use(h3Session(one)).use(h3Session(other));
          app.all("/**", (event) => answer(sessionOf(event)));
          return (request) => app.fetch(request);
        },
        "h3 2.0.1-rc.2": () => {
          const app = new OlderH3({ silent: true, onError: ({ cause }) => onError(cause) });
          app.use(h3Session(one)).use(h3Session(other));
          app.all("/**", (event) => answer(sessionOf(event)));
          return (request) => app.fetch(request);
        },
      };
      const serve = makers[host]?.() as Fetch;
      const response = await serve(new Request(url));
      expect([response.status, await response.text(), namesOf(response)]).toEqual([
        500,
        expect.stringMatching(/^ERR_SESSION_USAGE_NO_SESSION: .*another configuration/),
        [],
      ]);
    },
  );

  test.each(["fetch", "hono", "h3"])(
    "one Request given twice at once to %s: both are saved",
    async (host) => {
      const config = makeConfig();
      const cookie = await mintCookie(config, { begun: "1" });
      const gate = new Gate(2);
      const late = new Gate();
      let calls = 0;
      const answer = async (session: Session): Promise<string> => {
        const name = `call${++calls}`;
        void gate.pass();
        await gate.arrived;
        // The second one changes the session when the first one's handler is through.
        if (name === "call2") await late.pass();
        session.set(name, "1");
        if (name === "call1") setImmediate(() => late.open());
        return name;
      };
      gate.open();
      const serve = inner[host]?.(config, answer) as Fetch;
      const request = new Request(url, { headers: { cookie } });
      const responses = await Promise.all([serve(request), serve(request)]);
      expect(responses.map(({ status }) => status)).toEqual([200, 200]);
      const sent = responses.flatMap((response) => response.headers.getSetCookie());
      const jar = [cookie, ...sent.map((one) => one.split(";", 1)[0] ?? "")];
      const latest = new Map(jar.map((pair) => [pair.split("=", 1)[0], pair]));
      expect(await readCookie(config, [...latest.values()].join("; "))).toEqual(
        new Map([
          ["begun", "1"],
          ["call1", "1"],
          ["call2", "1"],
        ]),
      );
      // Used once more, the request has a session of its own.
      expect((await serve(request)).status).toBe(200);
    },
  );
});

test.each(["fetch", "hono", "h3"])(
  "a Request whose handler threw what is no Error has another session the next time: %s",
  async (host) => {
    const config = { store: slowly(new SessionMemoryStore()), signingKey: freshKey() };
    let count = 0;
    const serve = inner[host]?.(config, (session) => {
      session.set("a", String(++count));
      // oxlint-disable-next-line typescript/only-throw-error -- as a library may do
      if (count === 1) throw "text";
      return "inside";
    }) as Fetch;
    const request = new Request(url);
    await Promise.allSettled([serve(request)]);
    const response = await serve(request);
    expect([response.status, namesOf(response)]).toEqual([200, ["session"]]);
    expect(await readCookie(config, response.headers.getSetCookie())).toEqual(
      new Map([["a", "2"]]),
    );
  },
);

test.each(["fetch", "hono", "h3"])(
  "a Request whose session couldn't be loaded is opened anew the next time: %s",
  async (host) => {
    const memory = new SessionMemoryStore();
    let fails = true;
    const store = slowly({
      capabilities: memory.capabilities,
      load: (selector: string) => {
        if (fails) throw new Error("the store can't be reached, as it was told");
        return memory.load(selector);
      },
      save: (...args: Parameters<typeof memory.save>) => memory.save(...args),
    });
    const config: SessionConfig = { store, signingKey: freshKey() };
    const cookie = await mintCookie({ ...config, store: memory }, { a: "1" });
    const request = new Request(url, { headers: { cookie } });
    const serve = inner[host]?.(config, (session) => session.get("a")) as Fetch;
    const first = await Promise.resolve(serve(request)).catch((error: unknown) => codeOf(error));
    // `withSession` without `onError` rejects.
    const outcome = typeof first === "string" ? first : String(first.status);
    expect(outcome).toMatch(/^(ERR_SESSION_STORE_FAILED|503|500)/);
    fails = false;
    expect(await (await serve(request)).text()).toBe("1");
  },
);

test.each(["fetch", "hono", "h3"])(
  "a handler that joins while the wait for another one ends is waited for: %s",
  async (host) => {
    const config: SessionConfig = { store: new SessionCookieStore(freshKeys()) };
    // How many turns after an inner handler the wait for it ends is up to the host.
    for (let turns = 0; turns < 30; turns++) {
      const request = new Request(url);
      const joined: Promise<number>[] = [];
      const join = async (after: number): Promise<number> => {
        for (let turn = 0; turn < after; turn++) await Promise.resolve();
        return (await serve(request)).status;
      };
      let calls = 0;
      const serve = inner[host]?.(config, async (session) => {
        const call = ++calls;
        if (call > 1) await new Promise(setImmediate);
        if (call < 3) joined.push(join(call === 1 ? 0 : turns));
        session.set(`call${call}`, "1");
        return "";
      }) as Fetch;
      expect((await serve(request)).status).toBe(200);
      while (joined.length < 2) await new Promise(setImmediate);
      expect([turns, await Promise.all(joined)]).toEqual([turns, [200, 200]]);
    }
  },
);

test.each([
  ["h3", H3],
  ["h3 2.0.1-rc.2", OlderH3],
])("a request with the same context that nobody awaits is waited for: %s", async (_, Class) => {
  const config: SessionConfig = {
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  };
  const app = new Class({ silent: true }) as H3;
  app.use(h3Session(config));
  app.get("/inner", async (event) => {
    await new Promise(setImmediate);
    sessionOf(event).set("inner", "1");
    return "inside";
  });
  app.get("/", (event) => {
    sessionOf(event).set("outer", "1");
    void app.request("/inner", {}, event.context);
    return "outside";
  });
  const response = await app.fetch(new Request(url));
  expect([response.status, await response.text()]).toEqual([200, "outside"]);
  expect((await readCookie(config, response.headers.getSetCookie())).size).toBe(2);
});

test("another library's session isn't replaced by an outer one: hono", async () => {
  const config: SessionConfig = { store: new SessionCookieStore(freshKeys()) };
  const app = new Hono();
  app.use(async (context, next) => {
    context.set("session", { user: "theirs" } as unknown as Session);
    await next();
  });
  app.use(honoSession(config));
  app.all("*", (context) => context.text("handled"));
  app.onError((error) => new Response(codeOf(error), { status: 500 }));
  const serve = withSession(config, (request) => app.fetch(request));
  expect(await (await serve(new Request(url))).text()).toMatch(/^ERR_SESSION_USAGE_FOREIGN/);
});

test("after what isn't an Error was thrown, a Request has another session: hono", async () => {
  const refused: unknown[] = [];
  const config: SessionConfig = {
    store: new SessionCookieStore(freshKeys()),
    on: { refused: ({ reason }) => void refused.push(reason) },
  };
  let calls = 0;
  const serve = inner["hono"]?.(config, (session) => {
    session.set(`call${++calls}`, "1");
    // oxlint-disable-next-line typescript/only-throw-error -- as an application may
    if (calls === 1) throw "a text";
    return "";
  }) as Fetch;
  const request = new Request(url);
  await expect(serve(request)).rejects.toBe("a text");
  expect(refused).toEqual(["uncarried"]);
  const response = await serve(request);
  expect(await readCookie(config, response.headers.getSetCookie())).toEqual(
    new Map([["call2", "1"]]),
  );
});

test.each(["fetch", "hono", "h3"])(
  "one Request that comes from two clients at once has each one's session: %s",
  async (host) => {
    const config: SessionConfig = {
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
    };
    const all = new Gate(4);
    const serve = inner[host]?.(config, async (session) => {
      void all.pass();
      await all.arrived;
      return session.get("name");
    }) as Fetch;
    const one = await mintCookie(config, { name: "one" });
    const other = await mintCookie(config, { name: "other" });
    const request = new Request(url);
    const ask = async (cookie: string): Promise<string> => {
      request.headers.set("cookie", cookie);
      return (await serve(request)).text();
    };
    // The last two come when their sessions are being opened, or are open.
    const answers = [ask(one), ask(other), ask(other)];
    await new Promise((resolve) => setTimeout(resolve, 0));
    answers.push(ask(other));
    expect(await Promise.all(answers)).toEqual(["one", "other", "other", "other"]);
  },
);

test("after that, and a save that failed, a Request has another session: hono", async () => {
  const slow = slowStore();
  const config: SessionConfig = { store: slow.store, signingKey: freshKey() };
  const cookie = await mintCookie(config, { calls: "0" });
  let calls = 0;
  const serve = inner["hono"]?.(config, (session) => {
    session.set("calls", String(++calls));
    // oxlint-disable-next-line typescript/only-throw-error -- as an application may
    if (calls === 1) throw "a text";
    return "";
  }) as Fetch;
  const request = new Request(url, { headers: { cookie } });
  slow.failsToSave = true;
  await Promise.allSettled([serve(request)]);
  slow.failsToSave = false;
  expect((await serve(request)).status).toBe(200);
  expect(await readCookie(config, cookie)).toEqual(new Map([["calls", "2"]]));
});

test("two middlewares that open one request of node:http at once have one session", async () => {
  const config = {
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
    secure: false,
  } as const;
  const middleware = expressSession(config);
  const app = express();
  app.use((request, response, next) => {
    const open = async (): Promise<Session> => {
      await new Promise((resolve) => middleware(request, response, resolve));
      return request.session;
    };
    void Promise.all([open(), open()]).then(([one, other]) => {
      response.locals["isOne"] = one === other;
      next();
    }, next);
  });
  app.get("/", ({ session }, response) => {
    response.json([response.locals["isOne"], session.get("name")]);
  });
  const { url: site, close } = await listen(app);
  onTestFinished(close);
  const cookie = await mintCookie(config, { name: "alice" });
  const answer = await fetch(site, { headers: { cookie } });
  expect(await answer.json()).toEqual([true, "alice"]);
});
