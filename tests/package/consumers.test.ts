// Programs that use the package, compiled against its declarations alone, with every library check
// on: under both module resolutions, for Node.js and for a browser's types, and the hosts with
// their packages. TYPESCRIPTS adds compilers: "5.9.3,6.0.3", which npm run test:nodes does.
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSnippets, type Snippet, writeSnippets } from "../docs/snippets.ts";
import { repository } from "../support/cli.ts";
import { compiler, install, packOnce, readManifest, run } from "./packed.ts";

/** The last compiler that is written in JavaScript, and that knows moduleResolution node10. */
const OLDER = "5.9.3";
const ours = "of the repository";
const versions = (process.env["TYPESCRIPTS"] ?? "").split(",").filter((version) => version !== "");
const compilers = new Map<string, string>([[ours, compiler]]);
const snippets = readSnippets();
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-consumers-"));
  const { tarball } = await packOnce();
  await install(join(root, "alone"), tarball);
  for (const version of new Set([...versions, OLDER])) {
    const folder = join(root, `typescript-${version}`);
    await install(folder, `typescript@${version}`);
    compilers.set(version, join(folder, "node_modules", ".bin", "tsc"));
  }
}, 300_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** What needs no package and no Node.js. */
const anywhere = `
import {
  applyChange, DAY, isSessionError, LimitError, type Session, SessionCookieStore,
  type SessionConfig, sessionKey, SessionMemoryStore, SessionMiddleware, type SessionStore,
  type StandardSchema, toSaved,
} from "kocha-session";
import { StoreError } from "kocha-session/errors";
import { openSession, withSession } from "kocha-session/fetch";
import { kochaCookies } from "kocha-session/kocha";

const keys = { secretKey: "…", signingKey: "…" };
export const config: SessionConfig = {
  name: "appname_session",
  store: new SessionCookieStore({ ...keys, migrateFrom: kochaCookies({ name: "kocha", ...keys }) }),
  cookieExpires: 90 * DAY,
  on: { refused: ({ reason }) => void reason },
};
export const serve = withSession(config, async (request: Request, session: Session) => {
  await session.regenerate();
  session.set("name", "alice");
  for (const [key, value] of session) void (key + value);
  return new Response(session.get("name") + request.url);
});
export const upgrade = (request: Request) => openSession(config, request);
export class Own implements SessionStore {
  load(): undefined {
    return undefined;
  }
  save: SessionStore["save"] = (key, change) => {
    const { stored } = applyChange(undefined, change, Date.now());
    return toSaved(stored);
  };
}
export const engine: SessionMiddleware = SessionMiddleware.from({ store: new SessionMemoryStore() });
declare const schema: StandardSchema<string, number>;
const count = sessionKey("count", schema);
export const read = (session: Session): number | undefined => session.read(count);
export const explain = (error: unknown): number => {
  if (error instanceof StoreError) return error.status;
  if (error instanceof LimitError) return error.limit;
  // @ts-expect-error an unknown is no error of ours before it is asked
  void error.code;
  return isSessionError(error) ? error.code.length : 0;
};
// @ts-expect-error values are strings
export const wrong = (session: Session): void => session.set("count", 1);
`;

/** What needs Node.js' own types besides. */
const onNode = `
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { openSession, sessionMiddleware, withSession } from "kocha-session/node";
import { config } from "./anywhere.js";

createServer(
  withSession(config, (_request, response, session) => void response.end(session.get("name"))),
).on("upgrade", (request) => void openSession(config, request));
createHttp2Server(
  withSession(config, (request, response, session) => {
    response.stream.session?.ping(() => undefined);
    response.end(request.stream.closed ? "" : session.get("name"));
  }),
);
const middleware = sessionMiddleware(config);
createServer((request, response) => {
  middleware(request, response, () => response.end(request.session.get("name")));
});
`;

/** A CommonJS program: Node.js 20.19 and later require an ES module. */
const commonJs = `
import session = require("kocha-session");
const store: session.SessionStore = new session.SessionMemoryStore();
export = store;
`;

const node = join(repository, "node_modules");

interface Settings {
  readonly [name: string]: unknown;
}
const strict: Settings = {
  target: "ES2022",
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};
const nodeTypes: Settings = { types: ["node"], lib: ["ES2023"] };
const domTypes: Settings = { types: [], lib: ["ES2023", "DOM", "DOM.Iterable"] };
const nodenext: Settings = { module: "NodeNext", moduleResolution: "NodeNext" };
const bundler: Settings = { module: "ESNext", moduleResolution: "Bundler" };

/** A project with the installed package, and beside it all that the repository has. */
async function makeProject(name: string, type: "commonjs" | "module"): Promise<string> {
  const folder = join(root, name);
  const modules = join(folder, "node_modules");
  await cp(join(root, "alone", "node_modules"), modules, {
    recursive: true,
    verbatimSymlinks: true,
  });
  const linked = (await readdir(node)).filter((one) => !one.startsWith(".") && one !== "@noble");
  await Promise.all(linked.map((one) => symlink(join(node, one), join(modules, one))));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type }));
  return folder;
}

/** What a compiler says of a project: nothing when all is well. */
function complaints(version: string, folder: string, ...args: readonly string[]): Promise<string> {
  return run(folder, compilers.get(version) ?? "", args).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
}

/** Compiles files in a folder of their own beside the installed package. */
async function compile(
  tsc: string,
  name: string,
  options: Settings,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = join(root, "alone", name);
  await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  const settings = { compilerOptions: { ...strict, ...options }, files: Object.keys(files) };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  return run(folder, tsc, ["-p", folder]).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
}

// The compilers before 7 take their time, several of them in one test.
describe.each([ours, ...versions])("the TypeScript %s", { timeout: 180_000 }, (version) => {
  const tsc = (): string => compilers.get(version) ?? "";
  const slug = version.replaceAll(/\W/g, "-");

  test("takes a program for the Fetch API without Node.js' types", async () => {
    for (const [resolution, options] of Object.entries({ nodenext, bundler })) {
      const name = `${slug}-dom-${resolution}`;
      const files = { "anywhere.ts": anywhere };
      expect(await compile(tsc(), name, { ...domTypes, ...options }, files)).toBe("");
    }
  });

  test("takes one for Node.js, and one in CommonJS", async () => {
    const types = { ...nodeTypes, typeRoots: [join(node, "@types")] };
    const files = { "anywhere.ts": anywhere, "main.ts": onNode };
    for (const [resolution, options] of Object.entries({ nodenext, bundler })) {
      const name = `${slug}-node-${resolution}`;
      expect(await compile(tsc(), name, { ...types, ...options }, files)).toBe("");
    }
    const common = { "main.cts": commonJs };
    expect(await compile(tsc(), `${slug}-cjs`, { ...types, ...nodenext }, common)).toBe("");
  });

  test("finds in the declarations what the type tests find in the sources", async () => {
    // The same tests, with the packages of the hosts and of the schemas beside the installed one.
    const folder = await makeProject(`${slug}-types`, "module");
    const tests = join(repository, "tests", "types");
    const files = (await readdir(tests)).filter((name) => name.endsWith(".test-d.ts"));
    for (const name of files) await cp(join(tests, name), join(folder, name));
    const options = { ...strict, ...nodeTypes, ...nodenext, skipLibCheck: true };
    const settings = { compilerOptions: { ...options, lib: ["ES2024"] }, files };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
    await expect(run(folder, tsc(), ["-p", folder])).resolves.toMatchObject({ stdout: "" });
  });
});

/** An Express application in the style of CommonJS. */
const application = `
import express from "express";
import { SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
const app = express();
app.use(sessionMiddleware({ store: new SessionMemoryStore(), signingKey: process.env["KEY"] }));
app.get("/", (req, res) => void res.send(req.session.get("name")));
console.log("built");
`;
/** An application of express-session that has changed its import. */
const dropInApplication = `
import express from "express";
import { Server } from "socket.io";
import session, { MemoryStore, type SessionOptions } from "kocha-session/compat/express-session";
declare module "express-session" {
  interface SessionData {
    user: string;
  }
}
const options: SessionOptions = { secret: "…", store: new MemoryStore(), genid: (req) => String(req) };
const named: session.SessionOptions = options;
const store: session.Store | undefined = new session.MemoryStore() satisfies session.MemoryStore;
const userOf = (data: session.SessionData): unknown => data["user"];
const cookieOf = ({ cookie }: session.Session): session.Cookie => cookie satisfies session.CookieData;
const attributes: session.CookieOptions | undefined = { path: "/" };
export { attributes, cookieOf, named, store, userOf };
const app = express();
app.use(session({ ...options, cookie: { maxAge: 60_000 } }));
new Server().engine.use(session(options));
app.get("/", (req, res) => {
  req.session.user = "alice";
  req.session.cookie.maxAge = 60_000;
  req.session.save((error) => void res.send(error ?? req.session.user?.toUpperCase()));
  // @ts-expect-error our own session has it
  req.session.set("user", "alice");
  // @ts-expect-error it is a string
  req.session.user = 1;
});
class Own extends session.Store {
  get(): void {}
  set(): void {}
  destroy(): void {}
}
session({ store: new Own() });
`;
const key = randomBytes(32).toString("base64");

describe("a project of CommonJS in TypeScript", { timeout: 180_000 }, () => {
  const node10 = ["--module", "commonjs", "--moduleResolution", "node10", "--esModuleInterop"];
  const common = ["--strict", "--skipLibCheck", "--target", "es2022", "--types", "node"];

  test.each([
    ["5.9 with moduleResolution node10", OLDER, node10],
    ["5.9 with module nodenext", OLDER, ["--module", "nodenext"]],
    ["7 with module nodenext", ours, ["--module", "nodenext"]],
  ])("compiles by %s, and runs", async (what, version, options) => {
    const folder = await makeProject(what.replaceAll(/\W/g, "-"), "commonjs");
    await writeFile(join(folder, "main.ts"), application);
    expect(await complaints(version, folder, ...common, ...options, "main.ts")).toBe("");
    const { stdout } = await run(folder, process.execPath, ["main.js"], { KEY: key });
    expect(stdout).toBe("built\n");
  });

  test("finds the declarations of every entry point with moduleResolution node10", async () => {
    const folder = await makeProject("node10-entries", "commonjs");
    const { exports } = await readManifest();
    const names = Object.keys(exports).filter((path) => !path.endsWith(".json"));
    const lines = names.map(
      (path, index) => `import * as entry${index} from "kocha-session${path.slice(1)}";
export const one${index}: typeof entry${index} = entry${index};`,
    );
    await writeFile(join(folder, "main.ts"), lines.join("\n"));
    expect(await complaints(OLDER, folder, ...common, ...node10, "--noEmit", "main.ts")).toBe("");
  });
});

/** The settings that docs/typescript.md names beside those of `tsc --init`; the third is in package.json. */
const initSettings = ["--rewriteRelativeImportExtensions", "--types", "node", "--noEmit"];

/** A project as `tsc --init` sets it up, with snippets. */
async function initWith(version: string, some: readonly Snippet[]): Promise<string> {
  const name = `${version.replaceAll(/\W/g, "-")}-init-${some.length}`;
  const folder = await makeProject(name, "module");
  await run(folder, compilers.get(version) ?? "", ["--init"]);
  writeSnippets(folder, some);
  return folder;
}

test("a project as tsc --init sets it up needs each setting that the documents name", async () => {
  const inDocument = (name: string): Snippet[] =>
    snippets.filter(({ document }) => document === name);
  const config = inDocument("docs/getting-started.md").slice(0, 1);
  const folder = await initWith(ours, [...config, ...inDocument("README.md").slice(1, 3)]);
  expect(await complaints(ours, folder, ...initSettings)).toBe("");
  expect(await complaints(ours, folder, "--noEmit")).toContain("TS5097");
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "commonjs" }));
  expect(await complaints(ours, folder, ...initSettings)).toContain("TS1295");
});

describe.each([...new Set([...versions, ours])])(
  "by the TypeScript %s, a project",
  { timeout: 300_000 },
  (version) => {
    const slug = version.replaceAll(/\W/g, "-");

    test("as tsc --init sets it up takes the documents' snippets, .ts imports and all", async () => {
      // All of them with the repository's compiler, and with the others where a run is to be whole: the
      // compilers before 7 take half a minute for it.
      const isWhole = version === ours || versions.includes(version);
      const first = ["README.md", "docs/getting-started.md"];
      const some = snippets
        .filter(({ document }) => isWhole || first.includes(document))
        // Its page says what it needs.
        .filter(({ code }) => !code.includes("upgradeWebSocket("));
      expect(some.length).toBeGreaterThan(isWhole ? 80 : 7);
      const folder = await initWith(version, some);
      expect(await complaints(version, folder, ...initSettings)).toBe("");
    });

    test("with the drop-in types its session by @types/express-session", async () => {
      const folder = await makeProject(`${slug}-drop-in`, "module");
      await writeFile(join(folder, "main.ts"), dropInApplication);
      const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--noEmit"];
      const types = ["--types", "node,express-session"];
      expect(await complaints(version, folder, ...options, ...types, "main.ts")).toBe("");
    });

    test("that still has @types/express-session compiles with skipLibCheck, its default", async () => {
      const folder = await makeProject(`${slug}-left`, "module");
      await writeFile(join(folder, "main.ts"), application);
      const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--noEmit"];
      const types = ["--types", "node,express-session"];
      const compileWith = (...more: readonly string[]): Promise<string> =>
        complaints(version, folder, ...options, ...types, ...more, "main.ts");
      expect(await compileWith("--skipLibCheck")).toBe("");
      expect(await compileWith()).toMatch(/express-session.*TS2717/);
    });
  },
);
