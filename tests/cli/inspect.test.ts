// `inspect` as one uses it in a hurry: whatever was copied is pasted, without a name, in the project's folder.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionCookieStore, SessionMemoryStore, SessionMiddleware } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";
import { freshKey, freshKeys } from "../support/keys.ts";

interface Finding {
  readonly name: string;
  readonly kind?: string;
  readonly problem?: string;
}

const keys = freshKeys();
const env = { SESSION_SECRET_KEY: keys.secretKey, SESSION_SIGNING_KEY: keys.signingKey };
const kocha = BuiltPackage.forTests();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-session-inspect-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The Set-Cookie values of a new session with one value. */
async function setCookies(engine: SessionMiddleware, value = "b"): Promise<readonly string[]> {
  const session = await engine.open(undefined);
  session.set("a", value);
  return (await engine.commit(session)).setCookie;
}

function pairs(setCookie: readonly string[]): string {
  return setCookie.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

async function inspect(input: string, flags: string[] = [], cwd = folder, environment = env) {
  const options = { input, cwd, env: environment };
  const { code, out, err } = await kocha.run(["inspect", "--json", ...flags], options);
  const findings = out === "" ? [] : (JSON.parse(out) as Finding[]);
  return { code, err, findings, names: findings.map(({ name }) => name) };
}

describe("without --name", () => {
  test("lists each session cookie of a header, and no other cookie", async () => {
    const [shop, admin, split, merging, ticket] = await Promise.all([
      setCookies(new SessionMiddleware({ name: "shop", store: new SessionCookieStore(keys) })),
      setCookies(
        new SessionMiddleware({ name: "__Host-admin", store: new SessionCookieStore(keys) }),
      ),
      setCookies(
        new SessionMiddleware({
          name: "large",
          store: new SessionCookieStore({ ...keys, maxCookies: 4 }),
        }),
        "x".repeat(5000),
      ),
      setCookies(
        new SessionMiddleware({
          name: "merging",
          store: new SessionCookieStore({ ...keys, merge: mergingCookies() }),
        }),
      ),
      setCookies(
        new SessionMiddleware({
          name: "ticket",
          store: new SessionMemoryStore(),
          signingKey: keys.signingKey,
        }),
      ),
    ]);
    const ours = [shop, admin, split, merging, ticket].map(pairs).join("; ");
    const { code, findings } = await inspect(`Cookie: theme=dark; ${ours}; _ga=GA1.1.123.456`);
    expect(code).toBe(0);
    expect(findings.map(({ problem }) => problem)).toEqual(findings.map(() => undefined));
    const named = new Set(findings.map(({ name }) => name.replace(/\.[\w-]{6}$/, "")));
    expect([...named]).toEqual(["shop", "__Host-admin", "large", "merging", "ticket"]);
  });

  test("says that there is none, or which one isn't ours", async () => {
    const none = await inspect("Cookie: theme=dark; _ga=GA1.1.123.456");
    expect([none.code, none.findings]).toEqual([2, []]);
    expect(none.err).toContain("there is no session cookie in it");
    const other = await inspect("Cookie: theme=dark; session=of-another-library");
    expect([other.code, other.names]).toEqual([1, ["session"]]);
  });

  test("a bare value is that of the usual name", async () => {
    const [cookie = ""] = await setCookies(
      new SessionMiddleware({ store: new SessionCookieStore(keys) }),
    );
    const value = pairs([cookie]).slice("session=".length);
    expect(await inspect(value)).toMatchObject({ code: 0, names: ["session"] });
  });
});

test.each(["Set-Cookie: ", "set-cookie: ", "", "< Set-Cookie: "])(
  "takes a whole Set-Cookie line that begins with %j, with its attributes",
  async (before) => {
    const engine = new SessionMiddleware({
      name: "shop",
      store: new SessionCookieStore(keys),
      cookieExpires: 3600,
      domain: "example.com",
    });
    const [cookie = ""] = await setCookies(engine);
    expect(cookie).toMatch(/; Max-Age=3600; .*HttpOnly; SameSite=Lax$/);
    for (const flags of [[], ["--name", "shop"]]) {
      expect(await inspect(`${before}${cookie}\r\n`, flags)).toMatchObject({
        code: 0,
        findings: [{ name: "shop", kind: "session" }],
      });
    }
  },
);

test("reads the secrets from .env, except those that are set", async () => {
  const cwd = await mkdtemp(join(folder, "project-"));
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(cwd, ".env"), lines.join(""));
  const engine = new SessionMiddleware({ store: new SessionCookieStore(keys) });
  const header = pairs(await setCookies(engine));
  const nothing = { SESSION_SECRET_KEY: undefined, SESSION_SIGNING_KEY: undefined };
  const unset = nothing as unknown as typeof env;
  expect((await inspect(header, [], cwd, unset)).code).toBe(0);
  const other = { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() };
  expect(await inspect(header, [], cwd, other)).toMatchObject({
    code: 1,
    findings: [{ problem: "unknown-key" }],
  });
});
