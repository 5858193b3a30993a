// Elysia, as its users write it: the session beside everything that Elysia itself does with an answer,
// over the cookie store and a store that answers later. It runs on Node.js by `app.fetch`; on Bun, with its
// own server and sockets, the conformance kit and examples/elysia do.
import { Elysia, redirect, sse, status, t } from "elysia";
import {
  type Session,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
  SessionMiddleware,
} from "kocha-session";
import { session } from "kocha-session/elysia";
import { sessionOf } from "kocha-session/fetch";
import { mintCookie, readCookie } from "kocha-session/testing";
import { describe, expect, test } from "vitest";
import { spyOn } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";

interface Served {
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** A request to an application, as its server makes it. */
async function ask(app: Served, path: string, init: RequestInit = {}): Promise<Response> {
  return app.fetch(new Request(`https://app.example${path}`, init));
}

/** A stream's text; on Node.js Elysia's pieces are strings, which no `text()` takes there. */
async function textOf({ body }: Response): Promise<string> {
  let text = "";
  for await (const piece of body as unknown as AsyncIterable<unknown>) text += String(piece);
  return text;
}

const names = (response: Response): readonly string[] =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.slice(0, cookie.indexOf("=")))
    .toSorted();

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that answers later": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

const ada = new Map([["name", "ada"]]);

describe.each(Object.entries(stores))("Elysia over %s", (_, make) => {
  /** Asserts that a response carries a session with the name in it. */
  const carriesName = async (config: SessionConfig, response: Response): Promise<void> => {
    expect(await readCookie(config, response.headers.getSetCookie())).toEqual(ada);
  };
  const signIn = ({ session: current }: { readonly session: Session }): string => {
    current.set("name", "ada");
    return "done";
  };

  test("a handler has its client's session, and what it changes is saved", async () => {
    const config = make();
    const app = new Elysia()
      .use(session(config))
      .post(
        "/login",
        async ({ session: current, body }) => {
          await current.regenerate();
          current.set("name", body.name);
          return redirect("https://app.example/", 303);
        },
        { body: t.Object({ name: t.String() }) },
      )
      .get("/", ({ session: current }) => ({ name: current.get("name") }));
    const login = await ask(app, "/login", {
      method: "POST",
      body: JSON.stringify({ name: "ada" }),
      headers: { "content-type": "application/json" },
    });
    expect([login.status, login.headers.get("location")]).toEqual([303, "https://app.example/"]);
    const cookie = login.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    const page = await ask(app, "/", { headers: { cookie } });
    expect(await page.json()).toEqual({ name: "ada" });
    expect(page.headers.get("vary")).toBe("Cookie");
    const anonymous = await ask(app, "/");
    expect([await anonymous.json(), names(anonymous)]).toEqual([{ name: "" }, []]);
  });

  test.each([
    ["set by its cookie jar", true],
    ["in its headers", false],
  ])("the application's own cookie, %s, stays beside ours", async (__, isJar) => {
    const config = make();
    const app = new Elysia().use(session(config)).get("/", (context) => {
      if (isJar) context.cookie["theme"]?.set({ value: "dark", path: "/" });
      else context.set.headers["set-cookie"] = "theme=dark; Path=/";
      return signIn(context);
    });
    const response = await ask(app, "/");
    expect(names(response)).toEqual(["session", "theme"]);
    await carriesName(config, response);
  });

  test("a 404, of no route and of a handler's, has a session in onError", async () => {
    const config = make();
    const app = new Elysia()
      .use(session(config))
      .onError(({ code, session: current }) => {
        current?.set("name", "ada");
        return `sorry: ${code}`;
      })
      .get("/none", () => status(404, "none"))
      .get("/thrown", () => {
        // oxlint-disable-next-line typescript/only-throw-error -- as Elysia's users do
        throw status(404, "none");
      });
    const missing = await ask(app, "/missing");
    expect([missing.status, await missing.text()]).toEqual([404, "sorry: NOT_FOUND"]);
    await carriesName(config, missing);
    const thrown = await ask(app, "/thrown");
    expect(await thrown.text()).toBe("sorry: 404");
    await carriesName(config, thrown);
    expect(names(await ask(app, "/none"))).toEqual([]);
    const bare = new Elysia().use(session(config)).get("/", () => "");
    expect([(await ask(bare, "/missing")).status, names(await ask(bare, "/missing"))]).toEqual([
      404,
      [],
    ]);
  });

  test("what a handler changed before it threw is saved with the error's answer", async () => {
    const config = make();
    const app = new Elysia()
      .use(session(config))
      .onError(({ error, path, session: current }) =>
        path === "/answered"
          ? `${(error as Error).message} for ${current?.get("name")}`
          : undefined,
      )
      .get("/answered", (context) => {
        signIn(context);
        throw new Error("out of order");
      })
      .get("/plain", (context) => {
        signIn(context);
        throw new Error("out of order");
      })
      .post("/invalid", () => "", {
        body: t.Object({ count: t.Number() }),
        transform: (context) => void signIn(context),
      });
    const answered = await ask(app, "/answered");
    expect([answered.status, await answered.text()]).toEqual([500, "out of order for ada"]);
    await carriesName(config, answered);
    const plain = await ask(app, "/plain");
    expect(plain.status).toBe(500);
    await carriesName(config, plain);
    const headers = { "content-type": "application/json" };
    const invalid = await ask(app, "/invalid", { method: "POST", body: "{}", headers });
    expect(invalid.status).toBe(422);
    await carriesName(config, invalid);
    const torn = await ask(app, "/invalid", { method: "POST", body: "{", headers });
    expect([torn.status, names(torn)]).toEqual([400, []]);
  });

  test("a generator's stream carries what was changed before its first piece", async () => {
    const config = make();
    let late: unknown;
    const app = new Elysia()
      .use(session(config))
      .get("/stream", async function* stream(context) {
        await context.session.regenerate();
        signIn(context);
        yield "one ";
        try {
          context.session.set("late", "1");
        } catch (error) {
          late = error;
        }
        yield context.session.get("name");
      })
      .get("/events", function* events(context) {
        signIn(context);
        yield sse({ event: "name", data: context.session.get("name") });
      });
    const stream = await ask(app, "/stream");
    await carriesName(config, stream);
    expect(await textOf(stream)).toBe("one ada");
    expect(late).toMatchObject({ code: "ERR_SESSION_USAGE_HEADERS_SENT" });
    const events = await ask(app, "/events");
    expect(events.headers.get("content-type")).toContain("text/event-stream");
    await carriesName(config, events);
    expect(await textOf(events)).toContain("event: name\ndata: ada\n");
  });

  test("a static answer, which Elysia keeps, gets nobody's cookie for the next one", async () => {
    const config = make();
    const app = new Elysia()
      .use(session(config))
      .onBeforeHandle(({ session: current, headers }) => {
        if (headers["x-sign-in"] !== undefined) current.set("name", "ada");
      })
      .get("/text", "still")
      .get("/response", new Response("still"));
    for (const path of ["/text", "/response"]) {
      const first = await ask(app, path, { headers: { "x-sign-in": "1" } });
      await carriesName(config, first);
      const second = await ask(app, path);
      expect([await first.text(), await second.text()]).toEqual(["still", "still"]);
      expect([names(second), second.headers.get("cache-control")]).toEqual([[], null]);
    }
  });

  test("in a group, in a guard, in plugins of both, and used twice it is one session", async () => {
    const config = make();
    const inGroup = new Elysia().group("/group", (group) =>
      group
        .use(session(config))
        .get("/", signIn)
        .get("/name", ({ session: own }) => own.get("name")),
    );
    const inGuard = new Elysia().guard({}, (guarded) =>
      guarded.use(session(config)).get("/group", signIn),
    );
    const account = new Elysia({ name: "account" }).use(session(config)).get("/account", signIn);
    const cart = new Elysia({ name: "cart" }).use(session(config)).get("/cart", signIn);
    const whole = new Elysia()
      .use(session(config))
      .use(account)
      .use(cart)
      .use(account)
      .use(session(SessionMiddleware.from(config)))
      .group("/group", (group) => group.use(cart).use(session(config)).get("/", signIn));
    for (const [app, path] of [
      [inGroup, "/group"],
      [inGuard, "/group"],
      [new Elysia().use(account).use(cart), "/account"],
      [new Elysia().use(account).use(cart), "/cart"],
      [whole, "/account"],
      [whole, "/cart"],
      [whole, "/group"],
      [whole, "/group/cart"],
    ] as const) {
      const response = await ask(app, path);
      expect([path, names(response)]).toEqual([path, ["session"]]);
      await carriesName(config, response);
    }
    expect((await ask(inGroup, "/missing")).status).toBe(404);
  });

  test("a plugin that is loaded later has it, too", async () => {
    const config = make();
    const late = Promise.resolve({
      default: new Elysia().use(session(config)).get("/late", signIn),
    });
    const app = new Elysia().use(session(config)).use(late);
    await app.modules;
    await carriesName(config, await ask(app, "/late"));
  });

  test("an answer of an earlier hook needs no session", async () => {
    const app = new Elysia()
      .onRequest(({ request }) =>
        request.method === "OPTIONS" ? new Response("early") : undefined,
      )
      .use(session(make()))
      .get("/", signIn);
    const early = await ask(app, "/", { method: "OPTIONS" });
    expect([early.status, await early.text(), names(early)]).toEqual([200, "early", []]);
  });

  test("an application that is mounted gets a request of its own, without the session", async () => {
    const config = make();
    const inner = new Elysia().get("/inner", ({ request }) => sessionOf(request).get("name"));
    const app = new Elysia().use(session(config)).get("/", signIn).mount("/mounted", inner.fetch);
    const response = await ask(app, "/mounted/inner");
    // It gets a request of its own.
    expect([response.status, names(response)]).toEqual([500, []]);
    expect((await ask(app, "/")).status).toBe(200);
  });
});

describe("Elysia", () => {
  test.each(["load", "save"] as const)(
    "a store that fails to %s goes to onError",
    async (fault) => {
      const spy = spyOn(slowly(new SessionMemoryStore()));
      const config = { store: spy.store, signingKey: freshKey() };
      const cookie = await mintCookie(config, { name: "ada" });
      const heard: unknown[] = [];
      const runs = { request: 0, afterResponse: 0 };
      const app = new Elysia()
        .onRequest(() => void runs.request++)
        .onAfterResponse(() => void runs.afterResponse++)
        .use(session(config))
        .onError(({ code, error, session: current }) => {
          heard.push([code, (error as { status?: number }).status, current?.get("name")]);
          return "sorry";
        })
        .get("/", ({ session: current, set }) => {
          current.set("name", "bob");
          set.headers["x-dropped"] = "1";
          return "done";
        });
      const bare = new Elysia().use(session(config)).get("/", ({ session: current }) => {
        current.set("name", "bob");
        return "done";
      });
      spy.fault = fault;
      const response = await ask(app, "/", { headers: { cookie } });
      expect([response.status, await response.text()]).toEqual([503, "sorry"]);
      expect([names(response), response.headers.get("x-dropped")]).toEqual([[], null]);
      // A session that couldn't be loaded isn't there.
      const name = fault === "save" ? "bob" : undefined;
      expect(heard).toEqual([[expect.stringMatching(/^ERR_SESSION_STORE/), 503, name]]);
      await new Promise((resolve) => setImmediate(resolve));
      const times = fault === "save" ? 2 : 1;
      expect(runs).toEqual({ request: times, afterResponse: times });
      expect((await ask(bare, "/", { headers: { cookie } })).status).toBe(503);
      spy.fault = undefined;
      expect((await ask(bare, "/", { headers: { cookie } })).status).toBe(200);
    },
  );

  test("a session that doesn't fit its cookie is a 500, not Elysia's 200 of a hook", async () => {
    const app = new Elysia()
      .use(session({ store: new SessionCookieStore(freshKeys()) }))
      .get("/", ({ session: current }) => {
        current.set("name", "x".repeat(10_000));
        return "done";
      });
    const response = await ask(app, "/");
    expect([response.status, names(response)]).toEqual([500, []]);
  });

  test("a session that was replaced is an error, and so is another library's", async () => {
    const replaced = new Elysia()
      .use(session({ store: new SessionCookieStore(freshKeys()) }))
      .derive(() => ({ session: null }))
      .get("/", () => "done");
    const occupied = new Elysia()
      .decorate("session", { user: "theirs" })
      .use(session({ store: new SessionCookieStore(freshKeys()) }))
      .get("/", () => "done");
    for (const [app, message] of [
      [replaced, "the request's session can't be replaced by null"],
      [occupied, "context.session is there already"],
    ] as const) {
      const response = await ask(app, "/");
      expect([response.status, await response.text()]).toEqual([
        500,
        expect.stringContaining(message),
      ]);
    }
  });

  test("two configurations on one application are an error", async () => {
    const make = (): SessionConfig => ({ store: new SessionCookieStore(freshKeys()) });
    const other = new Elysia().use(session(make())).get("/other", () => "done");
    const app = new Elysia()
      .use(session(make()))
      .use(other)
      .get("/", () => "done");
    const response = await ask(app, "/");
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining("a session of another configuration already"),
    ]);
  });

  test("where Elysia doesn't run what is around it, each request says so", async () => {
    const config = { store: new SessionCookieStore(freshKeys()) };
    const plugin = new Elysia({ name: "plugin" }).use(session(config)).get("/inner", () => "done");
    const grouped = new Elysia()
      .group("/group", (group) => group.use(plugin))
      .get("/", () => "done");
    const dynamic = new Elysia({ aot: false }).use(session(config)).get("/", () => "done");
    for (const app of [grouped, dynamic]) {
      const response = await ask(app, "/");
      expect([response.status, await response.text()]).toEqual([
        500,
        expect.stringContaining(
          "the request has no session: use session(config) on the application",
        ),
      ]);
    }
  });

  test("a configuration's function is asked at the first request", async () => {
    let asked = 0;
    const app = new Elysia()
      .use(
        session(() => {
          asked++;
          return { store: new SessionCookieStore(freshKeys()) };
        }),
      )
      .get("/", ({ session: current }) => current.get("name"));
    app.compile();
    expect(asked).toBe(0);
    await ask(app, "/");
    await ask(app, "/");
    expect(asked).toBe(1);
  });

  test("it makes Elysia read no more of a request than before", async () => {
    const app = new Elysia()
      .use(session({ store: new SessionCookieStore(freshKeys()) }))
      .post("/", async ({ request }) => (await request.text()).length);
    // A body that Elysia had read would be used.
    const response = await ask(app, "/", { method: "POST", body: "12345" });
    expect(await response.text()).toBe("5");
  });
});
