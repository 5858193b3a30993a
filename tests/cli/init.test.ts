// What `init` writes is a project that runs: each host, in TypeScript and in .mjs.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hosts } from "../../src/cli/templates.ts";
import { runCli, sourceFlags } from "../support/cli.ts";
import { linkPackages } from "../support/project.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-init-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Starts the project as its own `npm start` does; gives what two visits of one client got. */
async function visitTwice(folder: string): Promise<{ bodies: string[]; setCookie: string }> {
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  const [, ...args] = manifest.scripts.start.split(" ");
  const port = await freePort();
  const server = spawn(process.execPath, [...sourceFlags, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], PORT: String(port) },
  });
  let output = "";
  const started = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes("http://localhost:")) resolve();
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.once("exit", () => reject(new Error(output)));
  });
  try {
    await started;
    const url = `http://localhost:${port}/`;
    const first = await fetch(url);
    const setCookie = first.headers.getSetCookie()[0] ?? "";
    const second = await fetch(url, { headers: { cookie: setCookie.split(";", 1)[0] ?? "" } });
    return { bodies: [await first.text(), await second.text()], setCookie };
  } finally {
    server.kill("SIGKILL");
  }
}

describe.each(hosts)("init --host %s", (host) => {
  test.each([
    ["TypeScript", []],
    [".mjs", ["--js"]],
  ])("writes %s that counts visits", async (kind, flags) => {
    const folder = join(root, `${host}${kind === ".mjs" ? "-mjs" : ""}`);
    const { code, out, err } = await runCli([
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
    await linkPackages(folder);
    const { bodies, setCookie } = await visitTwice(folder);
    expect(bodies).toEqual(["visit 1\n", "visit 2\n"]);
    expect(setCookie).toMatch(/^tea_session=.*Max-Age=7776000;.*HttpOnly; SameSite=Lax$/);
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
    const first = await runCli(["init", "--host", "koa", "--dir", folder]);
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/left\s+server\.ts/);
    const again = await runCli(["init", "--host", "express", "--dir", folder]);
    expect(again.out).not.toContain("written");
    const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
    expect(await read("server.ts")).toBe("mine");
    expect(await read(".env")).toBe("MINE=1");
    expect(await read(".gitignore")).toBe("dist\n.env\n");
    expect(await read("config/app.ts")).toContain('name: "kept_session"');
  });

  test("makes fresh keys for their owner's eyes, and keeps them out of git", async () => {
    const [one, other] = [join(root, "one"), join(root, "other")];
    await runCli(["init", "--host", "node", "--https", "--dir", one]);
    await runCli(["init", "--host", "node", "--https", "--dir", other]);
    const env = await readFile(join(one, ".env"), "utf8");
    expect(env).toMatch(
      /AUTO-GENERATED random keys[^]*SESSION_SECRET_KEY=.{44}\nSESSION_SIGNING_KEY=.{44}\n$/,
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
    const { code, err } = await runCli(["init", "--dir", join(root, "none"), ...flags]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
