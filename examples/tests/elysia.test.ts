// Elysia on Bun, compiled as its documentation recommends: the example, and behind an overlay what Elysia
// does with an answer.
import { once } from "node:events";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../tests/support/servers/redis.ts";
import { describeApp, environment } from "./lib/app.ts";
import { Browsing, textOf } from "./lib/browsing.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type Started } from "./lib/project.ts";

const packages = ["elysia"];
const start = {
  command: () => ["./server"] as const,
  env: (port: number) => ({ PORT: String(port) }),
};

describe("the example", () => {
  let project: Project;
  beforeAll(async () => {
    project = await prepare({ example: "elysia", on: ["bun"], packages, what: "compiled program" });
    await project.follow();
  });
  describeApp(() => project, { env: start.env });

  test("answers as it is developed, too", async () => {
    const { url, close } = await project.start({ line: 0, env: start.env });
    try {
      const someone = new Browsing(url);
      await someone.submit(await someone.open("/"), "Sign in", { name: "ada" });
      expect(textOf(await someone.open("/"), "#user")).toBe("ada");
    } finally {
      await close();
    }
  });

  test("passes the compiler's check, for which Elysia needs skipLibCheck", async () => {
    await project.run(["npm", "run", "check"]);
    const strictly = project.run(["tsc", "--skipLibCheck", "false"]).then(
      ({ stdout }) => stdout,
      (error: unknown) => String(error),
    );
    expect(await strictly).toContain("node_modules/elysia/");
    expect(await strictly).not.toContain("kocha-session/");
  });

  test("two servers with the same keys take each other's sessions", async () => {
    const own = environment();
    const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
    const servers = [
      await project.start({ ...start, env }),
      await project.start({ ...start, env }),
    ];
    try {
      const [first, second] = servers.map(({ url }) => new Browsing(url));
      const page = await first?.open("/");
      if (first === undefined || second === undefined || page === undefined) throw new Error();
      await first.submit(page, "Sign in", { name: "ada" });
      const there = await second.request("/", { headers: { cookie: first.cookies() } });
      expect(await there.text()).toContain('<p id="user">ada</p>');
    } finally {
      await Promise.all(servers.map(({ close }) => close()));
    }
  });
});

describe("with the tests' own routes", () => {
  let project: Project;
  let redis: RedisServer;
  let started: Started;
  beforeAll(async () => {
    project = await prepare({
      example: "elysia",
      name: "elysia-overlay",
      on: ["bun"],
      overlays: ["laws", "elysia"],
      // What the conformance kit needs.
      besides: ["tough-cookie@6.1.0"],
      packages,
      what: "compiled program with the tests' own routes, the laws",
    });
    // Without secrets.
    await project.run(["npm", "run", "build"]);
    redis = await startRedis();
    const own = environment(redis);
    const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
    started = await project.start({ ...start, env });
  });
  afterAll(async () => {
    await started?.close();
    await redis?.close();
  });
  const client = (): Browsing => new Browsing(started.url);
  const signedIn = async (): Promise<Browsing> => {
    const someone = client();
    await someone.submit(await someone.open("/"), "Sign in", { name: "ada" });
    return someone;
  };
  const entries = async (someone: Browsing): Promise<ReadonlyMap<string, string>> =>
    new Map(JSON.parse((await someone.open("/dump")).body) as [string, string][]);

  test("the application's own cookie and the login's are both kept", async () => {
    const someone = client();
    const page = await someone.open("/own");
    expect(page.setCookie.map((cookie) => cookie.split("=", 1)[0] ?? "").toSorted()).toEqual([
      "session",
      "theme",
    ]);
    expect(someone.cookies()).toContain("theme=dark");
    expect((await entries(someone)).get("user")).toBe("ada");
  });

  test("a 404 has the session in onError, and keeps what it writes", async () => {
    const someone = await signedIn();
    const page = await someone.open("/missing");
    expect([page.status, page.body]).toEqual([404, "sorry: NOT_FOUND, ada"]);
    expect((await entries(someone)).get("error")).toBe("NOT_FOUND /missing");
  });

  test("an error keeps what its handler and onError wrote", async () => {
    const someone = await signedIn();
    const page = await someone.open("/broken");
    expect([page.status, page.body]).toEqual([500, "sorry: UNKNOWN, ada"]);
    const kept = await entries(someone);
    expect([kept.get("broken"), kept.get("error")]).toEqual(["1", "UNKNOWN /broken"]);
  });

  test("a stream keeps what was written before its first piece, and a later write is our error", async () => {
    const someone = client();
    const page = await someone.open("/stream");
    expect(page.body).toBe("one ERR_SESSION_USAGE_HEADERS_SENT 1");
    expect([...(await entries(someone)).keys()]).toEqual(["streamed"]);
  });

  test("events arrive one by one behind the session's cookie", async () => {
    const someone = client();
    const page = await someone.open("/events");
    expect(page.headers.get("content-type")).toContain("text/event-stream");
    expect(page.body.match(/data: \w+/g)).toEqual(["data: one", "data: two"]);
    expect([...(await entries(someone)).keys()]).toEqual(["events"]);
  });

  test("a static answer carries nobody's cookie", async () => {
    const someone = await signedIn();
    for (const path of ["/still", "/response"]) {
      for (const visitor of [someone, client()]) {
        const page = await visitor.open(path);
        expect([page.body, page.setCookie]).toEqual(["still", []]);
      }
    }
  });

  test("a group and a plugin that is used twice share the session", async () => {
    const someone = await signedIn();
    expect(JSON.parse((await someone.open("/account")).body)).toEqual({ user: "ada" });
    const page = await someone.open("/group/write");
    expect([page.status, page.body]).toEqual([200, "written"]);
    expect((await entries(someone)).get("group")).toBe("1");
    expect((await someone.open("/group/socketless")).body).toBe("ada");
  });

  test("a socket reads the session, and a write there is our error", async () => {
    const someone = await signedIn();
    const socket = new WebSocket(`${started.url.replace("http", "ws")}/socket`, {
      headers: { cookie: someone.cookies() },
    });
    await once(socket, "open");
    socket.send("x");
    const [said] = (await once(socket, "message")) as [Buffer];
    socket.close();
    expect(said.toString()).toBe("ada ERR_SESSION_USAGE_HEADERS_SENT");
    expect((await entries(someone)).has("late")).toBe(false);
  });

  test("a store that is down is a 503 of onError, and sets no cookie", async () => {
    const other = await startRedis();
    const own = environment(other);
    const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
    const failing = await project.start({ ...start, env });
    try {
      const someone = new Browsing(failing.url);
      await someone.open("/own");
      await other.close();
      for (const path of ["/dump", "/own"]) {
        const response = await someone.request(path);
        expect([path, response.status]).toEqual([path, 503]);
        expect(await response.text()).toContain("sorry: ERR_SESSION_STORE");
        expect(response.headers.getSetCookie()).toEqual([]);
      }
    } finally {
      await failing.close();
    }
  });

  describe("served in this process", () => {
    const command = ["bun", "laws/laws.js"];
    beforeAll(async () => {
      const flags = ["--target", "bun", "--external", "fast-check", "--outdir", "laws"];
      await project.run(["bun", "build", ...flags, "src/laws.ts"]);
    });
    testLaws(() => project, command);
    describeDevice(() => project, {
      command,
      logins: { "a form that is redirected": { path: "/form", form: {}, status: 303 } },
    });
  });
});
