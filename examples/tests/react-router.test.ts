// React Router 8, and 7 with its flag: the example, and behind an overlay what it does around a session.
import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../../tests/support/cli.ts";
import { type RedisServer, startRedis } from "../../tests/support/servers/redis.ts";
import { describeApp, environment } from "./lib/app.ts";
import { Browsing, textOf } from "./lib/browsing.ts";
import { describeDevice } from "./lib/device.ts";
import { testLaws } from "./lib/laws.ts";
import { prepare, type Project, type ProjectOptions, type Started } from "./lib/project.ts";

type Packages = Readonly<Record<string, string>>;

/** Other versions of packages that the example has. */
function replace(all: unknown, versions: Packages): Packages {
  const entries = Object.entries(all as Packages);
  return Object.fromEntries(entries.map(([name, version]) => [name, versions[name] ?? version]));
}

const version7 = {
  "react-router": "7.18.4",
  "@react-router/node": "7.18.4",
  "@react-router/serve": "7.18.4",
  "@react-router/dev": "7.18.4",
};

const versions: Readonly<Record<string, Pick<ProjectOptions, "node" | "overlays" | "manifest">>> = {
  "React Router 8": { node: "24" },
  "React Router 7": {
    node: "20",
    overlays: ["react-router-7"],
    manifest: (manifest) => ({
      ...manifest,
      dependencies: replace(manifest["dependencies"], version7),
      devDependencies: replace(manifest["devDependencies"], version7),
    }),
  },
};
const packages = ["react-router", "@react-router/dev", "react", "vite"];
const start = {
  command: () => ["react-router-serve", "build/server/index.js"] as const,
  env: (port: number) => ({ PORT: String(port), HOST: "localhost" }),
};

describe.each(Object.entries(versions))("%s", (version, options) => {
  const name = version.toLowerCase().replaceAll(" ", "-");
  const { overlays = [] } = options;

  describe("the example", () => {
    let project: Project;
    beforeAll(async () => {
      project = await prepare({ example: "react-router", name, packages, ...options });
      await project.follow();
    });
    describeApp(() => project, { env: start.env });

    test("has the flag that its README names for version 7", () => {
      const config = readFileSync(join(project.folder, "react-router.config.ts"), "utf8");
      const flag = "future: { v8_middleware: true }";
      const page = readFileSync(join(project.folder, "README.md"), "utf8");
      expect(page).toContain(`On React Router 7 \`react-router.config.ts\` also has \`${flag}\``);
      expect(config.includes(flag)).toBe(version === "React Router 7");
    });

    test("passes the framework's own type check", async () => {
      await project.run(["npm", "run", "check"]);
    }, 300_000);

    test("no file of the client's has the server's code", () => {
      const files = [...project.files("build", "client")];
      expect(files.length).toBeGreaterThan(5);
      const leaks = files.filter(([, text]) => /ERR_SESSION|kocha-session\//.test(text));
      expect(leaks.map(([file]) => file)).toEqual([]);
    });
  });

  describe("with the overlay", () => {
    let project: Project;
    let redis: RedisServer;
    let started: Started;
    beforeAll(async () => {
      project = await prepare({
        example: "react-router",
        name,
        packages,
        ...options,
        overlays: [...overlays, "laws", "react-router"],
        what: "production build with the tests' own routes",
      });
      // What the kit's client needs, which no user of the example does.
      for (const one of ["tough-cookie", "tldts", "tldts-core"]) {
        const to = join(project.folder, "node_modules", one);
        await cp(join(repository, "node_modules", one), to, { recursive: true });
      }
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
    const entries = async (someone: Browsing): Promise<unknown> =>
      JSON.parse(textOf(await someone.open("/written"), "#entries") ?? "");

    test("loaders run side by side, and all their writes are kept", async () => {
      for (const path of ["/outer/inner", "/outer/inner.data"]) {
        const someone = client();
        const page = await someone.open(path);
        expect(page.status).toBe(200);
        expect(page.setCookie).toHaveLength(1);
        expect(await entries(someone)).toEqual([
          ["inner", "1"],
          ["outer", "1"],
        ]);
      }
    });

    test("a data request reads and writes the session", async () => {
      const someone = client();
      const written = await someone.open("/written.data?set=x");
      expect(written.headers.get("content-type")).toContain("text/x-script");
      expect(written.setCookie).toHaveLength(1);
      const read = await someone.open("/written.data");
      expect(read.body).toContain('[[\\"written\\",\\"x\\"]]');
      expect(read.setCookie).toEqual([]);
      expect(read.headers.get("vary")).toContain("Cookie");
    });

    test.each(["/thrown", "/thrown.data"])("%s: a thrown Response is saved", async (path) => {
      const someone = client();
      const page = await someone.open(path);
      expect(page.status).toBe(418);
      expect(await entries(someone)).toEqual([["thrown", "by the loader"]]);
    });

    test.each(["/thrown", "/thrown.data"])("%s: a thrown redirect is saved", async (path) => {
      const someone = client();
      const init = { method: "POST", body: new URLSearchParams() };
      const response = await someone.request(path, init);
      expect(response.status).toBe(path === "/thrown" ? 302 : 202);
      expect(await entries(someone)).toEqual([["thrown", "by the action"]]);
    });

    test.each(["/streamed", "/streamed.data"])(
      "%s: what streams later gets our error, and reads on",
      async (path) => {
        const someone = client();
        const page = await someone.open(path);
        const text = "ERR_SESSION_USAGE_HEADERS_SENT beside yes";
        expect(page.status).toBe(200);
        expect(page.body).toContain(text);
        expect(await entries(someone)).toEqual([["early", "yes"]]);
      },
    );

    test("for a bot the page waits for what streams, and its write is kept", async () => {
      const headers = { "user-agent": "Googlebot/2.1" };
      const response = await fetch(`${started.url}/streamed`, { headers });
      expect(await response.text()).toContain("written beside yes");
    });

    test("a save that fails is a 503 on the ErrorBoundary's page, and no cookie is set", async () => {
      const other = await startRedis();
      const own = environment(other);
      const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
      const failing = await project.start({ ...start, env });
      try {
        const someone = new Browsing(failing.url);
        expect((await someone.open("/written?set=before")).status).toBe(200);
        await other.close();
        for (const path of ["/written.data?set=x", "/thrown", "/late"]) {
          const page = await someone.open(path);
          expect([path, page.status, page.setCookie]).toEqual([path, 503, []]);
        }
        const page = await someone.open("/written?set=x");
        expect([page.status, page.setCookie]).toEqual([503, []]);
        expect(textOf(page, "h1")).toBe("Something went wrong.");
      } finally {
        await failing.close();
      }
    });

    testLaws(() => project);

    describeDevice(() => project, {
      logins: {
        "a form's action": { path: "/own/enter", form: { how: "answered" }, status: 200 },
        "a form's action that returns a redirect": {
          path: "/own/enter",
          form: { how: "returned" },
          status: 303,
        },
        "a form's action that throws a redirect": {
          path: "/own/enter",
          form: { how: "thrown" },
          status: 303,
        },
        "an action that React Router's client calls": {
          path: "/own/enter.data",
          form: { how: "thrown" },
          status: 202,
        },
      },
    });
  });
});
