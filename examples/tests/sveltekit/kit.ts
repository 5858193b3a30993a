// The shop on one version of SvelteKit: the example, and behind an overlay what the framework does around a
// session.
import { parse } from "node-html-parser";
import { beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../tests/support/servers/process.ts";
import { describeApp, environment } from "../lib/app.ts";
import { Browsing } from "../lib/browsing.ts";
import { describeDevice } from "../lib/device.ts";
import { testLaws } from "../lib/laws.ts";
import { prepare, type Project, type ProjectOptions } from "../lib/project.ts";
import { testOwnTypes } from "../lib/types.ts";
import { describeTranscripts, start } from "./transcripts.ts";

const packages = ["@sveltejs/kit", "@sveltejs/adapter-node", "svelte", "vite"];

/** A version of SvelteKit. */
export interface KitOptions extends Pick<ProjectOptions, "node" | "manifest"> {
  readonly name: string;
  /** Folders whose files are laid over the example's. */
  readonly overlays?: readonly string[];
}

/** Declares the tests for one version of SvelteKit. */
export function describeKit({ name, ...options }: KitOptions): void {
  const overlays = [...(options.overlays ?? []), "sveltekit-proxied"];

  describe("the example", () => {
    let project: Project;
    beforeAll(async () => {
      project = await prepare({ example: "sveltekit", name, packages, ...options, overlays });
      await project.follow();
    });
    describeApp(() => project, { ...start, command: () => ["node", "proxied.js"] });

    test("by plain http a form is refused", async () => {
      const started = await project.start({ env: start.env });
      try {
        const someone = new Browsing(started.url);
        const page = await someone.submit(await someone.open("/"), "Sign in", { name: "ada" });
        expect(page.status).toBe(403);
      } finally {
        await started.close();
      }
    });

    test("passes the framework's own type check", { timeout: 300_000 }, async () => {
      await project.run(["npm", "run", "check"]);
    });

    testOwnTypes(() => project);
  });

  describe("with the overlay", () => {
    let project: Project;
    beforeAll(async () => {
      project = await prepare({
        example: "sveltekit",
        name: `${name}-overlay`,
        packages,
        ...options,
        overlays: [...overlays, "laws", "sveltekit"],
        besides: ["tough-cookie@6.1.0"],
      });
      // Without secrets.
      await project.run(["npm", "run", "build"]);
    });

    test("no file of the client's has the server's code", () => {
      const files = [...project.files("build", "client")];
      expect(files.length).toBeGreaterThan(5);
      const leaks = files.filter(([, text]) => /ERR_SESSION|kocha-session/.test(text));
      expect(leaks.map(([file]) => file)).toEqual([]);
    });

    test("a prerendered page has an empty session, and a write is an error", () => {
      const pages = project.files("build", "prerendered");
      const [, page = ""] = [...pages].find(([file]) => file.endsWith("prerendered.html")) ?? [];
      const built = { code: "ERR_SESSION_USAGE_READ_ONLY", size: 0, flash: "", user: "" };
      const text = parse(page).querySelector("#built")?.text ?? "";
      expect(JSON.parse(text.replaceAll("&quot;", '"'))).toEqual(built);
    });

    describe.each(["redis", "cookies"])("with sessions in %s", (kind) => {
      describeTranscripts(() => project, kind === "redis");
    });

    test("a store that is down is a 503, for pages, data and actions", async () => {
      const nowhere = await freePort();
      const started = await project.start({
        ...start,
        env: (port) => ({
          ...environment(),
          ...start.env(port),
          REDIS_URL: `redis://127.0.0.1:${nowhere}`,
        }),
      });
      try {
        const someone = new Browsing(started.url);
        // Nothing is asked of it for a client without a session.
        expect((await someone.request("/held")).status).toBe(200);
        for (const path of ["/write", "/broken?how=x", "/broken/__data.json?how=x"]) {
          const { status, headers } = await someone.request(path);
          expect([path, status, headers.get("cache-control")]).toEqual([path, 503, "no-store"]);
          expect(headers.getSetCookie()).toEqual([]);
        }
        const data = await someone.request("/broken/__data.json?how=x");
        expect(await data.json()).toEqual({ status: 503, message: "Service Unavailable" });
        const action = await someone.request("/broken?/fail", {
          method: "POST",
          body: new URLSearchParams(),
          headers: { accept: "application/json", "x-sveltekit-action": "true" },
        });
        expect(action.status).toBe(503);
      } finally {
        await started.close();
      }
    });

    testLaws(() => project);

    const enhanced = { accept: "application/json", "x-sveltekit-action": "true" };
    describeDevice(() => project, {
      logins: {
        "a form's action": { path: "/form?/stay", form: {}, status: 200 },
        "a form's action that redirects": { path: "/form?/leave", form: {}, status: 303 },
        "a form's action that fails": { path: "/form?/fail", form: {}, status: 422 },
        "an enhanced form's action": {
          path: "/form?/leave",
          form: {},
          headers: enhanced,
          status: 200,
        },
        "a redirect that a later handle throws": {
          path: "/login-by-guard",
          status: 303,
          offers: false,
        },
      },
    });
  });
}
