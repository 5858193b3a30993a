// A new user's first minutes: the README from its top to a login that survives a restart, with the packed
// package in an empty folder and only the commands that the README names.
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packOnce, run } from "../package/packed.ts";
import { freePort } from "../support/servers/process.ts";
import { initTypeScript, newProject, tenLines, useTenLines } from "./project.ts";

/** The newest compiler; TYPESCRIPTS adds others, which npm run test:nodes does. */
const added = process.env["TYPESCRIPTS"]?.split(",") ?? [];
const compilers = ["7.0.2", ...added];
let root: string;
let tarball: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-newcomer-"));
  ({ tarball } = await packOnce());
}, 300_000);
afterAll(() => rm(root, { recursive: true, force: true }));

describe.concurrent("the ten lines", { timeout: 300_000 }, () => {
  test("in JavaScript", async () => {
    const folder = join(root, "javascript");
    await newProject(folder, tarball);
    const { mode } = await stat(join(folder, ".env"));
    expect(mode & 0o077).toBe(0);
    const port = await freePort();
    await writeFile(join(folder, "server.mjs"), tenLines(port));
    await useTenLines(folder, port);
  });

  test.each(compilers)("in TypeScript %s, as tsc --init sets it up", async (version) => {
    const folder = join(root, `typescript-${version}`);
    await newProject(folder, tarball, `typescript@${version}`, "@types/node@20.19.43");
    const port = await freePort();
    await writeFile(join(folder, "server.mts"), tenLines(port));
    await initTypeScript(folder, { '"types": []': '"types": ["node"]' });
    await run(folder, "npx", ["--no-install", "tsc"]);
    await useTenLines(folder, port);
  });
});
