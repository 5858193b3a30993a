// What `init --store` writes runs against the store's real server, and says what to do when that is down.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Store, stores, storeTemplates } from "../../src/cli/store-templates.ts";
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

test.each(["redis", "postgres", "mysql", "memcached"] as const)(
  "with %s down the application ends with one error that says what to do",
  async (store) => {
    const folder = join(root, `${store}-down`);
    await kocha.run(["init", "--host", "node", "--store", store, "--js", "--dir", folder]);
    await kocha.install(folder);
    const { address, start = "" } = storeTemplates[store];
    const { variable = "", value = "" } = address ?? {};
    const nobody = value.replace(/:\d+(?=\/|$)/, `:${await freePort()}`);
    expect(nobody).not.toBe(value);
    const env = { PATH: process.env["PATH"], [variable]: nobody };
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
