// What `init` writes is a project that runs: each host, in TypeScript and in .mjs.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hosts } from "../../src/cli/templates.ts";
import { BuiltPackage } from "../support/built-package.ts";
import { visitTwice } from "../support/visit.ts";

const kocha = BuiltPackage.forTests();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-init-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(hosts)("init --host %s", (host) => {
  test.each([
    ["TypeScript", [], "development"],
    [".mjs", ["--js"], "production"],
  ])("writes %s that counts visits", async (kind, flags, environment) => {
    const folder = join(root, `${host}${kind === ".mjs" ? "-mjs" : ""}`);
    const { code, out, err } = await kocha.run([
      "init",
      "--host",
      host,
      "--dir",
      folder,
      "--name",
      "tea",
      ...flags,
    ]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).not.toMatch(/[A-Za-z0-9+/]{43}=/);
    await kocha.install(folder);
    const { bodies, setCookie, elsewhere } = await visitTwice(folder, {
      NODE_ENV: environment,
    });
    expect(bodies).toEqual(["visit 1\n", "visit 2\n"]);
    // A browser's request for an icon is no visit.
    expect(elsewhere).toBe(404);
    expect(setCookie).toMatch(/^tea_session=.*Max-Age=7776000;.*HttpOnly; SameSite=Lax$/);
    // In production also where a proxy that speaks TLS passes the request on by plain http.
    expect(/; Secure;/.test(setCookie)).toBe(environment === "production");
  });

  test("has the setting for such a proxy as a comment, where the host has one", async () => {
    const settings: Partial<Record<string, RegExp>> = {
      express: /^\/\/ app\.set\("trust proxy", 1\);/m,
      fastify: /Fastify\(\); \/\/ .* Fastify\(\{ trustProxy: 1 \}\)/,
      koa: /^\/\/ app\.proxy = true;/m,
    };
    const folder = join(root, `${host}-proxy`);
    await kocha.run(["init", "--host", host, "--dir", folder]);
    const server = await readFile(join(folder, "server.ts"), "utf8");
    expect(server).toMatch(settings[host] ?? /^(?![^]*(?:trust|\.proxy))/);
  });
});

describe("init", () => {
  test("never overwrites a file, and says which it left", async () => {
    const folder = join(root, "kept");
    await mkdir(folder);
    await Promise.all([
      writeFile(join(folder, "server.ts"), "mine"),
      writeFile(join(folder, ".env"), "MINE=1"),
      writeFile(join(folder, ".gitignore"), "dist"),
    ]);
    const first = await kocha.run(["init", "--host", "koa", "--dir", folder]);
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/left\s+server\.ts/);
    const again = await kocha.run(["init", "--host", "express", "--dir", folder]);
    expect(again.out).not.toContain("written");
    expect(again.out).toMatch(/kept\s+\.env/);
    expect(again.out).toContain("Next: npm install && npm start\n");
    const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
    expect(await read("server.ts")).toBe("mine");
    const env = /^MINE=1\n# AUTO.*\nSESSION_SECRET_KEY=.{44}\nSESSION_SIGNING_KEY=.{44}\n$/;
    expect(await read(".env")).toMatch(env);
    expect((await stat(join(folder, ".env"))).mode & 0o077).toBe(0);
    expect(await read(".gitignore")).toBe("dist\n.env\n");
    expect(await read("config/app.ts")).toContain('name: "kept_session"');
  });

  test("in a project of its own it says what the files that it left lack", async () => {
    const folder = join(root, "own");
    await mkdir(folder);
    await Promise.all([
      writeFile(join(folder, "package.json"), '{ "name": "own", "type": "commonjs" }'),
      writeFile(join(folder, ".env"), "MINE=1\n"),
    ]);
    const { code, out } = await kocha.run(["init", "--host", "express", "--dir", folder]);
    expect(code).toBe(1);
    const next = out.slice(out.indexOf("Next:"));
    expect(next).toMatch(/^Next:\n {2}npm pkg set type=module\n/);
    expect(out).toMatch(/written\s+\.env: SESSION_SECRET_KEY, SESSION_SIGNING_KEY\n/);
    expect(next).toMatch(/npm install --save-exact (?=.*kocha-session@\d)(?=.*express@\d).*tsx@\d/);
    expect(next).toMatch(/npm install --save-exact --save-dev @types\/express@\d/);
    expect(next).toContain("\n  node --env-file=.env --import tsx server.ts\n");
    expect(next).not.toContain("npm start");
  });

  test("adds to an existing .env only what it lacks", async () => {
    const folder = join(root, "half");
    await mkdir(folder);
    const mine =
      "export SESSION_SECRET_KEY=mine\n# SESSION_SIGNING_KEY=old\nREDIS_URL=redis://mine\n";
    await writeFile(join(folder, ".env"), mine);
    const flags = ["--host", "node", "--store", "redis", "--dir", folder];
    const { code, out } = await kocha.run(["init", ...flags]);
    expect(code).toBe(0);
    expect(out).toMatch(/written\s+\.env: SESSION_SIGNING_KEY\n/);
    const env = await readFile(join(folder, ".env"), "utf8");
    expect(env.startsWith(mine)).toBe(true);
    expect(env.slice(mine.length)).toMatch(/^# AUTO.*\nSESSION_SIGNING_KEY=.{44}\n$/);
  });

  test("makes fresh secrets for their owner's eyes, and keeps them out of git", async () => {
    const [one, other] = [join(root, "one"), join(root, "other")];
    await kocha.run(["init", "--host", "node", "--https", "--dir", one]);
    await kocha.run(["init", "--host", "node", "--https", "--dir", other]);
    const env = await readFile(join(one, ".env"), "utf8");
    expect(env).toMatch(
      /AUTO-GENERATED random secrets[^]*SESSION_SECRET_KEY=.{44}\nSESSION_SIGNING_KEY=.{44}\n$/,
    );
    expect(env).not.toBe(await readFile(join(other, ".env"), "utf8"));
    expect((await stat(join(one, ".env"))).mode & 0o077).toBe(0);
    expect(await readFile(join(one, ".gitignore"), "utf8")).toContain(".env");
    expect(await readFile(join(one, "config/app.ts"), "utf8")).toContain('"__Host-Http-one"');
  });

  test.each([
    [["--host", "rails"], /--host/],
    [[], /--host/],
    [["--host", "koa", "--name", "Ünïcode"], /--name/],
  ])("%j is called wrongly", async (flags, message) => {
    const { code, err } = await kocha.run(["init", "--dir", join(root, "none"), ...flags]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
