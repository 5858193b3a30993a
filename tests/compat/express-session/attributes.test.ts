// Which responses have a cookie, and with which attributes; by which part of an application a request's
// session is opened.
import express from "express";
import session, { type SessionOptions } from "kocha-session/compat/express-session";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../support/listen.ts";
import { clientOf, type Handler, type Request, routes, SECRET, serve, stores } from "./server.ts";

const https = { "x-forwarded-proto": "https" };

async function served(
  options: SessionOptions,
  trusted: boolean,
): Promise<ReturnType<typeof clientOf>> {
  const app = express();
  if (trusted) app.set("trust proxy", 1);
  app.use(session({ secret: SECRET, ...options }));
  app.use((_, response) => void response.end());
  const { url, close } = await listen(app);
  onTestFinished(close);
  return clientOf(url);
}

test.each<[string, SessionOptions, boolean, Record<string, string>, RegExp | undefined]>([
  ["secure over http sets none", { cookie: { secure: true } }, false, {}, undefined],
  [
    "secure behind an untrusted proxy sets none",
    { cookie: { secure: true } },
    false,
    https,
    undefined,
  ],
  ["secure behind a trusted one", { cookie: { secure: true } }, true, https, /Secure/],
  ["secure with proxy: true", { proxy: true, cookie: { secure: true } }, false, https, /Secure/],
  [
    "secure with proxy: false sets none",
    { proxy: false, cookie: { secure: true } },
    true,
    https,
    undefined,
  ],
  ["auto over http isn't secure", { cookie: { secure: "auto" } }, false, {}, /^(?!.*Secure)/],
  ["auto over https is", { cookie: { secure: "auto" } }, true, https, /Secure/],
  ["sameSite auto over https", { cookie: { sameSite: "auto" } }, true, https, /SameSite=None/],
  ["sameSite true", { cookie: { sameSite: true } }, false, {}, /SameSite=Strict/],
  [
    "all of them",
    {
      cookie: {
        domain: ".example.com",
        path: "/",
        httpOnly: false,
        priority: "high",
        partitioned: true,
        maxAge: 5000,
      },
    },
    false,
    {},
    /; Domain=\.example\.com; Path=\/; Expires=[^;]+GMT; Partitioned; Priority=High$/,
  ],
  ["none of them", {}, false, {}, /^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/],
  [
    "those that a function gives",
    { cookie: () => ({ sameSite: "lax" }) },
    false,
    {},
    /SameSite=Lax/,
  ],
])("a cookie: %s", async (_, options, trusted, headers, expected) => {
  const { setCookies } = await (await served(options, trusted))("/", headers);
  // Without a pattern there is none.
  expect(setCookies).toHaveLength(expected === undefined ? 0 : 1);
  expect(setCookies[0] ?? "").toMatch(expected ?? /^$/);
});

describe.each(Object.entries(stores))("with %s", (_, makeStore) => {
  const write: Handler = ({ session: bag }, response) => {
    bag["n"] = Number(bag["n"] ?? 0) + 1;
    response.end();
  };

  test.each<[string, SessionOptions, readonly number[]]>([
    ["read, write, read, write", { saveUninitialized: false }, [0, 1, 0, 0]],
    ["with a lifetime", { saveUninitialized: false, cookie: { maxAge: 60_000 } }, [0, 1, 0, 1]],
    [
      "rolling",
      { saveUninitialized: false, rolling: true, cookie: { maxAge: 60_000 } },
      [0, 1, 1, 1],
    ],
    ["stored although new", { saveUninitialized: true }, [1, 0, 0, 0]],
  ])("cookies of four requests: %s", async (__, options, expected) => {
    const { client } = await serve({ store: makeStore(), ...options }, routes({ "/write": write }));
    const get = client();
    const cookies: number[] = [];
    for (const path of ["/", "/write", "/", "/write"]) {
      const { setCookies, headers } = await get(path);
      cookies.push(setCookies.length);
      // A response with a cookie is one client's.
      expect(headers.get("cache-control")).toBe(setCookies.length === 0 ? null : "no-store");
    }
    expect(cookies).toEqual(expected);
  });

  test("sessions are only on the cookie's path, before a router cuts it", async () => {
    const app = express();
    const options = { secret: SECRET, store: makeStore(), cookie: { path: "/app/in" } };
    app.use("/app", session(options) as express.RequestHandler);
    app.use((request, response) => void response.end(typeof request.session));
    const { url, close } = await listen(app);
    onTestFinished(close);
    const get = clientOf(url);
    const seen = await Promise.all(
      ["/app/in/x", "/app/out", "/in"].map(async (path) => (await get(path)).body),
    );
    expect(seen).toEqual(["object", "undefined", "undefined"]);
  });

  test("of two middlewares the first has the session, and the second leaves it alone", async () => {
    const app = express();
    app.use(session({ secret: SECRET, store: makeStore() }));
    app.use(session({ secret: "another secret of at least thirty-two", name: "other" }));
    app.use(
      ((request, response) =>
        void write(request as never, response, () => undefined)) as express.RequestHandler,
    );
    const { url, close } = await listen(app);
    onTestFinished(close);
    const { setCookies } = await clientOf(url)();
    expect(setCookies).toEqual([expect.stringMatching(/^connect\.sid=/)]);
  });
});

test("a store that emits disconnect isn't asked until it emits connect", async () => {
  const store = new session.MemoryStore();
  const { client } = await serve({ store }, (request: Request, response) =>
    response.end(typeof request.session),
  );
  store.emit("disconnect");
  expect((await client()()).body).toBe("undefined");
  store.emit("connect");
  expect((await client()()).body).toBe("object");
});
