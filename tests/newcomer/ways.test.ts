// `npm run test:newcomer`: a new user's first day, in the three ways that people come: with an application of Express and
// express-session, by `init`, and by reading which store to take. Each goes from `npm install` to a login
// that survives a restart, on the packed package, with the commands that the documents name.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageVersions } from "../../src/cli/packages.ts";
import { packOnce, readManifest, run } from "../package/packed.ts";
import { freePort } from "../support/servers/process.ts";
import {
  blockOf,
  initTypeScript,
  newProject,
  ProjectServer,
  tenLines,
  useTenLines,
} from "./project.ts";

let root: string;
let tarball: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-ways-"));
  ({ tarball } = await packOnce());
}, 300_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const versioned = (...names: readonly (keyof typeof packageVersions)[]): string[] =>
  names.map((name) => `${name}@${packageVersions[name]}`);

/** An application before the move. */
const application = `import express from "express";
import session from "express-session";

declare module "express-session" {
  interface SessionData {
    name: string;
  }
}

const app = express();
app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));
app.get("/login", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.name = "alice";
    res.send("welcome");
  });
});
app.get("/logout", (req, res, next) => {
  req.session.destroy((error) => {
    if (error) return next(error);
    res.send("goodbye");
  });
});
app.get("/", (req, res) => {
  res.send(req.session.name ?? "nobody");
});
app.listen(Number(process.env.PORT), "127.0.0.1");
`;

/** The same, changed call by call as docs/coming-from/express-session.md has them. */
const moved = `import express from "express";
import { sessionMiddleware } from "kocha-session/express";
import { session } from "./config/app.ts";

const app = express();
app.use(sessionMiddleware(session));
app.get("/login", async (req, res) => {
  await req.session.regenerate();
  req.session.set("name", "alice");
  res.send("welcome");
});
app.get("/logout", async (req, res) => {
  await req.session.destroy();
  res.send("goodbye");
});
app.get("/", (req, res) => {
  res.send(req.session.get("name") || "nobody");
});
app.listen(Number(process.env.PORT), "127.0.0.1");
`;

describe.concurrent("a newcomer", { timeout: 600_000 }, () => {
  test("moves an application of Express over", async () => {
    const folder = join(root, "express");
    const needed = versioned("express", "@types/express", "@types/node", "typescript");
    const old = versioned("express-session", "@types/express-session");
    await newProject(folder, tarball, ...needed, ...old);
    await initTypeScript(folder, {
      '"types": []': '"types": ["node"],\n    "rewriteRelativeImportExtensions": true',
    });
    const tsc = (): Promise<unknown> => run(folder, "npx", ["--no-install", "tsc"]);
    const port = await freePort();
    const server = new ProjectServer(folder, port, ["--env-file=.env", "server.js"]);
    const { visitor } = server;
    const logIn = async (): Promise<void> => {
      expect((await visitor.visit("/")).body).toBe("nobody");
      expect((await visitor.visit("/login")).body).toBe("welcome");
      expect((await visitor.visit("/")).body).toBe("alice");
    };
    await writeFile(join(folder, "server.ts"), application);
    try {
      await tsc();
      await server.start();
      await logIn();
      await server.restart();
      // What they had: a restart ends every session.
      expect((await visitor.visit("/")).body).toBe("nobody");
      await server.stop();

      await run(folder, "npm", ["uninstall", "express-session", "@types/express-session"]);
      await mkdir(join(folder, "config"));
      const isConfig = ({ code }: { code: string }): boolean => code.startsWith("// config/app.ts");
      await writeFile(join(folder, "config", "app.ts"), blockOf("README.md", isConfig));
      await writeFile(join(folder, "server.ts"), moved);
      await tsc();
      await server.start();
      await logIn();
      await server.restart();
      expect((await visitor.visit("/")).body).toBe("alice");
      await visitor.visit("/logout");
      expect((await visitor.visit("/")).body).toBe("nobody");
    } finally {
      await server.stop();
    }
  });

  test("starts with init, and adds the README's login", async () => {
    const folder = join(root, "init");
    await newProject(folder, tarball);
    const init = ["--no-install", "kocha-session", "init", "--host", "express", "--dir", "my-app"];
    const { stdout } = await run(folder, "npx", init);
    expect(stdout).toContain("Next: npm install && npm start");
    const project = join(folder, "my-app");
    const edit = async (name: string, from: string, to: string): Promise<void> => {
      const text = await readFile(join(project, name), "utf8");
      expect(text).toContain(from);
      await writeFile(join(project, name), text.replace(from, to));
    };
    // Here the version of the tests stands for the published one.
    const { version } = await readManifest();
    await edit("package.json", `"kocha-session": "${version}"`, `"kocha-session": "${tarball}"`);
    await run(project, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"]);
    const snippet = blockOf("README.md", ({ code }) => code.includes("kocha-session/express"));
    const login = /^app\.post\("\/login"[^]*?^\}\);\n/m.exec(snippet)?.[0] ?? "";
    expect(login).toContain("regenerate");
    const whoami = 'app.get("/me", (req, res) => void res.send(req.session.get("name")));\n';
    await edit("server.ts", "app.listen(", `${login}${whoami}app.listen(`);
    await run(project, "npm", ["run", "check"]);
    const { scripts } = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as {
      readonly scripts: { readonly start: string };
    };
    const [, ...args] = scripts.start.split(" ");
    const server = new ProjectServer(project, await freePort(), args);
    const { visitor } = server;
    try {
      await server.start();
      expect((await visitor.visit("/")).body).toBe("visit 1\n");
      expect((await visitor.visit("/login", "POST")).status).toBe(302);
      expect((await visitor.visit("/me")).body).toBe("alice");
      await server.restart();
      expect((await visitor.visit("/me")).body).toBe("alice");
      expect((await visitor.visit("/")).body).toBe("visit 2\n");
    } finally {
      await server.stop();
    }
  });

  test("reads which store to take, and changes one line of the ten", async () => {
    const folder = join(root, "store");
    await newProject(folder, tarball, ...versioned("libsql"));
    const isSqlite = ({ code }: { code: string }): boolean => code.includes("SessionSqliteStore");
    await writeFile(join(folder, "store.mjs"), blockOf("docs/stores/sqlite.md", isSqlite));
    const port = await freePort();
    const program = tenLines(port)
      .replace(
        'import { SessionCookieStore } from "kocha-session";',
        'import { store } from "./store.mjs";',
      )
      .replace(
        /^const store = [^]*?^\}\);\n/m,
        "const { SESSION_SIGNING_KEY: signingKey } = process.env;\n",
      )
      .replace("{ store, secure", "{ store, signingKey, secure");
    expect(program).not.toContain("SessionCookieStore");
    await writeFile(join(folder, "server.mjs"), program);
    await useTenLines(folder, port);
  });
});
