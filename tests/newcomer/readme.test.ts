// A new user's first minutes: the README from its top to a login that survives a restart, with the packed
// package in an empty folder and only the commands that the README names.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Visitor } from "../docs/clients.ts";
import { readBlocks } from "../docs/documents.ts";
import { install, pack, run } from "../package/packed.ts";
import { freePort, ServerProcess, startOrClose } from "../support/servers/process.ts";

/** The last compiler that is written in JavaScript, and the newest one. */
const compilers = ["5.9.3", "7.0.2"];
let root: string;
let tarball: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-newcomer-"));
  ({ tarball } = await pack(root));
}, 120_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** The program under "Ten lines", on a port that is free. */
function program(port: number): string {
  const block = readBlocks("README.md").find(({ heading }) => heading === "Ten lines");
  expect(block?.code).toContain("listen(3000)");
  return block?.code.replace("listen(3000)", `listen(${port}, "127.0.0.1")`) ?? "";
}

/** An empty folder after "Install": the package, and `npx kocha-session keygen --out .env`. */
async function newProject(name: string, ...more: readonly string[]): Promise<string> {
  const folder = join(root, name);
  await install(folder, tarball, ...more);
  await run(folder, "npx", ["--no-install", "kocha-session", "keygen", "--out", ".env"]);
  return folder;
}

async function startServer(folder: string, port: number): Promise<ServerProcess> {
  const visitor = new Visitor(port);
  const server = new ServerProcess({
    program: process.execPath,
    args: ["--env-file=.env", "server.mjs"],
    cwd: folder,
    isReady: async () => (await visitor.visit("/")).status === 200,
  });
  await startOrClose(server, () => server.kill());
  return server;
}

/** Logs in, restarts the server, and logs out. */
async function visitAll(folder: string, port: number): Promise<void> {
  const visitor = new Visitor(port);
  let server = await startServer(folder, port);
  try {
    expect(await visitor.visit("/")).toMatchObject({ body: "Hello, stranger!", setCookie: [] });
    expect((await visitor.visit("/login")).body).toBe("Hello, alice!");
    await server.kill();
    server = await startServer(folder, port);
    expect((await visitor.visit("/")).body).toBe("Hello, alice!");
    expect((await visitor.visit("/logout")).body).toBe("Hello, stranger!");
    expect((await visitor.visit("/")).body).toBe("Hello, stranger!");
  } finally {
    await server.kill();
  }
}

test("the ten lines in JavaScript", { timeout: 120_000 }, async () => {
  const folder = await newProject("javascript");
  const { mode } = await stat(join(folder, ".env"));
  expect(mode & 0o077).toBe(0);
  const port = await freePort();
  await writeFile(join(folder, "server.mjs"), program(port));
  await visitAll(folder, port);
});

describe.each(compilers)("the ten lines in TypeScript %s", { timeout: 180_000 }, (version) => {
  test("under tsc --init's settings, with types of Node.js", async () => {
    const needed = [`typescript@${version}`, "@types/node@20.19.43"];
    const folder = await newProject(`typescript-${version}`, ...needed);
    const port = await freePort();
    await writeFile(join(folder, "server.mts"), program(port));
    await run(folder, "npx", ["--no-install", "tsc", "--init"]);
    const file = join(folder, "tsconfig.json");
    const settings = await readFile(file, "utf8");
    const typed = settings.replace('"types": []', '"types": ["node"]');
    expect(typed).not.toBe(settings);
    await writeFile(file, typed);
    await run(folder, "npx", ["--no-install", "tsc"]);
    await visitAll(folder, port);
  });
});
