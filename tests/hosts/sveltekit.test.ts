// kocha-session/sveltekit between a stand-in for SvelteKit's server and real HTTP: the laws, and what pages
// fetch from their own server. The real one is in examples/tests/sveltekit.test.ts.
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import express from "express";
import type { Session, SessionConfig } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { type EventLike, type SessionHandle, sessionHandle } from "kocha-session/sveltekit";
import { hostLaws, type MakeServer, mintCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Gate } from "../../src/testing/probe.ts";
import { freshKey } from "../support/keys.ts";
import { listen, type Listening } from "../support/listen.ts";
import { slowStore } from "../support/slow-store.ts";

interface Event extends EventLike {
  readonly url: URL;
  readonly locals: { session: Session };
}

type Route = (event: Event) => Response | Promise<Response>;

/** What an adapter gives for a client's request, and SvelteKit hands to the requests within. */
interface Visit {
  readonly platform: { readonly req: IncomingMessage };
  readonly getClientAddress: () => string;
}

/** What SvelteKit's `redirect()` throws. */
class Redirect {
  readonly status: number;
  readonly location: string;

  constructor(status: number, location: string) {
    this.status = status;
    this.location = location;
  }
}

/** A listener for a route behind a handle, as SvelteKit calls it: an inner request has an event of its own. */
function listener(
  handle: SessionHandle,
  route: Route,
  handleFetch = (answer: () => Promise<Response>): Promise<Response> => answer(),
): RequestListener {
  const respond = async (request: Request, visit: Visit, depth: number): Promise<Response> => {
    const cookies: string[] = [];
    const event: Event = {
      request,
      url: new URL(request.url),
      locals: {} as Event["locals"],
      cookies: { set: (name, value) => void cookies.push(`${name}=${value}`) },
      isSubRequest: depth > 0,
      isDataRequest: request.url.endsWith("/__data.json"),
      ...visit,
      fetch: async (input, init) => {
        const inner =
          input instanceof Request ? input : new Request(new URL(input, request.url), init);
        const cookie = request.headers.get("cookie");
        if (cookie !== null && inner.credentials !== "omit") inner.headers.set("cookie", cookie);
        return handleFetch(() => respond(inner, visit, depth + 1));
      },
    };
    const resolve = async (): Promise<Response> => {
      try {
        return await route(event);
      } catch (error) {
        const { status = 500 } = error as { status?: number };
        return new Response("error", { status });
      }
    };
    try {
      return await handle({ event, resolve });
    } catch (error) {
      if (!(error instanceof Redirect)) return new Response("Internal Error", { status: 500 });
      const { status, location } = error;
      const headers = new Headers({ location });
      for (const cookie of cookies) headers.append("set-cookie", cookie);
      return new Response(null, { status, headers });
    }
  };
  const visitOf = (req: IncomingMessage): Visit => ({
    platform: { req },
    getClientAddress: () => req.socket.remoteAddress ?? "",
  });
  const answer = getRequestListener(
    (request, env) => respond(request, visitOf((env as HttpBindings).incoming), 0),
    { overrideGlobalObjects: false },
  );
  return (request, response) => void answer(request, response);
}

function serve(...parts: Parameters<typeof listener>): Promise<Listening> {
  return listen(createServer(listener(...parts)));
}

const onSvelteKit: MakeServer = (config, handler) =>
  serve(sessionHandle(config), async ({ locals, url }) => {
    const { status, body, headers = {} } = await handler(locals.session, url);
    return new Response(status === 204 || status === 303 ? null : body, { status, headers });
  });

describe("the laws", () => {
  const cases = hostLaws(onSvelteKit, { name: "sveltekit" });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", async ({ run }) => {
    const log = vi.spyOn(console, "error").mockReturnValue(undefined);
    onTestFinished(() => log.mockRestore());
    await run();
  });
});

describe("over a store that takes a while", () => {
  const routes: Readonly<Record<string, Route>> = {
    "/read": ({ locals }) => Response.json(locals.session.toObject()),
    "/write": ({ locals }) => {
      locals.session.set("inner", "1");
      return new Response();
    },
    "/page": async ({ locals, fetch }) => {
      locals.session.set("outer", "1");
      const answer = await fetch("/write");
      return new Response(String(answer.headers.getSetCookie().length));
    },
    "/omit": async ({ locals, fetch }) => {
      locals.session.set("outer", "1");
      const { status } = await fetch("/write", { credentials: "omit" });
      return new Response(String(status));
    },
    "/omit-outer": async ({ locals, fetch }) => {
      locals.session.set("outer", "1");
      return fetch("/omit-inner", { credentials: "omit" });
    },
    "/omit-inner": async ({ fetch }) => fetch("/read"),
    "/queue-in-page": async ({ locals, url, fetch }) => {
      locals.session.set("page", "bob's");
      return inQueue(() => fetch(url.searchParams.get("path") ?? ""));
    },
    "/queue-in-handle-fetch": async ({ locals, url, fetch }) => {
      locals.session.set("page", "bob's");
      isQueueing = true;
      return fetch(url.searchParams.get("path") ?? "");
    },
    "/run": async ({ locals, fetch }) => {
      locals.session.set("page", "ada's");
      return fetch("/run-inside");
    },
    // Within the other client's own inner request.
    "/run-inside": async () => {
      await Promise.all(queue.splice(0).map((work) => work()));
      return new Response();
    },
    "/name": ({ locals, url }) => {
      locals.session.set("name", url.searchParams.get("name") ?? "");
      return new Response();
    },
    "/late": async ({ locals, fetch }) => {
      locals.session.set("outer", "1");
      const stream = new TransformStream<Uint8Array, Uint8Array>();
      const writer = stream.writable.getWriter();
      const later = async (): Promise<void> => {
        await writer.ready;
        await released;
        const { status } = await fetch("/write");
        await writer.write(new TextEncoder().encode(String(status)));
        await writer.close();
      };
      void later();
      return new Response(stream.readable);
    },
  };
  /** A queue of the application's, which another client's request works off. */
  const queue: (() => Promise<unknown>)[] = [];
  let queued = (): void => undefined;
  let isQueueing = false;
  const inQueue = (work: () => Promise<Response>): Promise<Response> =>
    new Promise((resolve) => {
      queue.push(async () => {
        const done = work();
        resolve(done);
        await done;
      });
      queued();
    });
  let release = (): void => undefined;
  let released = Promise.resolve();

  async function start(): Promise<(path: string, cookie?: string) => Promise<Response>> {
    const { store } = slowStore();
    const config: SessionConfig = { store, signingKey: freshKey() };
    // Twice, as in a sequence: it opens once.
    const [one, other] = [sessionHandle(config), sessionHandle(config)];
    const both: SessionHandle = ({ event, resolve }) =>
      one({ event, resolve: () => other({ event, resolve }) });
    const handleFetch = (answer: () => Promise<Response>): Promise<Response> => {
      if (!isQueueing) return answer();
      isQueueing = false;
      return inQueue(answer);
    };
    const route: Route = (event) => (routes[event.url.pathname] as Route)(event);
    const server = await serve(both, route, handleFetch);
    onTestFinished(server.close);
    return (path, cookie = "") => fetch(`${server.url}${path}`, { headers: { cookie } });
  }
  const cookieOf = (response: Response): string => {
    const [cookie = "", ...others] = response.headers.getSetCookie();
    expect(others).toEqual([]);
    return cookie.split(";", 1)[0] ?? "";
  };

  test("a page and the route that it fetches write into one session", async () => {
    const get = await start();
    const page = await get("/page");
    expect(await page.text()).toBe("0");
    const read = await get("/read", cookieOf(page));
    expect(await read.json()).toEqual({ outer: "1", inner: "1" });
  });

  test("without credentials the route has no session, and its write is an error", async () => {
    const get = await start();
    const page = await get("/omit");
    expect(await page.text()).toBe("500");
    expect(await (await get("/read", cookieOf(page))).json()).toEqual({ outer: "1" });
  });

  test("without credentials what the route itself fetches has no session either", async () => {
    const get = await start();
    expect(await (await get("/omit-outer")).json()).toEqual({});
  });

  describe.each([false, true])("work that another client's request does (known: %s)", (isKnown) => {
    const clients = async () => {
      const get = await start();
      const name = async (who: string): Promise<string> =>
        isKnown ? cookieOf(await get(`/name?name=${who}`)) : "";
      const [ada, bob] = [await name("ada"), await name("bob")];
      /** Bob's page waits in a queue that ada's request works off: both answers, and both sessions after. */
      const both = async (path: string) => {
        const isQueued = new Promise<void>((resolve) => (queued = resolve));
        const bobs = get(path, bob);
        await isQueued;
        const adas = await get("/run", ada);
        const answer = await bobs;
        const held = async (response: Response, cookie: string): Promise<unknown> =>
          (await get("/read", cookie === "" ? cookieOf(response) : cookie)).json();
        return { answer, sessions: { ada: await held(adas, ada), bob: await held(answer, bob) } };
      };
      return both;
    };
    const named = (who: string): object => ({ ...(isKnown && { name: who }), page: `${who}'s` });

    test("in a page, a fetch reads its own client's session", async () => {
      const both = await clients();
      const { answer, sessions } = await both("/queue-in-page?path=/read");
      expect(await answer.json()).toEqual(named("bob"));
      expect(sessions).toEqual({ ada: named("ada"), bob: named("bob") });
    });

    test("in a page, a fetch writes into its own client's session", async () => {
      const both = await clients();
      const { answer, sessions } = await both("/queue-in-page?path=/write");
      expect(answer.status).toBe(200);
      expect(sessions).toEqual({ ada: named("ada"), bob: { ...named("bob"), inner: "1" } });
    });

    test("in handleFetch, a fetch reads what its client had", async () => {
      const both = await clients();
      const { answer, sessions } = await both("/queue-in-handle-fetch?path=/read");
      expect(await answer.json()).toEqual(isKnown ? { name: "bob" } : {});
      expect(sessions).toEqual({ ada: named("ada"), bob: named("bob") });
    });

    test("in handleFetch, a write is an error", async () => {
      const both = await clients();
      const { answer, sessions } = await both("/queue-in-handle-fetch?path=/write");
      expect(answer.status).toBe(500);
      expect(sessions).toEqual({ ada: named("ada"), bob: named("bob") });
    });
  });

  test("a route that is fetched when the page has begun gets the error", async () => {
    const get = await start();
    released = new Promise((resolve) => {
      release = resolve;
    });
    const page = await get("/late");
    const cookie = cookieOf(page);
    release();
    expect(await page.text()).toBe("500");
    expect(await (await get("/read", cookie)).json()).toEqual({ outer: "1" });
  });

  test.each([
    [300, 302],
    [301, 302],
    [302, 302],
    [303, 303],
    [307, 307],
    [308, 307],
  ])("what a handle throws, a redirect of status %i, is %i with a cookie", async (own, status) => {
    const { store } = slowStore();
    const session = sessionHandle({ store, signingKey: freshKey() });
    // One for all clients.
    const thrown = new Redirect(own, "/read");
    const handle: SessionHandle = ({ event }) =>
      session({
        event,
        resolve: (same) => {
          const { url, locals } = same as unknown as Event;
          if (url.pathname === "/read") return Response.json(locals.session.toObject());
          if (url.pathname === "/write") locals.session.set("guard", "1");
          // oxlint-disable-next-line typescript/only-throw-error -- as SvelteKit's redirect() does
          throw thrown;
        },
      });
    const server = await serve(handle, () => new Response());
    onTestFinished(server.close);
    const get = (path: string, cookie = ""): Promise<Response> =>
      fetch(`${server.url}${path}`, { headers: { cookie }, redirect: "manual" });
    const answer = await get("/write");
    expect([answer.status, answer.headers.get("location")]).toEqual([status, "/read"]);
    const read = await get("/read", cookieOf(answer));
    expect(await read.json()).toEqual({ guard: "1" });
    const other = await get("/");
    expect([other.status, other.headers.getSetCookie()]).toEqual([own, []]);
  });

  test.each([
    ["the same Request", (request: Request) => request],
    ["another Request", ({ url, headers }: Request) => new Request(url, { headers })],
  ])("a handle within another one's event shares its session, with %s", async (_, requestOf) => {
    const { store } = slowStore();
    const config: SessionConfig = { store, signingKey: freshKey() };
    const [one, other] = [sessionHandle(config), sessionHandle(config)];
    const both: SessionHandle = ({ event, resolve }) =>
      one({
        event,
        resolve: (first) => {
          (first as unknown as Event).locals.session.set("outer", "1");
          const request = requestOf(first.request);
          // With the same request, locals of its own.
          const locals = request === first.request ? {} : first.locals;
          return other({
            event: { ...first, request, locals },
            resolve: (second) => {
              const { session } = (second as unknown as Event).locals;
              session.set("inner", session.get("outer"));
              return resolve(first);
            },
          });
        },
      });
    const server = await serve(both, ({ locals }) => Response.json(locals.session.toObject()));
    onTestFinished(server.close);
    const answer = await fetch(server.url);
    expect(await answer.json()).toEqual({ outer: "1", inner: "1" });
    cookieOf(answer);
  });

  /** Gives a request of its caller's to a handle, in front of a route. */
  const giving =
    (handle: SessionHandle) =>
    (request: Request, route: Route): Promise<Response> => {
      const event: EventLike = {
        request,
        locals: {},
        cookies: { set: () => undefined },
        isSubRequest: false,
        isDataRequest: false,
        fetch,
        getClientAddress: () => "127.0.0.1",
      };
      return handle({ event, resolve: async (same) => route(same as unknown as Event) });
    };

  test("a Request whose failed save isn't answered has another session the next time", async () => {
    const slow = slowStore();
    const config: SessionConfig = { store: slow.store, signingKey: freshKey() };
    const give = giving(
      sessionHandle(config, {
        onError: (error) => {
          throw error;
        },
      }),
    );
    const write: Route = ({ locals }) => {
      locals.session.set("a", "1");
      return new Response();
    };
    const request = new Request("http://localhost/");
    slow.failsToSave = true;
    await expect(give(request, write)).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED" });
    slow.failsToSave = false;
    expect(cookieOf(await give(request, write))).toMatch(/^session=./);
  });

  test.each(["while its session loads", "later"])(
    "one Request that is given twice, the second time %s, has one session, and both are saved",
    async (when) => {
      const { store } = slowStore();
      const give = giving(sessionHandle({ store, signingKey: freshKey() }));
      const requestWith = (answer: Response): Request => {
        const headers = { cookie: cookieOf(answer) };
        return new Request("http://localhost/", { headers });
      };
      const login = await give(new Request("http://localhost/"), ({ locals: { session } }) => {
        session.set("user", "ann");
        return new Response();
      });
      const request = requestWith(login);
      const [begun, joined, left] = [new Gate(), new Gate(), new Gate()];
      const first = give(request, async ({ locals: { session } }) => {
        begun.open();
        await joined.pass();
        session.set("first", "1");
        setImmediate(() => left.open());
        return new Response();
      });
      if (when === "later") await begun.pass();
      const second = give(request, async ({ locals: { session } }) => {
        joined.open();
        await left.pass();
        session.set("second", session.get("first"));
        return new Response();
      });
      await Promise.all([first, second]);
      const read = await give(requestWith(login), ({ locals }) =>
        Response.json(locals.session.toObject()),
      );
      expect(await read.json()).toEqual({ user: "ann", first: "1", second: "1" });
    },
  );

  test("a handle that joins while the wait for another one ends is waited for", async () => {
    const { store } = slowStore();
    const give = giving(sessionHandle({ store, signingKey: freshKey() }));
    // How many turns after an inner handle the wait for it ends is up to the host.
    for (let turns = 0; turns < 20; turns++) {
      const request = new Request("http://localhost/");
      const joined: Promise<number>[] = [];
      let calls = 0;
      const route: Route = async ({ locals: { session } }) => {
        const call = ++calls;
        if (call > 1) await new Promise(setImmediate);
        if (call < 3) joined.push(join(call === 1 ? 0 : turns));
        session.set(`call${call}`, "1");
        return new Response();
      };
      const join = async (after: number): Promise<number> => {
        for (let turn = 0; turn < after; turn++) await Promise.resolve();
        return (await give(request, route)).status;
      };
      expect((await give(request, route)).status).toBe(200);
      while (joined.length < 2) await new Promise(setImmediate);
      expect([turns, await Promise.all(joined)]).toEqual([turns, [200, 200]]);
    }
  });

  test("one Request that comes from two clients at once has each one's session", async () => {
    const { store } = slowStore();
    const config: SessionConfig = { store, signingKey: freshKey() };
    const give = giving(sessionHandle(config));
    const both = new Gate(2);
    const route: Route = async ({ locals: { session } }) => {
      void both.pass();
      await both.arrived;
      return new Response(session.get("name"));
    };
    const cookies = [
      await mintCookie(config, { name: "one" }),
      await mintCookie(config, { name: "other" }),
    ];
    const request = new Request("http://localhost/");
    const answers = cookies.map(async (cookie) => {
      request.headers.set("cookie", cookie);
      return (await give(request, route)).text();
    });
    expect(await Promise.all(answers)).toEqual(["one", "other"]);
  });

  test("one Request that two clients' pages fetch at once has each page's session", async () => {
    const { store } = slowStore();
    const config: SessionConfig = { store, signingKey: freshKey(), secure: false };
    const shared = new Request("http://localhost/inner");
    const gate = new Gate();
    let calls = 0;
    const server = await serve(sessionHandle(config), async ({ locals, url, fetch }) => {
      if (url.pathname === "/read") return new Response(locals.session.get("name"));
      if (url.pathname !== "/inner") {
        if (url.pathname === "/new") locals.session.set("name", "new");
        return fetch(shared);
      }
      if (++calls === 1) await gate.pass();
      const deeper = await (await fetch("/read")).text();
      return new Response(`${locals.session.get("name")} ${deeper}`);
    });
    onTestFinished(server.close);
    const cookie = await mintCookie(config, { name: "known" });
    const first = fetch(`${server.url}/new`);
    await gate.arrived;
    const second = await fetch(server.url, { headers: { cookie } });
    gate.open();
    const seen = [await second.text(), await (await first).text()];
    expect(seen).toEqual(["known known", "new new"]);
  });

  test("one Request that pages fetch again and again holds none of their answers", async () => {
    const { store } = slowStore();
    const shared = new Request("http://localhost/inner");
    const handle = sessionHandle({ store, signingKey: freshKey() });
    const server = await serve(handle, ({ locals, url, fetch }) =>
      url.pathname === "/inner" ? new Response(locals.session.get("name")) : fetch(shared),
    );
    onTestFinished(server.close);
    for (let page = 0; page < 3; page++) expect((await fetch(server.url)).status).toBe(200);
    const kept = Object.getOwnPropertySymbols(shared).map(
      (symbol) => (shared as unknown as Readonly<Record<symbol, unknown>>)[symbol],
    );
    expect(kept.flat().filter((one) => one instanceof Promise)).toEqual([]);
  });

  test("inside Express, whose session is the same, also for what a page fetches", async () => {
    const { store } = slowStore();
    const config: SessionConfig = { store, signingKey: freshKey() };
    const app = express();
    app.use(sessionMiddleware(config));
    app.use((request, _response, next) => {
      request.session.set("express", "1");
      next();
    });
    app.use(
      listener(sessionHandle(config), (event) => {
        if (event.url.pathname !== "/") return (routes[event.url.pathname] as Route)(event);
        event.locals.session.set("sveltekit", "1");
        return event.fetch("/write");
      }),
    );
    const server = await listen(app);
    onTestFinished(server.close);
    const page = await fetch(server.url);
    const cookie = cookieOf(page);
    const again = express();
    again.use(sessionMiddleware(config));
    again.use((request, response) => void response.json(request.session.toObject()));
    const reader = await listen(again);
    onTestFinished(reader.close);
    const read = await fetch(reader.url, { headers: { cookie } });
    expect(await read.json()).toEqual({ express: "1", sveltekit: "1", inner: "1" });
  });
});
