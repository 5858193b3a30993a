// What `init` adds to a framework's project: a configuration that opens sessions, in the framework's own
// place; and what it says of a project that isn't there. The projects themselves are examples' tests.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Framework,
  frameworks,
  frameworkTemplates,
} from "../../src/cli/framework-templates.ts";
import { BuiltPackage, type CliResult } from "../support/built-package.ts";
import { freshKey } from "../support/keys.ts";

const kocha = BuiltPackage.forTests();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-init-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The files of each framework. */
const places: Readonly<Record<Framework, readonly string[]>> = {
  next: ["session.ts"],
  nuxt: ["server/session.ts", "server/middleware/session.ts"],
  sveltekit: ["src/lib/server/session.ts", "src/hooks.server.ts"],
  astro: ["src/session.ts", "src/middleware.ts"],
  "react-router": ["app/session.server.ts"],
  "tanstack-start": ["src/session.ts", "src/start.ts"],
  elysia: ["src/session.ts"],
  nestjs: ["src/session.ts"],
};

/** The framework's parts that a settings file calls, as far as they matter to it. */
const standIns: Readonly<Record<string, string>> = {
  "kocha-session/next": "export const sessions = (session) => ({ readSession: session })",
  "@tanstack/react-start": "export const createServerOnlyFn = (session) => session",
};

describe.each(frameworks)("init --host %s", (host) => {
  const { package: needed, create, settings, byHand } = frameworkTemplates[host];

  test.each(["cookie", "redis"])("writes its files, with sessions in %s", async (store) => {
    const folder = join(root, `${host}-${store}`);
    const flags = ["--host", host, "--store", store, "--name", "tea"];
    const { code, out, err } = await add(folder, needed, flags);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const path of places[host]) {
      expect(out).toMatch(new RegExp(`written\\S* ${path}`));
      // Sound syntax.
      await transform(await readFile(join(folder, path), "utf8"), { loader: "ts" });
    }
    expect(await readFile(join(folder, ".env"), "utf8")).toMatch(/SESSION_SIGNING_KEY=.{44}\n/);
    expect(await readFile(join(folder, ".gitignore"), "utf8")).toContain(".env");
    const next = out.slice(out.indexOf("Next:"));
    expect(next).toMatch(
      store === "redis"
        ? /npm install --save-exact kocha-session@\S+ redis@\S+\n/
        : /npm install --save-exact kocha-session@\S+\n/,
    );
    for (const line of byHand) expect(next).toContain(line);
  });

  test("its configuration opens sessions", async () => {
    const folder = join(root, `${host}-opened`);
    await add(folder, needed, ["--host", host, "--name", "tea"]);
    expect(await openOne(folder, settings)).toBe("tea_session=");
  });

  test("leaves what is there, shows what it lacks, and adds the rest", async () => {
    const folder = join(root, `${host}-kept`);
    const kept = places[host].at(-1) ?? "";
    await mkdir(join(folder, dirname(kept)), { recursive: true });
    const manifest = { devDependencies: { [needed]: "1.0.0", "kocha-session": "0.1.0" } };
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await writeFile(join(folder, kept), "mine");
    await writeFile(join(folder, ".env"), "MINE=1\n");
    const { code, out } = await kocha.run(["init", "--host", host, "--dir", folder]);
    expect(code).toBe(1);
    expect(await readFile(join(folder, kept), "utf8")).toBe("mine");
    expect(out).toContain(`merge into ${kept}:`);
    const environment = await readFile(join(folder, ".env"), "utf8");
    expect(environment).toMatch(/^MINE=1\n[^]*^SESSION_SECRET_KEY=\S+\nSESSION_SIGNING_KEY=\S+$/m);
    expect(out).not.toContain("npm install");
  });

  test("says which generator makes a project, and writes nothing into a folder without one", async () => {
    const folder = join(root, `${host}-none`);
    await mkdir(folder);
    const { code, out } = await kocha.run(["init", "--host", host, "--dir", folder]);
    expect(code).toBe(1);
    expect(out).toContain(create);
    await expect(readFile(join(folder, ".env"))).rejects.toThrow("ENOENT");
  });
});

test.each([
  [["--host", "next", "--store", "sqlite"], /--store must be one of cookie, redis/],
  [["--host", "next", "--js"], /--js/],
  [["--host", "rails"], /nestjs/],
])("%j is called wrongly", async (flags, message) => {
  const { code, err } = await kocha.run(["init", "--dir", join(root, "none"), ...flags]);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

/** Runs `init` in a new project that has a package. */
async function add(folder: string, needed: string, flags: readonly string[]): Promise<CliResult> {
  await mkdir(folder);
  const manifest = { name: "tea", type: "module", dependencies: { [needed]: "1.0.0" } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  return kocha.run(["init", "--dir", folder, ...flags]);
}

/** The beginning of the cookie that a settings file's configuration makes. */
async function openOne(folder: string, settings: string): Promise<string> {
  await kocha.install(folder);
  let text = await readFile(join(folder, settings), "utf8");
  for (const [name, code] of Object.entries(standIns)) {
    text = text.replace(`"${name}"`, `"data:text/javascript,${encodeURIComponent(code)}"`);
  }
  const { code } = await transform(text, { loader: "ts" });
  await writeFile(join(folder, "settings.mjs"), code);
  await writeFile(
    join(folder, "open.mjs"),
    `import { SessionMiddleware } from "kocha-session";
import * as settings from "./settings.mjs";
const engine = SessionMiddleware.from(settings.session ?? settings.readSession);
const session = await engine.open(undefined);
session.set("name", "ada");
console.log((await engine.commit(session)).setCookie[0].slice(0, 12));
`,
  );
  const env = { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() };
  const ran = await promisify(execFile)(process.execPath, ["open.mjs"], { cwd: folder, env });
  return ran.stdout.trim();
}
