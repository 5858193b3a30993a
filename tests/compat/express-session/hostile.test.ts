// What nobody means well: rows of any JSON, values that aren't JSON, cookies that somebody made up, options that
// can't be right; and stores that fail.
import { createHmac } from "node:crypto";
import type originalSession from "express-session";
import { SessionCookieStore, SessionMemoryStore } from "kocha-session";
import session, { type Session } from "kocha-session/compat/express-session";
import { describe, expect, test } from "vitest";
import { freshKeys } from "../../support/keys.ts";
import { slowly } from "../../support/latency.ts";
import { thrownBy } from "../../support/thrown.ts";
import { warningsOf } from "../../support/warnings.ts";
import { routes, SECRET, serve, slowStore, stores } from "./server.ts";

/** A store whose rows are whatever a test says. */
function rowOf(row: unknown): originalSession.Store {
  const store = slowStore();
  (store as { get: unknown }).get = (_: string, done: (error: null, row: unknown) => void) =>
    done(null, row);
  return store;
}

/** The cookie of a session's id, as express-session signs it. */
function cookieOf(sid: string, secret: string): string {
  const mac = createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, "");
  return `connect.sid=${encodeURIComponent(`s:${sid}.${mac}`)}`;
}

test.each<[string, unknown, object]>([
  [
    "__proto__ and constructor",
    JSON.parse('{"__proto__":{"admin":true},"constructor":1,"a":1}'),
    { a: 1 },
  ],
  ["names of methods", { save: "nope", regenerate: 1, touch: {}, id: 3, req: 4, a: 1 }, { a: 1 }],
  ["a cookie of nonsense", { cookie: "text", a: 1 }, { a: 1 }],
  [
    "a cookie with a prototype",
    { cookie: JSON.parse('{"__proto__":{"path":"/x"}}') as object, a: 1 },
    { a: 1 },
  ],
  ["an array", [1, 2], {}],
  ["a text", "row", {}],
  ["a number", 7, {}],
  ["nothing", null, {}],
])("a row of %s is read as far as it is data, and throws nothing", async (_, row, data) => {
  const { client } = await serve(
    { store: rowOf(row), resave: false, saveUninitialized: false },
    routes({
      "/": ({ session: bag }, response) => {
        const { cookie, ...values } = JSON.parse(JSON.stringify(bag)) as Record<string, unknown>;
        const seen = [
          typeof cookie,
          typeof bag.save,
          bag.cookie.path,
          (bag as { admin?: true }).admin,
        ];
        response.end(JSON.stringify([values, ...seen]));
      },
    }),
  );
  const get = client();
  get.cookie = cookieOf("sid", SECRET);
  const { status, body } = await get();
  expect([status, JSON.parse(body)]).toEqual([200, [data, "object", "function", "/", null]]);
  expect(({} as { admin?: unknown }).admin).toBeUndefined();
});

describe.each(Object.entries(stores))("with %s", (_, makeStore) => {
  const cyclic: Record<string, unknown> = { secret: "hunter2" };
  cyclic["self"] = cyclic;
  const throwing = {
    toJSON() {
      throw new Error("hunter2");
    },
  };

  test.each<[string, (bag: Session) => unknown]>([
    ["a function", (bag) => (bag["wrong"] = () => "hunter2")],
    ["a symbol", (bag) => (bag["wrong"] = Symbol("hunter2"))],
    ["a bigint", (bag) => (bag["wrong"] = 7n)],
    ["a nested bigint", (bag) => (bag["wrong"] = { hunter2: 7n })],
    ["a cycle", (bag) => (bag["wrong"] = cyclic)],
    ["a throwing toJSON", (bag) => (bag["wrong"] = throwing)],
    [
      "a throwing getter",
      (bag) =>
        Object.defineProperty(bag, "wrong", {
          enumerable: true,
          configurable: true,
          get: () => {
            throw new Error("hunter2");
          },
        }),
    ],
  ])("%s is an error that names the property, and nothing is saved", async (__, put) => {
    const { client } = await serve(
      { store: makeStore(), resave: false, saveUninitialized: false },
      routes({
        "/right": ({ session: bag }, response) => {
          bag["right"] = 1;
          response.end();
        },
        "/wrong": ({ session: bag }, response) => {
          bag["right"] = 2;
          put(bag);
          response.end("page");
        },
        "/save": ({ session: bag }, response) => {
          put(bag);
          bag.save((error) => {
            delete bag["wrong"];
            response.end((error as { code: string }).code);
          });
        },
      }),
    );
    const get = client();
    await get("/right");
    const { status, body } = await get("/wrong");
    expect([status, body]).toEqual([500, expect.stringContaining("req.session.wrong")]);
    expect(body).not.toMatch(/hunter2|page/);
    expect((await get("/save")).body).toBe("ERR_SESSION_USAGE_TYPE");
    expect(JSON.parse((await get()).body)).toMatchObject({ right: 1 });
  });

  test("a method's name can't be data, and a function in its place counts for the request", async () => {
    const { client } = await serve(
      { store: makeStore() },
      routes({
        "/data": ({ session: bag }, response) => {
          (bag as { reload: unknown }).reload = "text";
          response.end();
        },
        "/wrapped": ({ session: bag }, response) => {
          const touch = bag.touch.bind(bag);
          bag.touch = () => touch();
          bag["n"] = 1;
          response.end();
        },
      }),
    );
    const get = client();
    expect(await get("/data")).toMatchObject({
      status: 500,
      body: expect.stringContaining("reload") as string,
    });
    expect((await get("/wrapped")).status).toBe(200);
    expect(JSON.parse((await get()).body)).toMatchObject({ n: 1 });
  });

  test("takes no cookie that isn't signed, and none of another name or secret", async () => {
    const rejected: string[] = [];
    const { client } = await serve(
      {
        store: makeStore(),
        saveUninitialized: false,
        on: { rejected: ({ reason }) => void rejected.push(reason) },
      },
      routes({
        "/login": ({ session: bag }, response) => {
          bag["user"] = "alice";
          response.end();
        },
      }),
    );
    const get = client();
    await get("/login");
    const [, value = ""] = get.cookie.split("=");
    const sid = decodeURIComponent(value).slice("s:".length).split(".", 1)[0] ?? "";
    expect(cookieOf(sid, SECRET)).toBe(get.cookie);
    const forged = [
      cookieOf(sid, `${SECRET}!`),
      "connect.sid=s%3Aabc.def",
      "connect.sid=%E0%A4%A",
      "connect.sid=s%3A",
      "connect.sid=abc",
      `connect.sid2=${value}`,
    ];
    for (const cookie of forged) {
      const stranger = client();
      stranger.cookie = cookie;
      const answer = await stranger();
      expect([answer.status, Object.keys(JSON.parse(answer.body) as object)]).toEqual([
        200,
        ["cookie"],
      ]);
    }
    expect(new Set(rejected)).toEqual(new Set(["forged", "malformed"]));
  });
});

test("a store that fails to load or save is answered by its own error; one that fails to renew, by the page", async () => {
  const store = slowStore();
  const calls = store as unknown as Record<string, unknown>;
  const { client } = await serve(
    { store, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } },
    routes({
      "/set": ({ session: bag, url = "" }, response) => {
        bag["n"] = url;
        response.end("page");
      },
      "/save": ({ session: bag }, response) => {
        bag["n"] = "saved";
        bag.save((error) => response.end(error === undefined ? "saved" : (error as Error).name));
      },
    }),
  );
  const get = client();
  await get("/set");
  const failing = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const call = calls[name];
    calls[name] = (...args: unknown[]) =>
      (args.at(-1) as (error: Error) => void)(new Error(`no ${name}`));
    await work();
    calls[name] = call;
  };
  await failing("get", async () => {
    expect(await get()).toMatchObject({ status: 500, body: "no get", setCookies: [] });
  });
  await failing("set", async () => {
    expect(await get("/set?2")).toMatchObject({ status: 500, body: "no set" });
    expect((await get("/save")).body).toBe("StoreError");
  });
  await failing("touch", async () => {
    expect(await get()).toMatchObject({
      status: 200,
      body: expect.stringContaining("/set") as string,
    });
  });
  expect((await get("/save")).body).toBe("saved");
  expect(JSON.parse((await get()).body)).toMatchObject({ n: "saved" });
});

test("a store of ours that is down is a StoreError with its status", async () => {
  const down = () => Promise.reject(new Error("down"));
  const store = { ...slowly(new SessionMemoryStore()), save: down };
  const { client } = await serve({ store }, routes({}));
  expect(await client()()).toMatchObject({ status: 503 });
});

test.each<[string, object, string, RegExp]>([
  ["an unknown option", { sekret: "x" }, "ERR_SESSION_CONFIG_FIELD", /did you mean secret/],
  [
    "a cookie store",
    { store: new SessionCookieStore(freshKeys()) },
    "ERR_SESSION_CONFIG_STORE",
    /store/,
  ],
  ["a genid that is no function", { genid: "x" }, "ERR_SESSION_CONFIG_FIELD", /genid.*function/],
  ["no secret in the list", { secret: [] }, "ERR_SESSION_CONFIG_KEY", /secret option array/],
  ["a secret of the wrong kind", { secret: 7 }, "ERR_SESSION_CONFIG_KEY", /secret/],
  ["another unset", { unset: "drop" }, "ERR_SESSION_CONFIG_FIELD", /unset.*"destroy" or "keep"/],
  ["a flag as text", { rolling: "yes" }, "ERR_SESSION_CONFIG_FIELD", /rolling.*true.*false/],
  ["a name with a space", { name: "my cookie" }, "ERR_SESSION_CONFIG_COOKIE", /cookie name/],
  [
    "a maxAge as text",
    { cookie: { maxAge: "1d" } },
    "ERR_SESSION_CONFIG_FIELD",
    /maxAge[^(]*\(see [^)]*config_field\)$/,
  ],
  ["a path with a semicolon", { cookie: { path: "/; x" } }, "ERR_SESSION_CONFIG_FIELD", /path/],
])("%s is an error when the middleware is made", (_, options, code, message) => {
  const error = thrownBy(() => session({ secret: SECRET, ...options }));
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
});

test("a sid that genid can't mean is an error of the request, and what is falsy is absent", async () => {
  for (const genid of [() => "", () => 7, () => Promise.resolve("x")]) {
    const { client } = await serve({ genid: genid as () => string }, routes({}));
    expect(await client()()).toMatchObject({
      status: 500,
      body: expect.stringContaining("genid") as string,
    });
  }
  const absent = { name: "", store: null, cookie: null, unset: "", genid: null, rolling: null };
  const { client } = await serve(absent as never, routes({}));
  expect((await client()()).setCookies[0]).toMatch(/^connect\.sid=s%3A[\w-]{32}\./);
});

test("short secrets are taken, with one warning; and a secure cookie over http is none, with another", async () => {
  const program = `
    import { createServer } from "node:http";
    import session from "kocha-session/compat/express-session";
    const one = session({ secret: "cat", cookie: { secure: true } });
    session({ secret: ["dog", "a secret of at least thirty-two bytes"] });
    const server = createServer((request, response) => one(request, response, () => response.end()));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    for (let n = 0; n < 2; n++) await fetch("http://127.0.0.1:" + server.address().port);
    server.closeAllConnections();
    server.close();
  `;
  expect(await warningsOf(program)).toEqual([
    "KOCHA_SESSION_SHORT_SECRET",
    "KOCHA_SESSION_INSECURE",
  ]);
});
