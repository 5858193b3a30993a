// The command line as a user runs it: keys, inspection, diagnosis, and what it never shows.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionCookieStore, SessionMemoryStore, SessionMiddleware } from "kocha-session";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/cli.ts";
import { freshKey } from "../support/keys.ts";

const secretKey = freshKey();
const signingKey = freshKey();
const env = { SESSION_SECRET_KEY: secretKey, SESSION_SIGNING_KEY: signingKey };
const secretValue = "the value nobody may see";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-session-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function seal(name: string, value = secretValue): Promise<string> {
  const store = new SessionCookieStore({ secretKey, signingKey, maxCookies: 4 });
  const engine = new SessionMiddleware({ name, store });
  const session = await engine.open(undefined);
  session.set("greeting", value);
  session.bind("subject-77");
  const { setCookie } = await engine.commit(session);
  return setCookie.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

describe("kocha-session", () => {
  test("says what it can do, its version, and what it can't", async () => {
    const [help, version, nothing, wrong, option] = await Promise.all([
      runCli(["--help"]),
      runCli(["--version"]),
      runCli([]),
      runCli(["frobnicate"]),
      runCli(["keygen", "--wat"]),
    ]);
    for (const command of ["keygen", "init", "inspect", "doctor"])
      expect(help.out).toContain(command);
    expect([help.code, version.code, nothing.code, wrong.code, option.code]).toEqual([
      0, 0, 2, 2, 2,
    ]);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(wrong.err).not.toContain("frobnicate");
  });

  test("keygen prints two fresh keys that the library takes", async () => {
    const [one, other] = await Promise.all([runCli(["keygen"]), runCli(["keygen"])]);
    expect(one.code).toBe(0);
    expect(one.out).not.toBe(other.out);
    const keys = /^SESSION_SECRET_KEY=(.{44})\nSESSION_SIGNING_KEY=(.{44})\n$/.exec(one.out);
    expect(
      () => new SessionCookieStore({ secretKey: keys?.[1], signingKey: keys?.[2] }),
    ).not.toThrow();
  });
});

describe("inspect", () => {
  test("reads a Cookie header, a Set-Cookie header and a bare value", async () => {
    const cookie = await seal("app");
    const inputs = [
      `a=b; ${cookie}; c=d`,
      `Set-Cookie: ${cookie}; Path=/; Secure`,
      cookie.slice("app=".length),
    ];
    for (const input of inputs) {
      const { code, out } = await runCli(["inspect", "--name", "app"], { input, env });
      expect(code).toBe(0);
      expect(out).toMatch(/version 1, key id [0-9a-f]{8}/);
      expect(out).toContain(`"greeting": ${"greeting".length + secretValue.length} bytes`);
      expect(out).toContain("bound: true");
    }
  });

  test("shows values only when that is asked for, and never a key or the subject", async () => {
    const input = await seal("session");
    const [hidden, shown] = await Promise.all([
      runCli(["inspect", "--json"], { input, env }),
      runCli(["inspect", "--json", "--values"], { input, env }),
    ]);
    expect(hidden.out).not.toContain(secretValue);
    expect(shown.out).toContain(secretValue);
    for (const text of [secretKey, signingKey, "subject-77"]) expect(shown.out).not.toContain(text);
    expect(JSON.parse(hidden.out)).toMatchObject([{ version: 1, kind: "session", limit: 4096 }]);
  });

  test("joins the pieces of a session that was split", async () => {
    const { code, out } = await runCli(["inspect"], {
      input: await seal("session", "x".repeat(5000)),
      env,
    });
    expect(code).toBe(0);
    expect(out).toContain("session.split1");
    expect(out).toContain('"greeting": 5008 bytes');
  });

  test("reads the key of a server-side store", async () => {
    const engine = new SessionMiddleware({ store: new SessionMemoryStore(), signingKey });
    const session = await engine.open(undefined);
    session.set("a", "b");
    const { setCookie } = await engine.commit(session);
    const { code, out } = await runCli(["inspect"], { input: setCookie[0] ?? "", env });
    expect(code).toBe(0);
    expect(out).toContain(`selector: ${session.id}`);
    expect(out).toContain("generation: 1");
  });

  test.each([
    [
      "with other keys",
      { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() },
      1,
      "unknown-key",
    ],
    ["for another name", env, 1, "forged"],
    ["without keys", {}, 2, "SESSION_SIGNING_KEY"],
  ])("says why it doesn't open %s", async (what, keys, code, word) => {
    const name = what === "for another name" ? "other" : "session";
    const input = (await seal("session")).slice("session=".length);
    const result = await runCli(["inspect", "--name", name], { input, env: keys });
    expect(result.code).toBe(code);
    expect(result.out + result.err).toContain(word);
  });

  test.each([
    ["", 2],
    ["rubbish", 1],
    ["Cookie: a=b; c=d", 2],
  ])("of %j it says that it is none", async (input, code) => {
    expect((await runCli(["inspect"], { input, env })).code).toBe(code);
  });
});

describe("doctor", () => {
  async function examine(
    settings: string,
  ): Promise<{ code: number | null; fields: string[]; text: string }> {
    const file = join(folder, `config-${Math.random().toString(36).slice(2)}.ts`);
    await writeFile(
      file,
      `import { DAY, memoryRevocations, SessionCookieStore, SessionMemoryStore } from "kocha-session";
       const keys = { secretKey: ${JSON.stringify(secretKey)}, signingKey: ${JSON.stringify(signingKey)} };
       export const session = ${settings};`,
    );
    // The configuration imports the library by its name, as a project's does.
    const { linkPackages } = await import("../support/project.ts");
    await linkPackages(folder);
    const { code, out } = await runCli(["doctor", "--config", file, "--json"], { cwd: folder });
    const findings = JSON.parse(out) as { level: string; field: string; message: string }[];
    return { code, fields: findings.map(({ level, field }) => `${level} ${field}`), text: out };
  }

  test("with revocations it doesn't say that a cookie session can't be revoked", async () => {
    const { fields } = await examine(
      "{ store: new SessionCookieStore(keys), sessionExpires: DAY, revocations: memoryRevocations() }",
    );
    expect(fields).not.toContain("warning store");
  });

  test.each([
    ["{ store: new SessionCookieStore(keys), httpOnly: false }", "warning httpOnly", 0],
    ["{ store: new SessionCookieStore(keys), secure: false }", "warning secure", 0],
    ['{ store: new SessionCookieStore(keys), secure: "auto" }', "note secure", 0],
    ['{ store: new SessionCookieStore(keys), sameSite: "none" }', "warning sameSite", 0],
    ['{ store: new SessionCookieStore(keys), domain: "example.com" }', "warning domain", 0],
    ["{ store: new SessionCookieStore(keys), sessionExpires: -1 }", "warning sessionExpires", 0],
    ["{ store: new SessionCookieStore(keys) }", "warning absoluteExpires", 0],
    ["{ store: new SessionCookieStore(keys) }", "warning store", 0],
    ["{ store: new SessionMemoryStore(), signingKey: keys.signingKey }", "note store", 0],
    ["{ store: { load() {}, save() {} }, signingKey: keys.signingKey }", "warning store", 0],
    [
      "{ store: new SessionMemoryStore(), signingKey: keys.signingKey, storeTimeout: 30 }",
      "note storeTimeout",
      0,
    ],
    [
      '{ store: new SessionMemoryStore(), signingKey: keys.signingKey, onStoreError: "anonymous" }',
      "note onStoreError",
      0,
    ],
    ["{ store: new SessionMemoryStore() }", "error signingKey", 1],
    ["{ store: new SessionCookieStore(keys), cookieExpire: 5 }", "error cookieExpire", 1],
    ['{ store: new SessionCookieStore({ ...keys, secretKey: "AAAA" }) }', "error secretKey", 1],
    [
      "{ store: new SessionCookieStore({ ...keys, secretKey: process.env.NOT_THERE }) }",
      "error secretKey",
      1,
    ],
  ])("of %s it says: %s", async (settings, finding, code) => {
    const result = await examine(settings);
    expect(result.fields).toContain(finding);
    expect(result.code).toBe(code);
    for (const key of [secretKey, signingKey]) expect(result.text).not.toContain(key);
  });

  test("names what is missing", async () => {
    const { code, out } = await runCli(["doctor", "--config", "nowhere.ts"], { cwd: folder });
    expect(code).toBe(1);
    expect(out).toContain("nowhere.ts");
  });
});
