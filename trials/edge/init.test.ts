// What `init --host worker` writes: it compiles against the platform's own types, wrangler bundles it, and it counts
// visits in workerd.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltPackage } from "../../tests/support/built-package.ts";
import { repository } from "../../tests/support/cli.ts";
import { start } from "./workerd.ts";
import { dryRun } from "./wrangler.ts";

const execute = promisify(execFile);
const types = fileURLToPath(new URL("node_modules/@cloudflare", import.meta.url));
const kocha = BuiltPackage.forTests();
// With its declarations.
beforeAll(() => execute(process.execPath, ["scripts/build.mjs", join(kocha.path, "dist")]));
const root = mkdtempSync(join(tmpdir(), "kocha-session-init-"));
const running: Miniflare[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.dispose()));
  rmSync(root, { recursive: true, force: true });
});

/** The parts of wrangler.jsonc that are read here. */
interface Settings {
  readonly compatibility_date: string;
  readonly durable_objects?: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
  readonly migrations?: readonly { readonly new_sqlite_classes: readonly string[] }[];
  readonly d1_databases?: readonly { readonly binding: string; readonly migrations_dir: string }[];
}

/** Starts a project as `wrangler dev` does, of what its wrangler.jsonc says. */
async function startProject(folder: string): Promise<Miniflare> {
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  const settings = JSON.parse(read("wrangler.jsonc")) as Settings;
  const sqlite = settings.migrations?.flatMap((step) => step.new_sqlite_classes) ?? [];
  const objects = settings.durable_objects?.bindings ?? [];
  const miniflare = await start([
    {
      name: "worker",
      modules: true,
      script: await dryRun(folder),
      compatibilityDate: settings.compatibility_date,
      bindings: Object.fromEntries(
        Array.from(read(".env").matchAll(/^(\w+)=(.*)$/gm), ([, name, value]) => [name, value]),
      ) as Record<string, string>,
      durableObjects: Object.fromEntries(
        objects.map(({ name, class_name: className }) => [
          name,
          { className, useSQLite: sqlite.includes(className) },
        ]),
      ),
      d1Databases: settings.d1_databases?.map(({ binding }) => binding) ?? [],
    },
  ]);
  running.push(miniflare);
  for (const { binding, migrations_dir: migrations } of settings.d1_databases ?? []) {
    const database = await miniflare.getD1Database(binding);
    for (const name of readdirSync(join(folder, migrations)).toSorted()) {
      const statements = read(join(migrations, name))
        .replaceAll(/^--.*$/gm, "")
        .split(";");
      const made = statements.map((text) => text.trim()).filter((text) => text !== "");
      await database.batch(made.map((text) => database.prepare(text)));
    }
  }
  return miniflare;
}

describe.each(["durable-object", "d1"])("init --host worker --store %s", (store) => {
  const folder = join(root, store);

  test("writes a project that fits the platform's types", async () => {
    const flags = ["--host", "worker", "--store", store, "--dir", folder, "--name", "tea"];
    const { code, err } = await kocha.run(["init", ...flags]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    await kocha.install(folder);
    symlinkSync(types, join(folder, "node_modules", "@cloudflare"));
    const compiler = join(repository, "node_modules", "typescript", "bin", "tsc");
    await execute(process.execPath, [compiler, "-p", folder]);
  });

  test("that counts visits", async () => {
    const miniflare = await startProject(folder);
    const first = await miniflare.dispatchFetch("http://localhost/");
    expect(await first.text()).toBe("visit 1\n");
    const setCookie = first.headers.getSetCookie()[0] ?? "";
    expect(setCookie).toMatch(/^tea_session=.*Max-Age=7776000;.*HttpOnly; SameSite=Lax$/);
    const headers = { cookie: setCookie.split(";", 1)[0] ?? "" };
    const second = await miniflare.dispatchFetch("http://localhost/", { headers });
    expect(await second.text()).toBe("visit 2\n");
    const icon = await miniflare.dispatchFetch("http://localhost/favicon.ico", { headers });
    expect(icon.status).toBe(404);
  });
});
