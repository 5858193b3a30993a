// React Router itself, without its compiler: the laws in resource routes and in documents, and what only
// it has: parallel loaders, actions, `.data` requests, thrown Responses, and data that streams later.
import { createContext, data, redirect, RouterContextProvider } from "react-router";
import { type Session, type SessionConfig, SessionCookieStore } from "kocha-session";
import { sessionContext, sessionMiddleware } from "kocha-session/react-router";
import { hostLaws, type MakeServer, mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import {
  answerBy,
  type BuildOptions,
  requestHandler,
  type RouteArgs,
  type RouteEntry,
  toListener,
} from "../support/react-router.ts";
import { slowStore } from "../support/slow-store.ts";

/** A component: with one, a route is a page. */
const page = (): null => null;

/** A resource route, whose loader and action answer with a Response. */
const inResources: MakeServer = (config, handler) => {
  const answer = async ({ request, context }: RouteArgs): Promise<Response> => {
    const {
      status,
      body,
      headers = {},
    } = await handler(context.get(sessionContext), new URL(request.url));
    return new Response(status === 204 || status === 303 ? null : body, { status, headers });
  };
  const handle = requestHandler({
    // Mounted twice: it must open once.
    root: {
      path: "",
      module: { middleware: [sessionMiddleware(config), sessionMiddleware(config)] },
    },
    probe: { path: "*", parentId: "root", module: { loader: answer, action: answer } },
  });
  return listen(toListener(handle));
};

/** A page, whose loader gives data. */
const inDocuments: MakeServer = (config, handler) => {
  const load = async ({ request, context }: RouteArgs): Promise<unknown> => {
    const {
      status,
      body,
      headers = {},
    } = await handler(context.get(sessionContext), new URL(request.url));
    if (status === 303) answerBy(new Response(null, { status, headers }));
    return data(body, { status, headers });
  };
  const handle = requestHandler(
    {
      root: { path: "", module: { middleware: [sessionMiddleware(config)], ErrorBoundary: page } },
      probe: {
        path: "*",
        parentId: "root",
        module: {
          loader: load,
          action: load,
          headers: ({ loaderHeaders }) => loaderHeaders,
          default: page,
        },
      },
    },
    { render: ({ loaderData }) => (loaderData["probe"] as string | undefined) ?? "error" },
  );
  return listen(toListener(handle));
};

describe.each([
  ["resource routes", inResources],
  ["documents", inDocuments],
])("%s", (name, makeServer) => {
  const cases = hostLaws(makeServer, { name });
  const applying = cases.filter(({ applies }) => applies === true);
  test.each(applying)("$id", ({ run }) => run());
});

/** An application on a store that is as far away as a server. */
function start(
  routes: Readonly<Record<string, RouteEntry>>,
  options: BuildOptions = {},
): {
  readonly slow: ReturnType<typeof slowStore>;
  readonly config: SessionConfig;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  readonly saved: (response: Response) => Promise<Record<string, string>>;
} {
  const slow = slowStore();
  const config: SessionConfig = { store: slow.store, signingKey: freshKey() };
  const root = {
    path: "",
    module: { middleware: [sessionMiddleware(config)], ErrorBoundary: page, default: page },
  };
  const children = Object.entries(routes).map(([id, route]): [string, RouteEntry] => [
    id,
    { parentId: "root", ...route },
  ]);
  const handle = requestHandler({ root, ...Object.fromEntries(children) }, options);
  return {
    slow,
    config,
    get: (path, init) => handle(new Request(`http://localhost${path}`, init)),
    saved: async ({ headers }) =>
      Object.fromEntries(await readCookie(config, headers.getSetCookie())),
  };
}

const sessionIn = ({ context }: RouteArgs): Session => context.get(sessionContext);
const origin = { origin: "http://localhost", host: "localhost" };

test("loaders that run side by side share one session, and all their writes are kept", async () => {
  const seen: Session[] = [];
  const load = (key: string) => async (args: RouteArgs) => {
    seen.push(sessionIn(args));
    await Promise.resolve();
    sessionIn(args).set(key, "1");
    return key;
  };
  const app = start({
    outer: { path: "a", module: { loader: load("outer"), default: page } },
    inner: { path: "b", parentId: "outer", module: { loader: load("inner"), default: page } },
  });
  for (const path of ["/a/b", "/a/b.data"]) {
    const response = await app.get(path);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await app.saved(response)).toEqual({ outer: "1", inner: "1" });
  }
  expect(seen[0]).toBe(seen[1]);
  expect(seen[2]).toBe(seen[3]);
  expect(seen[0]).not.toBe(seen[2]);
});

test("a page behind an action reads what it wrote, in a document and in data", async () => {
  const app = start({
    form: {
      path: "form",
      module: {
        action: (args) => {
          sessionIn(args).set("name", "ada");
          return null;
        },
        loader: (args) => `hello ${sessionIn(args).get("name")}`,
        default: page,
      },
    },
  });
  const init = { method: "POST", headers: origin, body: new URLSearchParams({ a: "1" }) };
  const document = await app.get("/form", init);
  expect(JSON.parse(await document.text())).toMatchObject({ loaderData: { form: "hello ada" } });
  expect(await app.saved(document)).toEqual({ name: "ada" });
  const single = await app.get("/form.data", init);
  expect(single.headers.get("content-type")).toBe("text/x-script");
  expect(await app.saved(single)).toEqual({ name: "ada" });
  const cookie = await mintCookie(app.config, { name: "eve" });
  const read = await app.get("/form.data", { headers: { cookie } });
  expect(await read.text()).toContain("hello eve");
  expect(read.headers.getSetCookie()).toEqual([]);
});

describe.each(["/go", "/go.data"])("a thrown answer, %s", (path) => {
  const app = start({
    go: {
      path: "go",
      module: {
        action: (args) => {
          sessionIn(args).set("a", "1");
          answerBy(redirect("/elsewhere"));
        },
        loader: (args) => {
          sessionIn(args).set("a", "2");
          answerBy(new Response("teapot", { status: 418 }));
        },
        default: page,
      },
    },
  });

  test("a redirect carries what was written before it", async () => {
    const init = { method: "POST", headers: origin, body: new URLSearchParams() };
    const response = await app.get(path, init);
    expect(response.status).toBe(path === "/go" ? 302 : 202);
    expect(await app.saved(response)).toEqual({ a: "1" });
  });

  test("a Response carries what was written before it", async () => {
    const response = await app.get(path);
    expect(response.status).toBe(418);
    expect(await app.saved(response)).toEqual({ a: "2" });
  });

  test("it never carries what could not be saved", async () => {
    app.slow.failsToSave = true;
    const response = await app.get(path);
    expect(response.status).toBe(503);
    expect(response.headers.getSetCookie()).toEqual([]);
    app.slow.failsToSave = false;
  });
});

test("an inner middleware that answers by itself carries what it wrote", async () => {
  const app = start({
    guarded: {
      path: "guarded",
      module: {
        middleware: [
          ({ context }) => {
            context.get(sessionContext).flash.set("notice", "Sign in first.");
            answerBy(redirect("/login"));
          },
        ],
        loader: () => "never",
        default: page,
      },
    },
  });
  const response = await app.get("/guarded");
  expect(response.headers.get("location")).toBe("/login");
  expect(response.headers.getSetCookie()).toHaveLength(1);
});

describe("a save that fails", () => {
  const make = (): ReturnType<typeof start> & { readonly errors: unknown[] } => {
    const errors: unknown[] = [];
    const write = async (args: RouteArgs): Promise<Response> => {
      const session = sessionIn(args);
      if (args.request.url.includes("regenerate")) {
        await session.regenerate();
        app.slow.failsToSave = true;
      }
      session.set("a", "1");
      return new Response("saved");
    };
    const app = start(
      {
        page: {
          path: "page",
          module: { loader: async (args) => (await write(args)).text(), default: page },
        },
        resource: { path: "resource", module: { loader: write } },
        handled: {
          path: "handled",
          module: {
            loader: async (args) => {
              sessionIn(args).set("a", "1");
              await sessionIn(args).commit();
              return "saved";
            },
            default: page,
          },
        },
      },
      { handleError: (error) => errors.push(error) },
    );
    return { ...app, errors };
  };

  test.each(["/page", "/page.data", "/resource", "/handled", "/handled.data"])(
    "%s is 503, goes to handleError, and the client never sees why",
    async (path) => {
      const app = make();
      app.slow.failsToSave = true;
      const response = await app.get(path);
      expect(response.status).toBe(503);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await response.text()).not.toContain("the store");
      expect(app.errors).toMatchObject([{ code: "ERR_SESSION_STORE_FAILED" }]);
    },
  );

  test.each(["/page", "/page.data", "/resource"])(
    "%s still carries a new credential that was saved before",
    async (path) => {
      const app = make();
      const log = vi.spyOn(console, "error").mockReturnValue();
      onTestFinished(() => log.mockRestore());
      const cookie = await mintCookie(app.config, { user: "ada" });
      const response = await app.get(`${path}?regenerate`, { headers: { cookie } });
      expect(response.status).toBe(503);
      expect(await response.text()).toBe("Service Unavailable\n");
      expect(log.mock.calls).toMatchObject([[{ code: "ERR_SESSION_STORE_FAILED" }]]);
      app.slow.failsToSave = false;
      expect(await app.saved(response)).toEqual({ user: "ada" });
    },
  );
});

test.each(["/later", "/later.data"])(
  "%s: what streams after the response has begun can read the session, and not write it",
  async (path) => {
    let begun: () => void = () => undefined;
    const response = new Promise<void>((resolve) => (begun = resolve));
    const outcome: unknown[] = [];
    const app = start({
      later: {
        path: "later",
        module: {
          loader: (args) => {
            const session = sessionIn(args);
            session.set("early", "1");
            const late = response.then(() => {
              outcome.push(session.get("early"));
              session.set("late", "1");
            });
            // As React Router itself does with what it streams.
            late.catch((error: unknown) => outcome.push((error as { code?: string }).code));
            return { late };
          },
          default: page,
        },
      },
    });
    const answer = await app.get(path);
    expect(await app.saved(answer)).toEqual({ early: "1" });
    begun();
    await answer.text();
    await new Promise(setImmediate);
    expect(outcome).toEqual(["1", "ERR_SESSION_USAGE_HEADERS_SENT"]);
    expect(await app.saved(answer)).toEqual({ early: "1" });
  },
);

test("a configuration's function gets the request's context", async () => {
  const bindings = createContext<{ readonly keys: ReturnType<typeof freshKeys> }>();
  const middleware = sessionMiddleware((context: RouterContextProvider) => ({
    store: new SessionCookieStore(context.get(bindings).keys),
  }));
  const handle = requestHandler({
    root: { path: "", module: { middleware: [middleware] } },
    page: {
      path: "*",
      parentId: "root",
      module: { loader: (args) => new Response(sessionIn(args).get("a")) },
    },
  });
  const context = new RouterContextProvider(new Map([[bindings, { keys: freshKeys() }]]));
  const response = await handle(new Request("http://localhost/a"), context);
  expect(response.status).toBe(200);
});

test("a second configuration for one request is an error that says so", async () => {
  const log = vi.spyOn(console, "error").mockReturnValue(undefined);
  onTestFinished(() => log.mockRestore());
  const other = { store: slowStore().store, signingKey: freshKey() };
  const seen: unknown[] = [];
  const app = start(
    { probe: { path: "probe", module: { middleware: [sessionMiddleware(other)], loader: page } } },
    { handleError: (error) => void seen.push((error as { code?: unknown }).code, String(error)) },
  );
  expect((await app.get("/probe")).status).toBe(500);
  expect(seen).toEqual([
    "ERR_SESSION_USAGE_NO_SESSION",
    expect.stringContaining("of another configuration"),
  ]);
});
