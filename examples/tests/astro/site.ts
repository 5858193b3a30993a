// An Astro site in one version of Astro: the example, and behind an overlay what Astro does around a session.
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../../../tests/support/cli.ts";
import { launchBrowser } from "../../../tests/support/browser.ts";
import { type RedisServer, startRedis } from "../../../tests/support/servers/redis.ts";
import { until } from "../../../tests/support/until.ts";
import { describeApp, environment } from "../lib/app.ts";
import { Browsing, textOf } from "../lib/browsing.ts";
import { describeDevice } from "../lib/device.ts";
import { testLaws } from "../lib/laws.ts";
import { prepare, type Project, type ProjectOptions, type Started } from "../lib/project.ts";
import { testOwnTypes } from "../lib/types.ts";

const packages = ["astro", "@astrojs/node"];
const start = {
  command: () => ["node", "dist/server/entry.mjs"] as const,
  env: (port: number) => ({ PORT: String(port), HOST: "localhost" }),
};

/** A version of Astro. */
export interface SiteOptions extends Pick<ProjectOptions, "node" | "overlays" | "manifest"> {
  readonly name: string;
}

/** The example's package.json with another version of Astro and of its adapter. */
export function withAstro(astro: string, adapter: string): NonNullable<ProjectOptions["manifest"]> {
  return (manifest) => ({
    ...manifest,
    dependencies: { ...(manifest["dependencies"] as object), astro, "@astrojs/node": adapter },
  });
}

/** Declares the tests for one version of Astro. */
export function describeSite(options: SiteOptions): void {
  describe("the example", () => {
    let project: Project;
    beforeAll(async () => {
      project = await prepare({ example: "astro", packages, ...options });
      await project.follow();
    });
    describeApp(() => project, { env: start.env });

    test("passes the framework's own type check", async () => {
      await project.run(["npm", "run", "check"]);
    }, 300_000);

    testOwnTypes(() => project);
  });

  describe("with the overlay", () => {
    let project: Project;
    let redis: RedisServer;
    let started: Started;
    let built: string;
    beforeAll(async () => {
      project = await prepare({
        example: "astro",
        packages,
        ...options,
        overlays: [...(options.overlays ?? []), "laws", "astro"],
        what: "production build with the tests' own pages",
      });
      // What the kit's client needs, which no user of the example does.
      for (const one of ["tough-cookie", "tldts", "tldts-core"]) {
        const to = join(project.folder, "node_modules", one);
        await cp(join(repository, "node_modules", one), to, { recursive: true });
      }
      const { stdout, stderr } = await project.run(["npm", "run", "build"]);
      built = stdout + stderr;
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
    const dump = async (someone: Browsing, query = ""): Promise<unknown> =>
      JSON.parse((await someone.open(`/dump${query}`)).body);
    const logged = (text: string): Promise<void> =>
      until(`the log has ${text}`, () => started.server.output.includes(text));
    const post = (body: unknown): RequestInit => ({
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });

    test("a prerendered page is built without a warning, and has an empty session", async () => {
      expect(built).not.toMatch(/warn/i);
      const someone = client();
      await dump(someone, "?set=mine");
      const page = await someone.open("/prerendered");
      expect(textOf(page, "#built")).toBe("0||ERR_SESSION_USAGE_READ_ONLY");
      expect(page.setCookie).toEqual([]);
    });

    test("what renders behind the head after an await reads a flash message, once", async () => {
      const someone = client();
      await dump(someone, "?set=mine&flash=saved");
      const page = await someone.open("/slow");
      expect(textOf(page, "#slow")).toBe("mine|saved|written");
      expect(page.body).toContain("</html>");
      const again = await someone.open("/slow");
      expect(textOf(again, "#slow")).toBe("mine||written");
      expect(again.headers.get("vary")).toContain("Cookie");
    });

    test("where no message waits the page streams", async () => {
      const someone = client();
      await dump(someone, "?set=mine");
      const response = await someone.request("/slow");
      const chunks: string[] = [];
      for await (const chunk of response.body ?? [])
        chunks.push(new TextDecoder().decode(chunk as Uint8Array));
      expect(chunks.length).toBeGreaterThan(1);
      expect(chunks[0]).toContain('id="head"');
      expect(chunks[0]).not.toContain('id="slow"');
    });

    test.each(["", "&flash=saved"])(
      "what renders behind the head gets our error when it writes%s",
      async (flash) => {
        const someone = client();
        await dump(someone, `?set=mine${flash}`);
        const page = await someone.open("/slow?write");
        expect(textOf(page, "#slow")).toContain("|ERR_SESSION_USAGE_HEADERS_SENT");
        expect(await dump(someone)).toEqual({ set: "mine" });
        await someone.open("/uncaught").catch(() => undefined);
        await logged("ERR_SESSION_USAGE_HEADERS_SENT");
      },
    );

    test("an action keeps its own cookies beside the session's", async () => {
      const someone = client();
      const response = await someone.request("/_actions/both", post({ value: "1" }));
      expect(response.status).toBe(200);
      const names = response.headers.getSetCookie().map((line) => line.split("=", 1)[0]);
      expect(new Set(names)).toEqual(new Set(["own", "session"]));
      expect(await dump(someone)).toEqual({ both: "1" });
    });

    test("actions that are called at once are all kept", async () => {
      const someone = client();
      await dump(someone, "?set=mine");
      const items = ["tea", "jam", "nuts", "rice"];
      const add = (item: string): Promise<Response> => {
        const body = new FormData();
        body.set("item", item);
        return someone.request("/_actions/add", { method: "POST", body });
      };
      await Promise.all(items.map(add));
      const page = await someone.open("/");
      for (const item of items) expect(textOf(page, "#cart")).toContain(`${item}: 1`);
    });

    test("a rewritten page shares the session", async () => {
      const someone = client();
      const page = await someone.open("/rewritten");
      expect(JSON.parse(page.body)).toEqual({ rewritten: "1", set: "there" });
      expect(page.setCookie).toHaveLength(1);
      expect(await dump(someone)).toEqual({ rewritten: "1", set: "there" });
    });

    test("Astro.redirect carries the session, and Astro's cookies", async () => {
      const someone = client();
      const response = await someone.request("/redirected");
      expect(response.status).toBe(302);
      expect(response.headers.getSetCookie()).toHaveLength(2);
      expect(await dump(someone)).toEqual({ redirected: "1" });
    });

    test("a server island reads the session, also on a prerendered page, in Chromium", async () => {
      const browser = await launchBrowser();
      try {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(`${started.url}/dump?set=mine`);
        for (const path of ["/island", "/prerendered"]) {
          await page.goto(started.url + path);
          await page.locator("#island", { hasText: "mine|" }).waitFor();
        }
      } finally {
        await browser.close();
      }
    });

    test("Astro's own session is another one", async () => {
      const someone = client();
      for (const counts of ["1|1", "2|2"])
        expect(textOf(await someone.open("/both"), "#counts")).toBe(counts);
      expect(someone.cookies()).toMatch(/astro-session=.*session=|session=.*astro-session=/);
      expect(await dump(someone)).toEqual({ count: "2" });
    });

    test("what a page changed before it threw is saved, and the page for errors reads it", async () => {
      const someone = client();
      const page = await someone.open("/broken");
      expect([page.status, textOf(page, "h1"), textOf(page, "#saved")]).toEqual([
        500,
        "Sorry",
        "1",
      ]);
      expect(page.setCookie).toHaveLength(1);
      expect(await dump(someone)).toEqual({ broken: "1" });
      await logged("out of order");
    });

    test("a page that answers 404 is saved, and the page for it reads a message", async () => {
      const someone = client();
      await dump(someone, "?set=mine&flash=saved");
      const page = await someone.open("/gone");
      expect([page.status, textOf(page, "[role=status]")]).toEqual([404, "saved"]);
      expect(await dump(someone)).toEqual({ set: "mine", gone: "1" });
      const unknown = await someone.open("/nowhere");
      expect([unknown.status, textOf(unknown, "h1")]).toEqual([404, "Not here"]);
    });

    test("a store that is down is a 503 without a cookie", async () => {
      const other = await startRedis();
      const own = environment(other);
      const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
      const failing = await project.start({ ...start, env });
      try {
        const someone = new Browsing(failing.url);
        await dump(someone, "?set=before");
        await other.close();
        for (const path of ["/dump?set=x", "/", "/slow", "/redirected"]) {
          const page = await someone.open(path);
          expect([path, page.status, page.setCookie]).toEqual([path, 503, []]);
        }
        expect((await someone.open("/prerendered")).status).toBe(200);
      } finally {
        await failing.close();
      }
    });

    test("no file of the client's has the server's code", () => {
      const files = [...project.files("dist", "client")];
      const leaks = files.filter(([, text]) => /ERR_SESSION_CONFIG|kocha-session\/v1/.test(text));
      expect(leaks.map(([file]) => file)).toEqual([]);
    });

    testLaws(() => project);

    describeDevice(() => project, {
      logins: {
        "a form that a page answers": { path: "/own/enter?how=stay", form: {}, status: 200 },
        "a form that a page redirects": { path: "/own/enter?how=redirect", form: {}, status: 303 },
        "a form's action": { path: "/own/enter?_action=enter", form: {}, status: 200 },
        "an action that a script calls": { path: "/own/_actions/enter", form: {}, status: 204 },
      },
    });
  });
}
