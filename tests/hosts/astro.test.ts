// The middleware for Astro on a small stand-in for it: it renders a page's parts behind its head, renders
// another page for an empty 404 or 500, with the answer's headers on it, and runs the middleware again for
// each page. What Astro itself does is tested on its builds: examples/tests/astro.test.ts.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import {
  type Session,
  type SessionConfig,
  sessionKey,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { type AstroMiddleware, type ContextLike, sessionMiddleware } from "kocha-session/astro";
import { hostLaws, type MakeServer, mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freshKey } from "../support/keys.ts";
import { listen } from "../support/listen.ts";
import { slowStore } from "../support/slow-store.ts";

type Locals = { session: Session };
type Render = (context: ContextLike & { readonly locals: Locals }) => Response | Promise<Response>;

interface Site {
  readonly onRequest: AstroMiddleware;
  readonly render: Render;
  /** The page for 404 and 500. */
  readonly renderError?: Render;
}

/** Renders as Astro's app does. */
async function serve(site: Site, request: Request): Promise<Response> {
  const page = (render: Render): Promise<Response> => {
    const context = { request, locals: {} as Locals, isPrerendered: false };
    return site.onRequest(context, async () => render(context));
  };
  const renderError = site.renderError ?? (() => new Response("error", { status: 500 }));
  let response: Response;
  try {
    response = await page(site.render);
  } catch {
    return page(renderError);
  }
  if (![404, 500].includes(response.status) || response.body !== null) return response;
  const { body, headers } = await page(renderError);
  const merged = new Headers([...headers, ...response.headers]);
  return new Response(body, { status: response.status, headers: merged });
}

const onAstro: MakeServer = (config, handler) => {
  // Mounted twice: it must open once.
  const outer = sessionMiddleware(config);
  const inner = sessionMiddleware(config);
  const site: Site = {
    onRequest: (context, next) => outer(context, () => inner(context, next)),
    render: async ({ request, locals }) => {
      const url = new URL(request.url);
      const { status, body, headers = {} } = await handler(locals.session, url);
      return new Response(status === 204 || status === 303 ? null : body, { status, headers });
    },
  };
  const listener = getRequestListener((request) => serve(site, request), {
    overrideGlobalObjects: false,
  });
  return listen(createServer((request, response) => void listener(request, response)));
};

describe("the laws", () => {
  const cases = hostLaws(onAstro, { name: "astro" });
  test.each(cases.filter(({ applies }) => applies === true))("$id", ({ run }) => run());
});

/** A page: its frontmatter runs first, then its head goes out, then its layout renders. */
function pageOf(
  layout: (session: Session) => string | Promise<string>,
  frontmatter: (session: Session) => void = () => undefined,
): Render {
  return ({ locals: { session } }) => {
    frontmatter(session);
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      const encoder = new TextEncoder();
      yield encoder.encode("<main>");
      await new Promise(setImmediate);
      yield encoder.encode(await layout(session));
    };
    const body = ReadableStream.from(parts());
    return new Response(body, { headers: { "content-type": "text/html" } });
  };
}

/** A site on a store that is as far away as a server. */
function start(
  render: Render,
  renderError?: Render,
): {
  readonly config: SessionConfig;
  readonly slow: ReturnType<typeof slowStore>;
  readonly get: (cookie?: string) => Promise<Response>;
} {
  const slow = slowStore();
  const config: SessionConfig = { store: slow.store, signingKey: freshKey() };
  const onRequest = sessionMiddleware(config);
  const site = { onRequest, render, ...(renderError !== undefined && { renderError }) };
  const get = (cookie = ""): Promise<Response> =>
    serve(site, new Request("http://localhost/", { headers: cookie === "" ? {} : { cookie } }));
  return { config, slow, get };
}

const codeOf = (call: () => unknown): string => {
  try {
    call();
    return "nothing";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
};

describe("a layout behind the head", () => {
  /** A client with a message that it hasn't read. */
  async function withNotice({ get, config }: ReturnType<typeof start>): Promise<string> {
    const cookie = await mintCookie(config, { user: "ada" });
    await get(`${cookie}; ask=notice`);
    return cookie;
  }
  const site = (layout: (session: Session) => string): ReturnType<typeof start> => {
    const app = start((context) => {
      if (context.request.headers.get("cookie")?.includes("ask=notice") !== true)
        return pageOf(layout)(context);
      context.locals.session.flash.set("notice", "saved");
      return new Response(null, { status: 303 });
    });
    return app;
  };

  test("reads a flash message, once, after an await", async () => {
    const app = site((session) => `${session.get("user")}: ${session.flash.get("notice")}`);
    const cookie = await withNotice(app);
    expect(await (await app.get(cookie)).text()).toBe("<main>ada: saved");
    expect(await (await app.get(cookie)).text()).toBe("<main>ada: ");
  });

  test("reads all of them", async () => {
    const app = site((session) => JSON.stringify([...session.flash.readAll()]));
    const cookie = await withNotice(app);
    expect(await (await app.get(cookie)).text()).toBe('<main>[["notice","saved"]]');
    expect(await (await app.get(cookie)).text()).toBe("<main>[]");
  });

  test("leaves a message that it doesn't read", async () => {
    const app = site(() => "nothing");
    const cookie = await withNotice(app);
    await (await app.get(cookie)).text();
    expect((await app.get(cookie)).headers.getSetCookie()).toEqual([]);
    const other = site((session) => session.flash.peek("notice"));
    const kept = await withNotice(other);
    expect(await (await other.get(kept)).text()).toBe("<main>saved");
    expect(await (await other.get(kept)).text()).toBe("<main>saved");
  });

  test.each([
    ["with a message that is waiting", true],
    ["without one", false],
  ])("can't change anything else, %s", async (_, hasNotice) => {
    const name = sessionKey("name", {
      "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
    });
    const app = site((session) =>
      [
        codeOf(() => session.set("late", "1")),
        codeOf(() => session.write(name, "late")),
        codeOf(() => session.del("user")),
        codeOf(() => session.clear()),
        codeOf(() => session.bind("ada")),
        codeOf(() => session.flash.set("late", "1")),
        session.get("user"),
      ].join(" "),
    );
    const cookie = hasNotice
      ? await withNotice(app)
      : await mintCookie(app.config, { user: "ada" });
    const late = "ERR_SESSION_USAGE_HEADERS_SENT";
    const expected = `<main>${Array.from({ length: 6 }, () => late).join(" ")} ada`;
    expect(await (await app.get(cookie)).text()).toBe(expected);
    expect(await readCookie(app.config, cookie)).toEqual(new Map([["user", "ada"]]));
  });

  test("makes each page vary by the cookie, since it may look", async () => {
    const app = site((session) => session.get("user"));
    const anonymous = await app.get();
    expect(anonymous.headers.get("vary")).toBe("Cookie");
    expect(anonymous.headers.getSetCookie()).toEqual([]);
  });

  test("streams where no message waits: its head is there before its end", async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const app = start(
      pageOf(
        async () => {
          await released;
          return "end";
        },
        (session) => session.set("a", "1"),
      ),
    );
    const response = await app.get();
    expect(response.headers.getSetCookie()).toHaveLength(1);
    release();
    expect(await response.text()).toBe("<main>end");
  });

  test("that fails while a message waits is an error of the page, and the message stays read", async () => {
    const app = site((session) => {
      if (session.flash.get("notice") !== "") throw new Error("out of order");
      return "fine";
    });
    const cookie = await withNotice(app);
    const log = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => log.mockRestore());
    expect((await app.get(cookie)).status).toBe(500);
    expect(log.mock.calls).toMatchObject([[{ message: "out of order" }]]);
    expect(await (await app.get(cookie)).text()).toBe("<main>fine");
  });
});

describe("an error", () => {
  test("keeps what was changed before it, and its page can only read the session", async () => {
    const seen: unknown[] = [];
    const log = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => log.mockRestore());
    const app = start(
      ({ locals }) => {
        locals.session.set("a", "1");
        throw new Error("out of order");
      },
      ({ locals: { session } }) => {
        seen.push(
          session.get("a"),
          codeOf(() => session.set("b", "1")),
          session.flash.get("none"),
        );
        return new Response("sorry", { status: 500, headers: { "content-type": "text/html" } });
      },
    );
    const response = await app.get();
    expect([response.status, await response.text()]).toEqual([500, "sorry"]);
    expect(seen).toEqual(["1", "ERR_SESSION_USAGE_HEADERS_SENT", ""]);
    const saved = await readCookie(app.config, response.headers.getSetCookie());
    expect(saved).toEqual(new Map([["a", "1"]]));
  });

  test("page in place of an empty 404 shows a message, which stays for the next page", async () => {
    const app = start(
      () => new Response(null, { status: 404 }),
      ({ locals: { session } }) => {
        const messages = [session.flash.get("notice"), session.flash.get("notice")];
        return new Response(messages.join("|"), { headers: { "content-type": "text/html" } });
      },
    );
    const cookie = await mintCookie(app.config, { user: "ada" });
    const engine = new SessionMiddleware(app.config);
    const session = await engine.open(cookie);
    session.flash.set("notice", "saved");
    await engine.commit(session);
    for (const _ of [1, 2]) {
      const response = await app.get(cookie);
      expect([response.status, await response.text()]).toEqual([404, "saved|"]);
    }
  });

  test("of a page that changed nothing goes Astro's way, and its page may write", async () => {
    const app = start(
      () => {
        throw new Error("out of order");
      },
      ({ locals: { session } }) => {
        session.set("seen", "1");
        return new Response("sorry", { status: 500, headers: { "content-type": "text/html" } });
      },
    );
    const response = await app.get();
    const saved = await readCookie(app.config, response.headers.getSetCookie());
    expect([response.status, saved]).toEqual([500, new Map([["seen", "1"]])]);
  });

  test("of the store is a plain 503, and goes to the log", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => log.mockRestore());
    const app = start(
      pageOf(
        () => "never",
        (session) => session.set("a", "1"),
      ),
    );
    app.slow.failsToSave = true;
    const response = await app.get();
    expect([response.status, await response.text()]).toEqual([503, "Service Unavailable\n"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(log.mock.calls).toMatchObject([[{ code: "ERR_SESSION_STORE_FAILED" }]]);
  });
});

test("a rewritten request, which is another Request with the same locals, shares the session", async () => {
  const config: SessionConfig = { store: new SessionMemoryStore(), signingKey: freshKey() };
  const onRequest = sessionMiddleware(config);
  const locals = {} as Locals;
  const first = new Request("http://localhost/a");
  const response = await onRequest({ request: first, locals, isPrerendered: false }, () => {
    locals.session.set("first", "1");
    const second = new Request("http://localhost/b");
    return onRequest({ request: second, locals, isPrerendered: false }, async () => {
      locals.session.set("second", locals.session.get("first"));
      return new Response("done");
    });
  });
  expect(response.headers.getSetCookie()).toHaveLength(1);
  const saved = await readCookie(config, response.headers.getSetCookie());
  expect(Object.fromEntries(saved)).toEqual({ first: "1", second: "1" });
});

test("a prerendered page asks for no configuration and no header, and has an empty session", async () => {
  const onRequest = sessionMiddleware(() => {
    throw new Error("no secrets at build time");
  });
  const locals = {} as Locals;
  const request = new Request("http://localhost/");
  Object.defineProperty(request, "headers", {
    get: () => {
      throw new Error("Astro warns of this");
    },
  });
  const response = await onRequest({ request, locals, isPrerendered: true }, async () => {
    const { session } = locals;
    const write = codeOf(() => session.set("a", "1"));
    return new Response([session.size, session.flash.get("notice"), write].join());
  });
  expect(await response.text()).toBe("0,,ERR_SESSION_USAGE_READ_ONLY");
});
