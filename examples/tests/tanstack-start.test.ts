// TanStack Start on Node.js: the example, and behind an overlay what Start does with an answer.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../tests/support/servers/redis.ts";
import { describeApp, environment } from "./lib/app.ts";
import { Browsing } from "./lib/browsing.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";
import { testOwnTypes } from "./lib/types.ts";

const packages = ["@tanstack/react-start", "@tanstack/react-router", "react", "vite"];
const start = {
  command: () => ["srvx", "--prod", "-s", "../client", "dist/server/server.js"] as const,
  env: (port: number) => ({ PORT: String(port), HOST: "localhost" }),
};

describe("the example", () => {
  let project: Project;
  beforeAll(async () => {
    project = await prepare({ example: "tanstack-start", node: "24", packages });
    await project.follow();
  });
  describeApp(() => project, { env: start.env });

  test("passes the compiler's check", { timeout: 300_000 }, async () => {
    await project.run(["npm", "run", "check"]);
  });

  testOwnTypes(() => project);

  test("no file of the client's has the server's code", () => {
    const files = [...project.files("dist", "client")];
    expect(files.length).toBeGreaterThan(2);
    const leaks = files.filter(([, text]) =>
      /ERR_SESSION|kocha-session|node:crypto|redis:/.test(text),
    );
    expect(leaks.map(([file]) => file)).toEqual([]);
  });
});

describe("with the tests' own routes", () => {
  let project: Project;
  let redis: RedisServer;
  let started: Started;
  beforeAll(async () => {
    project = await prepare({
      example: "tanstack-start",
      name: "tanstack-start-overlay",
      node: "24",
      overlays: ["laws", "tanstack-start"],
      // What the conformance kit needs.
      besides: ["tough-cookie@6.1.0"],
      packages,
      what: "production build with the tests' own routes, the laws",
    });
    await project.run(["npm", "run", "build"]);
    redis = await startRedis();
    started = await serve(redis);
  });
  afterAll(async () => {
    await started?.close();
    await redis?.close();
  });
  const serve = (store: RedisServer): Promise<Started> => {
    const own = environment(store);
    return project.start({ ...start, env: (port) => ({ ...own, ...start.env(port) }) });
  };
  const client = (): Browsing => new Browsing(started.url);
  const entries = async (someone: Browsing): Promise<Record<string, string>> =>
    Object.fromEntries(JSON.parse((await someone.open("/dump")).body) as [string, string][]);
  const names = (cookies: readonly string[]): readonly string[] =>
    cookies.map((cookie) => cookie.split("=", 1)[0] ?? "").toSorted();
  /** Calls a server function, as the client does or as a form does. */
  const act = async (someone: Browsing, then: string, isCalled: boolean): Promise<Response> => {
    const { act: url } = JSON.parse((await someone.open("/urls")).body) as { act: string };
    const body = new FormData();
    body.set("then", then);
    const headers = isCalled ? { "x-tsr-serverFn": "true", accept: "application/json" } : {};
    return someone.request(url, { method: "POST", body, headers });
  };

  test("loaders that run side by side keep both writes", async () => {
    const someone = client();
    const page = await someone.open("/loaded/nothing");
    expect(page.body).toContain("<h1>nothing</h1>");
    expect(page.setCookie).toHaveLength(1);
    expect(await entries(someone)).toEqual({ inner: "nothing", outer: "nothing" });
  });

  test.each([
    ["a loader", "/loaded/cookie"],
    ["a server route", "/route/cookie"],
  ])("setCookie in %s stays beside the session's cookie", async (_, path) => {
    const someone = client();
    const page = await someone.open(path);
    // The server route answers with a cookie and a Vary of its own.
    const [own, vary] = path.startsWith("/route") ? [["own"], "Accept, Cookie"] : [[], "Cookie"];
    expect(names(page.setCookie)).toEqual([...own, "session", "theme"]);
    expect(page.headers.get("vary")).toBe(vary);
    expect(Object.values(await entries(someone))).toContain("cookie");
  });

  test("setCookie in a server function stays beside the session's cookie", async () => {
    const someone = client();
    const response = await act(someone, "cookie", true);
    expect(response.status).toBe(200);
    expect(names(response.headers.getSetCookie())).toEqual(["session", "theme"]);
    expect(await entries(someone)).toEqual({ act: "cookie" });
  });

  test("a server function's thrown redirect is saved, also as the client gets it", async () => {
    for (const isCalled of [true, false]) {
      const someone = client();
      const response = await act(someone, "redirect", isCalled);
      const body = await response.text();
      expect([
        response.status,
        response.headers.get("location"),
        body.includes('"isSerializedRedirect":true'),
      ]).toEqual(isCalled ? [200, null, true] : [303, "/dump", false]);
      expect(names(response.headers.getSetCookie())).toEqual(["session"]);
      expect(await entries(someone)).toEqual({ act: "redirect" });
    }
  });

  test.each(["second", "second-of-response"])(
    "another cookie of the session's name is an error, whose answer carries ours (%s)",
    async (then) => {
      const someone = client();
      const { status, headers } = await someone.request(`/route/${then}`);
      expect(status).toBe(500);
      const ours = names(headers.getSetCookie()).filter((name) => name === "session");
      expect(ours).toHaveLength(1);
      // As on every host, what was changed goes out with the error.
      expect(await entries(someone)).toEqual({ route: then });
    },
  );

  test("a permanent redirect with the session's cookie is stored nowhere", async () => {
    const { status, headers } = await client().request("/route/moved");
    expect([status, names(headers.getSetCookie())]).toEqual([301, ["session"]]);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test.each(["/loaded/redirect", "/route/redirect"])(
    "%s: a thrown redirect is saved",
    async (path) => {
      const someone = client();
      const page = await someone.open(path);
      expect([new URL(page.url).pathname, page.status]).toEqual(["/dump", 200]);
      expect(page.body).toContain("redirect");
    },
  );

  test("a thrown notFound is saved", async () => {
    const someone = client();
    const page = await someone.open("/loaded/not-found");
    expect([page.status, page.body.includes("Not here")]).toEqual([404, true]);
    expect((await entries(someone))["inner"]).toBe("not-found");
    await act(someone, "not-found", true);
    expect((await entries(someone))["act"]).toBe("not-found");
  });

  test("a thrown Response and a thrown error are saved", async () => {
    const someone = client();
    expect((await act(someone, "response", true)).status).toBe(418);
    expect((await entries(someone))["act"]).toBe("response");
    expect(await (await act(someone, "error", true)).text()).toContain("out of order");
    expect((await entries(someone))["act"]).toBe("error");
    expect((await someone.open("/route/response")).status).toBe(418);
    expect((await entries(someone))["route"]).toBe("response");
    expect((await someone.open("/route/error")).status).toBe(500);
    expect((await entries(someone))["route"]).toBe("error");
    expect((await someone.open("/loaded/error")).status).toBe(500);
    expect((await entries(someone))["inner"]).toBe("error");
  });

  test("one Response for many clients carries each one's own cookie", async () => {
    const [one, other] = [client(), client()];
    const pages = [await one.open("/route/constant"), await other.open("/route/constant")];
    expect(pages.map(({ status, setCookie }) => [status, setCookie.length])).toEqual([
      [204, 1],
      [204, 1],
    ]);
    expect(one.cookies()).not.toBe(other.cookies());
  });

  test("deferred data that writes gets our error, and reads on", async () => {
    const someone = client();
    const page = await someone.open("/streamed");
    expect(page.body).toContain("ERR_SESSION_USAGE_HEADERS_SENT beside yes");
    expect(await entries(someone)).toEqual({ early: "yes" });
  });

  test("a store that is down is a 503, and sets no cookie of ours", async () => {
    const other = await startRedis();
    const failing = await serve(other);
    try {
      const someone = new Browsing(failing.url);
      await someone.open("/route/nothing");
      const { act: url } = JSON.parse((await someone.open("/urls")).body) as { act: string };
      await other.close();
      for (const path of ["/loaded/nothing", "/route/nothing", url]) {
        const isCalled = path === url;
        const headers = { "x-tsr-serverFn": "true" };
        const init = isCalled ? { method: "POST", body: new FormData(), headers } : {};
        const response = await someone.request(path, init);
        expect([path, response.status]).toEqual([path, 503]);
        expect(names(response.headers.getSetCookie())).not.toContain("session");
      }
    } finally {
      await failing.close();
    }
  });

  testLaws(() => project);

  const path = { at: "/own/entry" };
  const called = { "x-tsr-serverFn": "true", accept: "application/json" };
  describeDevice(() => project, {
    logins: {
      "a form's server function that redirects": { path, form: { how: "leave" }, status: 303 },
      "a server function that Start's client calls": {
        path,
        form: { how: "stay" },
        headers: called,
        status: 200,
      },
      "a server function that Start's client calls and that redirects": {
        path,
        form: { how: "leave" },
        headers: called,
        status: 200,
      },
    },
  });
});
