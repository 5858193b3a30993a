// What `init --host worker` writes; trials/edge bundles it and starts it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";

const kocha = BuiltPackage.forTests();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-init-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("a worker with Durable Objects has its bindings, its classes and its secret", async () => {
  const folder = join(root, "objects");
  const flags = ["--host", "worker", "--dir", folder, "--name", "tea_shop"];
  const { code, out, err } = await kocha.run(["init", ...flags]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("npm install && npm start\n");
  expect(out).toContain("npx wrangler secret put SESSION_SIGNING_KEY");
  const read = (path: string): Promise<string> => readFile(join(folder, path), "utf8");
  expect(JSON.parse(await read("wrangler.jsonc"))).toMatchObject({
    name: "tea-shop",
    durable_objects: {
      bindings: [
        { name: "SESSIONS", class_name: "SessionObject" },
        { name: "SUBJECTS", class_name: "SubjectObject" },
      ],
    },
    migrations: [{ tag: "v1", new_sqlite_classes: ["SessionObject", "SubjectObject"] }],
  });
  const worker = await read("src/worker.ts");
  for (const name of ["SessionObject", "SubjectObject"]) expect(worker).toContain(name);
  expect(await read(".env")).toMatch(/^SESSION_SIGNING_KEY=.{44}$/m);
  expect(await read(".gitignore")).toContain(".env");
  expect(JSON.parse(await read("package.json"))).toMatchObject({
    scripts: { start: "wrangler dev" },
  });
});

test("a worker that is only https has a cookie that says so", async () => {
  const folder = join(root, "https");
  await kocha.run(["init", "--host", "worker", "--https", "--dir", folder]);
  const config = await readFile(join(folder, "config/app.ts"), "utf8");
  expect(config).toContain('name: "__Host-Http-https"');
  expect(config).toContain("secure: true");
});

test.each([
  [["--store", "redis"], "--store must be one of durable-object, d1"],
  [["--js"], "--js isn't for a worker"],
])("%j is called wrongly", async (flags, message) => {
  const { code, err } = await kocha.run(["init", "--host", "worker", "--dir", root, ...flags]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
