// What `init --store` writes runs against the store's real server, and is sound TypeScript.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Store, stores, storeTemplates } from "../../src/cli/store-templates.ts";
import { projectFiles } from "../../src/cli/templates.ts";
import { BuiltPackage } from "../support/built-package.ts";
import { freshKey } from "../support/keys.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { startMemcached } from "../support/servers/memcached.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { freePort } from "../support/servers/process.ts";
import { startRedis } from "../support/servers/redis.ts";
import { visitTwice } from "../support/visit.ts";

interface Running {
  readonly address: string;
  readonly close: () => Promise<void>;
}

const servers: Partial<Record<Store, () => Promise<Running>>> = {
  redis: async () => {
    const { url, close } = await startRedis();
    return { address: url, close };
  },
  postgres: async () => {
    const { url, close } = await startPostgres();
    return { address: url, close };
  },
  mysql: async () => {
    const { url, close } = await startMariadb();
    return { address: url, close };
  },
  memcached: async () => {
    const { port, close } = await startMemcached();
    return { address: `127.0.0.1:${port}`, close };
  },
};

const kocha = BuiltPackage.forTests();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-init-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(stores)("init --store %s", (store) => {
  test("writes a project that counts visits, and says how to start a server", async () => {
    const folder = join(root, store);
    const flags = ["--host", "node", "--store", store, "--dir", folder, "--name", "tea"];
    const { code, out, err } = await kocha.run(["init", ...flags]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { address, start } = storeTemplates[store];
    expect(start !== undefined && out.includes(start)).toBe(store in servers);
    expect(await readFile(join(folder, ".env"), "utf8")).toContain(address?.variable ?? "");
    await kocha.install(folder);
    const server = await servers[store]?.();
    try {
      const env =
        server === undefined || address === undefined ? {} : { [address.variable]: server.address };
      const { bodies } = await visitTwice(folder, env);
      expect(bodies).toEqual(["visit 1\n", "visit 2\n"]);
    } finally {
      await server?.close();
    }
  });
});

test.each(["redis", "postgres", "mysql"] as const)(
  "with %s down the application ends with one error that says what to do",
  async (store) => {
    const folder = join(root, `${store}-down`);
    await kocha.run(["init", "--host", "node", "--store", store, "--js", "--dir", folder]);
    await kocha.install(folder);
    const { address, start = "" } = storeTemplates[store];
    const { variable = "", value = "" } = address ?? {};
    const nobody = new URL(value);
    nobody.port = String(await freePort());
    const env = { PATH: process.env["PATH"], [variable]: nobody.href };
    const failed = await promisify(execFile)(process.execPath, ["server.mjs"], {
      cwd: folder,
      env: { ...env, SESSION_SIGNING_KEY: freshKey() },
    }).catch((error: unknown) => error as { code: number; stderr: string });
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stderr).toContain(`Error: ${variable} leads to no server that can be used`);
    expect(failed.stderr).toContain(start);
    expect(failed.stderr.match(/^Error: /gm)).toHaveLength(1);
  },
);

test("every store's configuration is sound TypeScript", async () => {
  const folder = join(root, "types");
  const options = { host: "node", app: "tea", https: false, js: false, version: "0" } as const;
  for (const store of stores) {
    for (const [path, text] of projectFiles({ ...options, store })) {
      const target = join(folder, store, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  }
  await kocha.install(folder);
  const compilerOptions = {
    strict: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "es2024.string"],
    types: ["node"],
    noEmit: true,
    skipLibCheck: true,
    noPropertyAccessFromIndexSignature: true,
    allowImportingTsExtensions: true,
    customConditions: ["kocha-session-source"],
  };
  const config = { compilerOptions, include: ["*/config/*.ts", "*/server.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe("");
});

test("a store that there isn't is called wrongly", async () => {
  const folder = join(root, "none");
  const { code, err } = await kocha.run([
    "init",
    "--host",
    "node",
    "--store",
    "disk",
    "--dir",
    folder,
  ]);
  expect(code).toBe(2);
  expect(err).toMatch(/--store must be one of cookie, memory/);
});
