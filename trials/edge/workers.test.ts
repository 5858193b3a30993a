// A Worker on each host that runs there, as its user bundles it, by wrangler and by esbuild, with nodejs_compat and
// without; the workers that the documents show; and every entry point that names no framework.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqliteSessionsSql } from "../../src/stores/sqlite.ts";
import { readBlocks } from "../../tests/docs/documents.ts";
import { BuiltPackage } from "../../tests/support/built-package.ts";
import { repository } from "../../tests/support/cli.ts";
import { ourObjects } from "./objects.ts";
import { COMPATIBILITY_DATE, start } from "./workerd.ts";
import { bundleByWrangler } from "./wrangler.ts";

const key = (): string => randomBytes(32).toString("base64");
const bindings = { SIGNING_KEY: key(), SECRET_KEY: key(), SESSION_SIGNING_KEY: key() };
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const kocha = BuiltPackage.forTests();
const folder = mkdtempSync(join(tmpdir(), "kocha-session-workers-"));
const running: Miniflare[] = [];
beforeAll(() => kocha.install(folder));
afterAll(async () => {
  await Promise.all(running.map((one) => one.dispose()));
  rmSync(folder, { recursive: true, force: true });
});

/** As a user's own esbuild does it for Workers. */
async function bundleByEsbuild(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  });
  return outputFiles[0]?.text ?? "";
}

async function run(script: string, flags: readonly string[]): Promise<Miniflare> {
  const miniflare = await start([
    {
      name: "worker",
      // Named: of a script without a list of modules miniflare takes no `import()` of a variable.
      modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: [...flags],
      bindings,
      d1Databases: { DB: "sessions" },
      durableObjects: Object.fromEntries(
        Object.entries(ourObjects).filter(([, { className }]) => script.includes(className)),
      ),
    },
  ]);
  running.push(miniflare);
  return miniflare;
}

/** Writes the first block of code under a heading into `src`. */
function writeShown(file: string, document: string, under: string): void {
  const shown = readBlocks(document).find(
    ({ heading, language }) => heading === under && language === "ts",
  );
  mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(join(folder, "src", file), shown?.code ?? "");
}

/** A client of one worker, with its cookie. */
class Browser {
  readonly #miniflare: Miniflare;
  cookie = "";

  constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare;
  }

  async visit(path: string): Promise<string> {
    const headers = this.cookie === "" ? {} : { cookie: this.cookie };
    const response = await this.#miniflare.dispatchFetch(`http://localhost${path}`, { headers });
    const sent = response.headers.getSetCookie()[0]?.split(";", 1)[0];
    if (sent !== undefined) this.cookie = sent.endsWith("=") ? "" : sent;
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}

/** Entry points that import `node:*`, or a framework that isn't installed here or needs its own bundler. */
const foreign = new Set(
  "node express fastify koa mysql compat/express-session testing next react-router sveltekit tanstack-start"
    .split(" ")
    .map((name) => `./${name}`),
);
const { exports: subpaths } = JSON.parse(
  readFileSync(join(repository, "package.json"), "utf8"),
) as { readonly exports: object };
const portable = Object.keys(subpaths).filter(
  (name) => !foreign.has(name) && name !== "./package.json",
);

/** The hosts with sessions in objects; /cookie has them in cookies. */
const objectHosts = ["/fetch", "/hono", "/h3", "/imported"];

describe.each([
  ["wrangler", (entry: string) => bundleByWrangler(folder, entry)],
  ["esbuild", bundleByEsbuild],
])("bundled by %s", (_, bundle) => {
  describe.each([
    ["without flags", []],
    ["with nodejs_compat", ["nodejs_compat"]],
  ])("%s", (_flags, flags) => {
    let miniflare: Miniflare;
    beforeAll(async () => {
      await copyFile(here("workers/app.mjs"), join(folder, "app.mjs"));
      miniflare = await run(await bundle("app.mjs"), flags);
    });

    test.each([...objectHosts, "/cookie"])(
      "%s: login, read, write, flash, logout",
      async (host) => {
        const browser = new Browser(miniflare);
        expect(await browser.visit(host)).toBe("");
        expect(browser.cookie).toBe("");
        await browser.visit(`${host}?login=alice`);
        expect(await browser.visit(host)).toBe("alice welcome");
        expect(await browser.visit(host)).toBe("alice");
        await browser.visit(`${host}?set=color`);
        expect(await browser.visit(`${host}?keys`)).toBe("2");
        const { cookie } = browser;
        await browser.visit(`${host}?logout`);
        expect(browser.cookie).toBe("");
        browser.cookie = cookie;
        expect(await browser.visit(host)).toBe("");
      },
    );

    test.each(objectHosts)("%s: a race loses nothing", async (host) => {
      const browser = new Browser(miniflare);
      await browser.visit(`${host}?set=first`);
      const ten = Array.from({ length: 10 }, (_none, index) => index);
      await Promise.all(ten.map((index) => browser.visit(`${host}?set=k${index}`)));
      expect(await browser.visit(`${host}?keys`)).toBe("11");
      const counts = await Promise.all(ten.map(() => browser.visit(`${host}?increment=count`)));
      expect(new Set(counts).size).toBe(10);
    });
  });

  test("the worker of the documents counts visits", async () => {
    writeShown("worker.ts", "docs/hosts.md", "Cloudflare Workers");
    const browser = new Browser(await run(await bundle("src/worker.ts"), []));
    expect(await browser.visit("/")).toBe("visit 1\n");
    expect(await browser.visit("/")).toBe("visit 2\n");
  });

  test.each([
    ["docs/stores/durable-object.md", "Durable Objects", "SessionObject, SubjectObject"],
    ["docs/stores/sqlite.md", "Cloudflare D1", ""],
  ])("the configuration of %s under %s has sessions", async (document, heading, classes) => {
    writeShown("session.ts", document, heading);
    const worker = `
      import { withSession } from "kocha-session/fetch";
      import { session } from "./session.ts";
      export { ${classes} } from "kocha-session/durable-object";
      const count = async (request, current) => new Response(await current.increment("visits"));
      export default { fetch: withSession(session, count) };`;
    writeFileSync(join(folder, "src", "counting.ts"), worker);
    const miniflare = await run(await bundle("src/counting.ts"), []);
    const database = await miniflare.getD1Database("DB");
    for (const text of sqliteSessionsSql()) await database.prepare(text).run();
    const browser = new Browser(miniflare);
    expect(await browser.visit("/")).toBe("1");
    expect(await browser.visit("/")).toBe("2");
  });

  test("every entry point has there what it has on Node.js", async () => {
    const names = portable.map((name) => `kocha-session${name.slice(1)}`);
    const imports = names.map((name, index) => `import * as _${index} from "${name}";`).join("\n");
    const listed = names
      .map((name, index) => `"${name}": Object.keys(_${index}).sort()`)
      .join(", ");
    const answer = `() => Response.json({ ${listed} })`;
    writeFileSync(
      join(folder, "all.mjs"),
      `${imports}\nexport * from "kocha-session/durable-object";\nexport default { fetch: ${answer} };`,
    );
    const there = JSON.parse(
      await new Browser(await run(await bundle("all.mjs"), [])).visit("/"),
    ) as Record<string, string[]>;
    const { href } = pathToFileURL(join(folder, "all.mjs"));
    const { default: onNode } = (await import(/* @vite-ignore */ href)) as {
      default: { fetch: () => Response };
    };
    const wanted = (await onNode.fetch().json()) as Record<string, string[]>;
    expect(Object.keys(there)).toHaveLength(portable.length);
    expect(there).toEqual(wanted);
  });
});
