// `npm run check` of what `init` writes: each host and each store compiles by the settings and the command
// that are written with them, against the declarations of the packed package.
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stores } from "../../src/cli/store-templates.ts";
import { hosts, projectFiles } from "../../src/cli/templates.ts";
import { packOnce, run } from "../package/packed.ts";
import { repository } from "../support/cli.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-check-"));
  const modules = join(root, "node_modules");
  await mkdir(modules);
  const source = join(repository, "node_modules");
  const names = await readdir(source);
  await Promise.all(names.map((name) => symlink(join(source, name), join(modules, name))));
  await symlink((await packOnce()).folder, join(modules, "kocha-session"));
}, 300_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** Writes one project into a folder. */
async function write(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** What the compiler says of all that is in the folder; "" when all is well. */
function check(): Promise<string> {
  return run(root, "npm", ["run", "--silent", "check"]).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
}

test("every host and every store passes npm run check, and a fault doesn't", async () => {
  const options = { app: "tea", https: false, js: false, version: "0" } as const;
  // One program of all: they have the same settings and the same command.
  await write(root, projectFiles({ ...options, host: "express", store: "cookie" }));
  for (const host of hosts) {
    await write(join(root, "hosts", host), projectFiles({ ...options, host, store: "cookie" }));
  }
  for (const store of stores) {
    await write(join(root, "stores", store), projectFiles({ ...options, host: "node", store }));
  }
  expect(await check()).toBe("");
  await writeFile(
    join(root, "hosts", "koa", "controllers", "root.ts"),
    "export const getRoot = 5;",
  );
  expect(await check()).toMatch(/hosts\/koa\/server\.ts.*TS2349/);
}, 300_000);
