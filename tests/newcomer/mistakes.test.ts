// The ten usual mistakes, each as a program of its own beside the packed package: the message that it gives,
// and the page that the message names, which is in the package and explains it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/cli.ts";
import { install, packOnce } from "../package/packed.ts";
import { freePort } from "../support/servers/process.ts";
import { until } from "../support/until.ts";

let folder: string;
const secret = (): string => randomBytes(32).toString("base64");
const secrets = { SESSION_SECRET_KEY: secret(), SESSION_SIGNING_KEY: secret() };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kocha-session-mistakes-"));
  const { tarball } = await packOnce();
  await install(folder, tarball);
  const modules = ["express", "express-session", "@electric-sql"];
  for (const name of modules) {
    const from = join(repository, "node_modules", name);
    await symlink(from, join(folder, "node_modules", name), "junction");
  }
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const cookieStore = `new SessionCookieStore({
  secretKey: process.env.SESSION_SECRET_KEY,
  signingKey: process.env.SESSION_SIGNING_KEY,
})`;

/** A server of node:http whose handler is made of these lines. */
const handles = (lines: string, settings = 'secure: "auto"'): string => `
import { createServer } from "node:http";
import { SessionCookieStore } from "kocha-session";
import { withSession } from "kocha-session/node";
const store = ${cookieStore};
const config = { store, ${settings} };
createServer(
  withSession(config, async (req, res, session) => {
    ${lines}
  }),
).listen(process.env.PORT, "127.0.0.1");
`;

/** An application of Express with these lines in its middle. */
const application = (lines: string): string => `
import express from "express";
import { SessionCookieStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
const config = { store: ${cookieStore}, secure: "auto" };
const app = express();
${lines}
app.get("/", (req, res) => res.send(req.session.get("name")));
app.listen(process.env.PORT, "127.0.0.1");
`;

interface Mistake {
  readonly program: string;
  /** What the process prints, or a browser's page shows. */
  readonly message: RegExp;
  /** The message names this place of the page of errors. */
  readonly code: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The site's name, for a visitor who isn't on this machine. */
  readonly host?: string;
}

const mistakes: Readonly<Record<string, Mistake>> = {
  "no keys": {
    program: handles("res.end();"),
    env: {},
    message: /secretKey: is undefined.*npx kocha-session keygen/,
    code: "ERR_SESSION_CONFIG_KEY",
  },
  "a wrong key": {
    program: handles("res.end();"),
    env: { ...secrets, SESSION_SECRET_KEY: "my secret" },
    message: /secretKey: .*npx kocha-session keygen/,
    code: "ERR_SESSION_CONFIG_KEY",
  },
  "a forgotten await": {
    program: handles(`const visits = session.increment("visits");
    session.set("shown", visits);
    res.end();`),
    message: /not a promise \(await it\)/,
    code: "ERR_SESSION_USAGE_TYPE",
  },
  "a forgotten await of one's own": {
    program: handles(`const login = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      session.set("name", "alice");
    };
    login();
    res.end("welcome");`),
    message: /the response has begun.*before/,
    code: "ERR_SESSION_USAGE_HEADERS_SENT",
  },
  "set after the response": {
    program: handles(`res.end("welcome");
    session.set("name", "alice");`),
    message: /the response has begun.*before/,
    code: "ERR_SESSION_USAGE_HEADERS_SENT",
  },
  "an object": {
    program: handles(`session.set("user", { id: 42 });
    res.end();`),
    message: /value must be a string, not an object.*JSON\.stringify/,
    code: "ERR_SESSION_USAGE_TYPE",
  },
  "too much": {
    program: handles(`session.set("history", "x".repeat(10_000));
    res.end();`),
    message: /needs \d+ bytes of cookies, .*raise maxCookies/,
    code: "ERR_SESSION_LIMIT_COOKIE",
  },
  "two middlewares": {
    program: application(`app.use(sessionMiddleware(config));
app.use(sessionMiddleware({ ...config, name: "another" }));`),
    message: /another configuration/,
    code: "ERR_SESSION_USAGE_NO_SESSION",
  },
  "a middleware of another library": {
    program: application(`const { default: expressSession } = await import("express-session");
app.use(expressSession({ secret: "cat", resave: false, saveUninitialized: false }));
app.use(sessionMiddleware(config));`),
    message: /req\.session/,
    code: "ERR_SESSION_USAGE_FOREIGN",
  },
  "secure on http": {
    program: handles(
      `session.set("name", "alice");
    res.end();`,
      "secure: true",
    ),
    host: "shop.example",
    message: /Secure.*plain HTTP.*secure: "auto"/,
    code: "KOCHA_SESSION_INSECURE",
  },
  "a wrong client": {
    program: `import { SessionPostgresStore } from "kocha-session/postgres";
new SessionPostgresStore({ client: "postgres://localhost/app" });`,
    message: /client: must be a .*not a string/,
    code: "ERR_SESSION_CONFIG_STORE",
  },
  "a missing table": {
    program: `import { createServer } from "node:http";
import { PGlite } from "@electric-sql/pglite";
import { SessionPostgresStore } from "kocha-session/postgres";
import { withSession } from "kocha-session/node";
const store = new SessionPostgresStore({ client: await PGlite.create() });
const config = { store, signingKey: process.env.SESSION_SIGNING_KEY, secure: "auto", storeTimeout: 20 };
createServer(
  withSession(config, (req, res, session) => {
    session.set("name", "alice");
    res.end();
  }),
).listen(process.env.PORT, "127.0.0.1");`,
    message: /kocha_sessions.*createTable\(\)/,
    code: "ERR_SESSION_STORE_FAILED",
  },
};

/** Visits a program until it has printed a message of ours, or has ended; gives all that was seen. */
async function seen(name: string, { program, env = secrets, host }: Mistake): Promise<string> {
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  await writeFile(file, program);
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env["PATH"], PORT: String(port), ...env },
  });
  let output = "";
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (/\(see kocha-session\/[^)]+\)[^]*\n/.test(output)) resolve();
      });
    }
  });
  const ended = once(child, "close");
  try {
    let isOver = false;
    void Promise.race([said, ended]).then(() => (isOver = true));
    // The first visit that is answered is the only one.
    await until(`${name} answers`, async () => isOver || visit(port, host), 150_000);
    await Promise.race([said, ended]);
    return output;
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

/** Whether somebody answers. */
function visit(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = host === undefined ? {} : { host };
    const asked = request({ port, host: "127.0.0.1", headers }, (response) => {
      response.resume().once("close", () => resolve(true));
    });
    asked.once("error", () => resolve(false)).end();
  });
}

const packedPage = (path: string): Promise<string> =>
  readFile(join(folder, "node_modules", "kocha-session", path), "utf8");

describe.concurrent("a newcomer's mistake", () => {
  test.each(Object.entries(mistakes))("%s", { timeout: 180_000 }, async (name, mistake) => {
    const output = await seen(name, mistake);
    expect(output).toMatch(mistake.message);
    const [, page = "", anchor = ""] = /\(see kocha-session\/([\w./-]+)#(\w+)\)/.exec(output) ?? [];
    expect(anchor).toBe(mistake.code.toLowerCase());
    const headings = (await packedPage(page)).match(/^### \w+$/gm);
    expect(headings).toContain(`### ${mistake.code}`);
    for (const value of Object.values(mistake.env ?? secrets)) expect(output).not.toContain(value);
  });

  test.each([...new Set(Object.values(mistakes).map(({ code }) => code))])(
    "%s is in the table of symptoms",
    async (code) => expect(await packedPage("docs/troubleshooting.md")).toContain(code),
  );
});
