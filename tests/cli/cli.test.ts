// The command line as a user runs it: keys, inspection, diagnosis, and what it never shows.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionCookieStore, SessionMemoryStore, SessionMiddleware } from "kocha-session";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";
import { freshKey } from "../support/keys.ts";

const secretKey = freshKey();
const signingKey = freshKey();
const env = { SESSION_SECRET_KEY: secretKey, SESSION_SIGNING_KEY: signingKey };
const secretValue = "the value nobody may see";
/** Control and format characters, except a line break. */
const obeyed = /(?!\n)[\p{Cc}\p{Cf}]/u;
const kocha = BuiltPackage.forTests();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-session-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function seal(name: string, value = secretValue, key = "greeting"): Promise<string> {
  const store = new SessionCookieStore({ secretKey, signingKey, maxCookies: 4 });
  const engine = new SessionMiddleware({ name, store });
  const session = await engine.open(undefined);
  session.set(key, value);
  session.bind("subject-77");
  const { setCookie } = await engine.commit(session);
  return setCookie.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

describe("kocha-session", () => {
  test("says what it can do, its version, and what it can't", async () => {
    const [help, version, nothing, wrong, option] = await Promise.all([
      kocha.run(["--help"]),
      kocha.run(["--version"]),
      kocha.run([]),
      kocha.run(["frobnicate"]),
      kocha.run(["keygen", "--wat"]),
    ]);
    for (const command of ["keygen", "init", "inspect", "doctor", "demo"])
      expect(help.out).toContain(command);
    expect([help.code, version.code, nothing.code, wrong.code, option.code]).toEqual([
      0, 0, 2, 2, 2,
    ]);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(wrong.err).not.toContain("frobnicate");
  });

  test("keygen prints two fresh secrets that the library takes", async () => {
    const [one, other] = await Promise.all([kocha.run(["keygen"]), kocha.run(["keygen"])]);
    expect(one.code).toBe(0);
    expect(one.out).not.toBe(other.out);
    const keys = /^SESSION_SECRET_KEY=(.{44})\nSESSION_SIGNING_KEY=(.{44})\n$/.exec(one.out);
    expect(
      () => new SessionCookieStore({ secretKey: keys?.[1], signingKey: keys?.[2] }),
    ).not.toThrow();
  });
});

describe("keygen --out", () => {
  const twoKeys = /^SESSION_SECRET_KEY=.{44}\nSESSION_SIGNING_KEY=.{44}\n$/;
  let cwd: string;

  beforeEach(async () => {
    cwd = await mkdtemp(join(folder, "keygen-"));
  });

  async function keygenInto(before?: string, mode = 0o644) {
    const file = join(cwd, ".env");
    if (before !== undefined) await writeFile(file, before, { mode });
    const { code, out, err } = await kocha.run(["keygen", "--out", ".env"], { cwd });
    const text = await readFile(file, "utf8");
    return { code, printed: out + err, text, mode: (await stat(file)).mode & 0o777 };
  }

  test("makes a file for its owner's eyes, and prints no key", async () => {
    const { code, printed, text, mode } = await keygenInto();
    expect([code, mode]).toEqual([0, 0o600]);
    expect(text).toMatch(twoKeys);
    for (const [key] of text.matchAll(/(?<==).{43}/g)) expect(printed).not.toContain(key);
  });

  test.each(["PORT=3000\n", "PORT=3000", "# SESSION_SECRET_KEY=", "MY_SESSION_SECRET_KEY=a\n"])(
    "appends to a file with %j, and closes it to others",
    async (before) => {
      const { code, text, mode } = await keygenInto(before);
      expect([code, mode]).toEqual([0, 0o600]);
      expect(text.startsWith(before.endsWith("\n") ? before : `${before}\n`)).toBe(true);
      expect(text.slice(before.length).trimStart()).toMatch(twoKeys);
    },
  );

  test.each([
    ["SESSION_SECRET_KEY=old\n", "SESSION_SECRET_KEY"],
    ["A=1\n  export SESSION_SIGNING_KEY = old", "SESSION_SIGNING_KEY"],
    ["SESSION_SECRET_KEY=\n", "SESSION_SECRET_KEY"],
  ])("leaves a file with %j as it is, and says why", async (before, name) => {
    const { code, printed, text, mode } = await keygenInto(before, 0o640);
    expect([code, text, mode]).toEqual([1, before, 0o640]);
    expect(printed).toContain(name);
    expect(printed).not.toContain("old");
  });

  test.each([
    ["a folder", "."],
    ["a folder that isn't there", "nowhere/.env"],
  ])("says that %s can't be written", async (_, target) => {
    const { code, err } = await kocha.run(["keygen", "--out", target], { cwd });
    expect(code).toBe(1);
    expect(err).toContain(target);
  });
});

describe("inspect", () => {
  const parse = (text = ""): unknown => JSON.parse(text);
  const keysOf = (json: string): unknown =>
    (JSON.parse(json) as { session: { keys: unknown } }[])[0]?.session.keys;

  test("reads a Cookie header, a Set-Cookie header and a bare value", async () => {
    const cookie = await seal("app");
    const inputs = [
      `a=b; ${cookie}; c=d`,
      `Set-Cookie: ${cookie}; Path=/; Secure`,
      cookie.slice("app=".length),
    ];
    for (const input of inputs) {
      const { code, out } = await kocha.run(["inspect", "--name", "app"], { input, env });
      expect(code).toBe(0);
      expect(out).toMatch(/version 1, key id [0-9a-f]{8}/);
      expect(out).toContain(`"greeting": ${"greeting".length + secretValue.length} bytes`);
      expect(out).toContain("bound: true");
    }
  });

  test("shows values only when that is asked for, and never a key or the subject", async () => {
    const input = await seal("session");
    const [hidden, shown] = await Promise.all([
      kocha.run(["inspect", "--json"], { input, env }),
      kocha.run(["inspect", "--json", "--values"], { input, env }),
    ]);
    expect(hidden.out).not.toContain(secretValue);
    expect(shown.out).toContain(secretValue);
    for (const text of [secretKey, signingKey, "subject-77"]) expect(shown.out).not.toContain(text);
    expect(JSON.parse(hidden.out)).toMatchObject([{ version: 1, kind: "session", limit: 4096 }]);
  });

  // C0, DEL, C1 (U+009B begins a command as ESC [ does), the bidirectional marks, what draws
  // nothing, and Unicode's own line breaks; the tag letters lie beyond the first 65,536.
  test.each([["text", []] as const, ["JSON", ["--json"]] as const])(
    "prints as %s nothing that a terminal obeys",
    async (_, flags) => {
      const range = (from: number, to: number): number[] =>
        Array.from({ length: to - from + 1 }, (__, index) => from + index);
      const hostile = [
        ...range(0, 0x1f),
        ...range(0x7f, 0x9f),
        ...range(0x200b, 0x200f),
        ...range(0x2028, 0x202e),
        ...range(0x2066, 0x2069),
      ].concat(0xad, 0x061c, 0x180e, 0xfeff, 0xe0041);
      const value = `${String.fromCodePoint(...hostile)} été \u{1F36A}`;
      const input = await seal("session", value, value);
      const { out } = await kocha.run(["inspect", "--values", ...flags], { input, env });
      const printed = new Set(Array.from(out, (character) => character.codePointAt(0) ?? 0));
      printed.delete(0x0a);
      expect(hostile.filter((code) => printed.has(code))).toEqual([]);
      expect(out).toContain("été \u{1F36A}");
      // What is printed is still JSON, and says the same.
      const [, key, shown] = /- (".*"): \d+ bytes = (".*")\n/.exec(out) ?? [];
      const keys = flags.length > 0 ? keysOf(out) : [{ key: parse(key), value: parse(shown) }];
      expect(keys).toMatchObject([{ key: value, value }]);
    },
  );

  test("joins the pieces of a session that was split", async () => {
    const { code, out } = await kocha.run(["inspect"], {
      input: await seal("session", "x".repeat(5000)),
      env,
    });
    expect(code).toBe(0);
    expect(out).toContain("session.split1");
    expect(out).toContain('"greeting": 5008 bytes');
  });

  test("reads the ticket of a server-side store", async () => {
    const engine = new SessionMiddleware({ store: new SessionMemoryStore(), signingKey });
    const session = await engine.open(undefined);
    session.set("a", "b");
    const { setCookie } = await engine.commit(session);
    const { code, out } = await kocha.run(["inspect"], { input: setCookie[0] ?? "", env });
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
    const result = await kocha.run(["inspect", "--name", name], { input, env: keys });
    expect(result.code).toBe(code);
    expect(result.out + result.err).toContain(word);
  });

  test.each([
    ["", 2],
    ["rubbish", 1],
    ["Cookie: a=b; c=d", 2],
  ])("of %j it says that it is none", async (input, code) => {
    expect((await kocha.run(["inspect"], { input, env })).code).toBe(code);
  });

  test("a cookie as an argument isn't shown again: it says that it reads standard input", async () => {
    const cookie = await seal("session");
    const { code, out, err } = await kocha.run(["inspect", cookie], { env });
    expect(code).toBe(2);
    expect(out + err).not.toContain(cookie.slice(8));
    expect(err).toContain("options only");
    expect(err).toContain("standard input");
  });

  test("nothing of a command line or a file's name is obeyed by the terminal", async () => {
    const hostile = "--\u001b[31m\u009b\u007f\u202e";
    const results = await Promise.all([
      kocha.run(["inspect", hostile], { env }),
      kocha.run(["keygen", "--out", `no folder\u001b[31m/\u009b`], { cwd: folder }),
      kocha.run(["doctor", "--config", hostile.slice(2)], { cwd: folder }),
      kocha.run(["doctor", "--json", "--config", hostile.slice(2)], { cwd: folder }),
    ]);
    for (const { out, err } of results) expect(out + err).not.toMatch(obeyed);
  });
});

describe("doctor", () => {
  async function examine(
    settings: string,
    imports = "",
    language: "mjs" | "ts" = "mjs",
  ): Promise<{ code: number | null; fields: string[]; text: string }> {
    const file = join(folder, `config-${Math.random().toString(36).slice(2)}.${language}`);
    await writeFile(
      file,
      `import { DAY, memoryRevocations, SessionCookieStore, SessionMemoryStore } from "kocha-session";
       ${imports}
       const keys = { secretKey: ${JSON.stringify(secretKey)}, signingKey: ${JSON.stringify(signingKey)} };
       export const session = ${settings}${language === "ts" ? " as const" : ""};`,
    );
    // The configuration imports the library by its name, as a project's does.
    await kocha.install(folder);
    const { code, out } = await kocha.run(["doctor", "--config", file, "--json"], { cwd: folder });
    const findings = JSON.parse(out) as { level: string; field: string; message: string }[];
    return { code, fields: findings.map(({ level, field }) => `${level} ${field}`), text: out };
  }

  test.each(["module", "commonjs"])("loads TypeScript in a project of type %s", async (type) => {
    const cwd = await mkdtemp(join(folder, "typescript-"));
    const file = join(cwd, "config.ts");
    await kocha.install(cwd);
    await writeFile(join(cwd, "package.json"), JSON.stringify({ type }));
    await writeFile(
      file,
      `import { SessionMemoryStore } from "kocha-session";
       export const session = { store: new SessionMemoryStore() as object };`,
    );
    const { out } = await kocha.run(["doctor", "--config", file, "--json"], { cwd });
    expect(JSON.parse(out)).toMatchObject([{ level: "error", field: "signingKey" }]);
  });

  test("with revocations it doesn't say that a cookie session can't be revoked", async () => {
    const revocable = "sessionExpires: DAY, revocations: memoryRevocations()";
    const plain = await examine("{ store: new SessionCookieStore(keys) }");
    const { text } = await examine(`{ store: new SessionCookieStore(keys), ${revocable} }`);
    expect(plain.text).toContain("can't be revoked");
    expect(text).not.toContain("can't be revoked");
  });

  test("of a SQLite store it says what a transaction on its connection does", async () => {
    const { text } = await examine(
      '{ store: new SessionSqliteStore({ client: new Libsql(":memory:") }), signingKey: keys.signingKey }',
      'import Libsql from "libsql"; import { SessionSqliteStore } from "kocha-session/sqlite";',
      "ts",
    );
    expect(text).toContain("a ROLLBACK undoes logouts: give it a connection of its own");
  });

  test("it says where update is no one step", async () => {
    const plain = await examine("{ store: { load() {}, save() {} }, signingKey: keys.signingKey }");
    expect(plain.text).toContain("update and increment are no one step");
    const atomic = await examine(
      "{ store: { capabilities: { atomic: true }, load() {}, save() {} }, signingKey: keys.signingKey }",
    );
    expect(atomic.text).toContain("law L13");
    const memory = await examine(
      "{ store: new SessionMemoryStore(), signingKey: keys.signingKey }",
    );
    expect(memory.text).not.toContain("L13");
  });

  test.each([
    "cookieExpires: 0, sessionExpires: 1800",
    "cookieExpires: 30 * DAY",
    "cookieExpires: 30 * DAY, sessionExpires: 30 * DAY, absoluteExpires: 30 * DAY",
    "cookieExpires: -1, sessionExpires: -1",
  ])("a cookie that its data outlives is fine: %s", async (times) => {
    const { fields } = await examine(`{ store: new SessionCookieStore(keys), ${times} }`);
    expect(fields).not.toContain("warning cookieExpires");
  });

  test.each([
    ["{ store: new SessionCookieStore(keys), httpOnly: false }", "warning httpOnly", 0],
    ["{ store: new SessionCookieStore(keys), secure: false }", "warning secure", 0],
    ['{ store: new SessionCookieStore(keys), secure: "auto" }', "note secure", 0],
    ['{ store: new SessionCookieStore(keys), sameSite: "none" }', "warning sameSite", 0],
    ['{ store: new SessionCookieStore(keys), domain: "example.com" }', "warning domain", 0],
    ["{ store: new SessionCookieStore(keys), sessionExpires: -1 }", "warning sessionExpires", 0],
    ["{ store: new SessionCookieStore(keys) }", "warning absoluteExpires", 0],
    ["() => ({ store: new SessionCookieStore(keys), httpOnly: false })", "warning httpOnly", 0],
    [
      "(env) => ({ store: new SessionCookieStore(keys), path: env.PATH.slice(0, 0) })",
      "error path",
      1,
    ],
    ["async () => ({ store: new SessionCookieStore(keys) })", "error config", 1],
    ["() => { throw new Error('no keys') }", "error config", 1],
    [
      "{ store: new SessionCookieStore(keys), cookieExpires: 30 * DAY, sessionExpires: 1800 }",
      "warning cookieExpires",
      0,
    ],
    [
      "{ store: new SessionCookieStore(keys), cookieExpires: -1, absoluteExpires: 30 * DAY }",
      "warning cookieExpires",
      0,
    ],
    ["{ store: new SessionCookieStore(keys) }", "note store", 0],
    ["{ store: new SessionMemoryStore(), signingKey: keys.signingKey }", "note store", 0],
    ["{ store: { load() {}, save() {} }, signingKey: keys.signingKey }", "warning store", 0],
    [
      // As a module whose exports are a store.
      "{ store: { __proto__: null, load() {}, save() {} }, signingKey: keys.signingKey }",
      "warning store",
      0,
    ],
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

  test.each([
    ["new SessionMemoryStore()", ["note store", "note store"], 0],
    ["({ load() {}, save() {} })", ["note store", "warning store"], 0],
    ["Promise.resolve(new SessionMemoryStore())", ["error store"], 1],
    ["env.NOT_THERE.url", ["error store"], 1],
  ])("of a store for each request, %s, it says: %j", async (made, findings, code) => {
    const settings = `{ store: perRequest((env) => ${made}), signingKey: keys.signingKey }`;
    const result = await examine(settings, 'import { perRequest } from "kocha-session";');
    const found = result.fields.filter((field) => field.endsWith(" store"));
    expect(found.slice(0, findings.length)).toEqual(findings);
    expect(result.code).toBe(code);
  });

  test("names a field once, and shows nothing of it that a terminal obeys", async () => {
    const settings = '{ store: new SessionCookieStore(keys), ["a\\u001b[31m\\u009b"]: 1 }';
    const { text } = await examine(settings);
    expect(text).not.toMatch(obeyed);
    expect(JSON.parse(text)).toMatchObject([
      { field: "a\u001b[31m\u009b", message: expect.stringMatching(/^is not an option/) as string },
    ]);
  });

  test("names what is missing", async () => {
    const { code, out } = await kocha.run(["doctor", "--config", "nowhere.ts"], { cwd: folder });
    expect(code).toBe(1);
    expect(out).toContain("nowhere.ts");
  });
});
