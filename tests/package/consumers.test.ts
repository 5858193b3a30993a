// Programs that use the package, compiled against its declarations alone, with every library check
// on: under both module resolutions, for Node.js and for a browser's types, and the hosts with
// their packages. TYPESCRIPTS adds compilers: "5.9.3,6.0.3", which npm run test:nodes does.
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/cli.ts";
import { compiler, install, pack, run } from "./packed.ts";

const versions = (process.env["TYPESCRIPTS"] ?? "").split(",").filter((version) => version !== "");
const compilers = new Map<string, string>([["of the repository", compiler]]);
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-consumers-"));
  const { tarball } = await pack(root);
  await install(join(root, "alone"), tarball);
  for (const version of versions) {
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
    return toSaved(key, stored);
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
describe.each(["of the repository", ...versions])(
  "the TypeScript %s",
  { timeout: 180_000 },
  (version) => {
    const tsc = (): string => compilers.get(version) ?? "";
    const slug = version.replaceAll(/\W/g, "-");
    const node = join(repository, "node_modules");

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
      const folder = join(root, `${slug}-types`);
      await cp(join(root, "alone", "node_modules"), join(folder, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
      });
      const linked = (await readdir(node)).filter(
        (name) => !name.startsWith(".") && name !== "@noble",
      );
      await Promise.all(
        linked.map((name) => symlink(join(node, name), join(folder, "node_modules", name))),
      );
      await writeFile(join(folder, "package.json"), '{ "type": "module" }');
      const tests = join(repository, "tests", "types");
      const files = (await readdir(tests)).filter((name) => name.endsWith(".test-d.ts"));
      for (const name of files) await cp(join(tests, name), join(folder, name));
      const options = { ...strict, ...nodeTypes, ...nodenext, skipLibCheck: true };
      const settings = { compilerOptions: { ...options, lib: ["ES2024"] }, files };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
      await expect(run(folder, tsc(), ["-p", folder])).resolves.toMatchObject({ stdout: "" });
    });
  },
);
