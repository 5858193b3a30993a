// `doctor` in a project: it reads .env, ends by itself whatever the configuration has connected to, and says
// what can't be meant.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";
import { freshKey } from "../support/keys.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { freePort } from "../support/servers/process.ts";
import { startRedis } from "../support/servers/redis.ts";

interface Finding {
  readonly level: string;
  readonly field: string;
  readonly message: string;
}

const kocha = BuiltPackage.forTests();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-session-doctor-"));
  await kocha.install(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What doctor finds in a module; it has ended by itself by then. */
async function examine(
  code: string,
  more: { env?: Record<string, string>; flags?: string[]; dotenv?: string; cwd?: string } = {},
) {
  const cwd = more.cwd ?? (await mkdtemp(join(folder, "project-")));
  await writeFile(join(cwd, "config.mjs"), code);
  if (more.dotenv !== undefined) await writeFile(join(cwd, ".env"), more.dotenv);
  const flags = ["--config", "config.mjs", "--json", ...(more.flags ?? [])];
  const result = await kocha.run(["doctor", ...flags], { cwd, env: more.env ?? {} });
  const findings = result.out.startsWith("[") ? (JSON.parse(result.out) as Finding[]) : [];
  return { ...result, findings, fields: findings.map(({ level, field }) => `${level} ${field}`) };
}

const redisConfig = `
  import { createClient } from "redis";
  import { SessionRedisStore } from "kocha-session/redis";
  const client = createClient({ url: process.env.REDIS_URL });
  client.on("error", () => undefined);
  await client.connect();
  export const session = {
    store: new SessionRedisStore({ client }),
    signingKey: process.env.SESSION_SIGNING_KEY,
    absoluteExpires: 86_400,
  };`;
const mysqlConfig = `
  import mysql from "mysql2/promise";
  import { SessionMysqlStore } from "kocha-session/mysql";
  const client = mysql.createPool(process.env.MYSQL_URL);
  const store = new SessionMysqlStore({ client });
  await store.createTable();
  export const session = {
    store,
    signingKey: process.env.SESSION_SIGNING_KEY,
    absoluteExpires: 86_400,
  };`;

describe("with a server", () => {
  test.each([
    ["Redis", redisConfig, "REDIS_URL", startRedis] as const,
    ["MySQL", mysqlConfig, "MYSQL_URL", startMariadb] as const,
  ])("it ends by itself when it has connected to %s", async (_, code, variable, start) => {
    const { url, close } = await start();
    try {
      const env = { [variable]: url, SESSION_SIGNING_KEY: freshKey() };
      const result = await examine(code, { env });
      expect(result.code).toBe(0);
      expect(result.fields.filter((field) => !field.startsWith("note "))).toEqual([]);
    } finally {
      await close();
    }
  });

  test("that isn't there, it gives up in time, and says why", async () => {
    const env = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const { code, findings } = await examine(redisConfig, { env, flags: ["--timeout", "1"] });
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { level: "error", field: "config", message: expect.stringContaining("after 1 s") as string },
    ]);
  });

  test("that refuses, it says how", async () => {
    const env = { MYSQL_URL: `mysql://root@localhost:${await freePort()}/app` };
    const { code, findings } = await examine(mysqlConfig, { env });
    expect(code).toBe(1);
    expect(findings[0]?.message).toContain("ECONNREFUSED");
  });

  test.each(["0", "soon", "-1"])("--timeout %s is called wrongly", async (seconds) => {
    expect((await examine("", { flags: [`--timeout=${seconds}`] })).code).toBe(2);
  });
});

describe(".env", () => {
  const code = `
    import { SessionCookieStore } from "kocha-session";
    export const session = {
      store: new SessionCookieStore({
        secretKey: process.env.SESSION_SECRET_KEY,
        signingKey: process.env.SESSION_SIGNING_KEY,
      }),
    };`;

  test("is read, and what is set already stays", async () => {
    const dotenv = `SESSION_SECRET_KEY="${freshKey()}"\nSESSION_SIGNING_KEY=${freshKey()} # ours\n`;
    expect((await examine(code, { dotenv })).code).toBe(0);
    const set = await examine(code, { dotenv, env: { SESSION_SIGNING_KEY: "AAAA" } });
    expect(set.fields).toEqual(["error signingKey"]);
  });

  test("isn't needed", async () => {
    const env = { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() };
    expect((await examine(code, { env })).code).toBe(0);
  });
});

describe("of lifetimes and secure", () => {
  const configWith = (settings: string): string => `
    import { DAY, SessionCookieStore } from "kocha-session";
    const keys = { secretKey: "${freshKey()}", signingKey: "${freshKey()}" };
    export const session = { store: new SessionCookieStore(keys), ${settings} };`;

  test.each([
    ["sessionExpires: 30", "sessionExpires", "1800"],
    ["cookieExpires: 12", "cookieExpires", "1800"],
    ["absoluteExpires: 8", "absoluteExpires", "1800"],
    ["sessionExpires: 30 * DAY, absoluteExpires: DAY", "sessionExpires", "absoluteExpires"],
  ])("%s is an error", async (settings, field, hint) => {
    const { code, findings } = await examine(configWith(settings));
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === "error")).toEqual([
      { level: "error", field, message: expect.stringContaining(hint) as string },
    ]);
  });

  test("a cookie that outlives its data is a warning", async () => {
    const { code, fields } = await examine(
      configWith("cookieExpires: 30 * DAY, sessionExpires: 1800"),
    );
    expect(code).toBe(0);
    expect(fields).toContain("warning cookieExpires");
  });

  test('"auto" is a warning in production, and a note elsewhere', async () => {
    const code = configWith('secure: "auto"');
    const [here, there, byFile] = await Promise.all([
      examine(code),
      examine(code, { env: { NODE_ENV: "production" } }),
      examine(code, { dotenv: "NODE_ENV=production\n" }),
    ]);
    expect(here.fields).toContain("note secure");
    expect(there.fields).toContain("warning secure");
    expect(byFile.fields).toContain("warning secure");
  });
});

test.each(["development", "production"])(
  "what init writes gives neither error nor warning in %s",
  async (environment) => {
    for (const store of ["cookie", "memory", "sqlite"]) {
      const cwd = await mkdtemp(join(folder, "init-"));
      await kocha.run(["init", "--host", "node", "--store", store, "--js", "--dir", cwd]);
      const env = { NODE_ENV: environment };
      const { code, out } = await kocha.run(["doctor", "--json"], { cwd, env });
      const findings = JSON.parse(out) as Finding[];
      expect({ store, code, findings: findings.filter(({ level }) => level !== "note") }).toEqual({
        store,
        code: 0,
        findings: [],
      });
    }
  },
);
