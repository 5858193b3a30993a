// The published package: what is in it, that each entry point loads both ways where its peers
// aren't installed, that nothing else can be reached, and that its program runs.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { linkedFile, readLinks } from "../docs/documents.ts";
import { repository } from "../support/cli.ts";
import { until } from "../support/until.ts";
import {
  frameworkEntries,
  install,
  type Manifest,
  packOnce,
  type Packed,
  readManifest,
  run,
} from "./packed.ts";

let root: string;
let packed: Packed;
let manifest: Manifest;
let consumer: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-dist-"));
  packed = await packOnce();
  manifest = await readManifest();
  consumer = join(root, "consumer");
  await install(consumer, packed.tarball);
}, 180_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** Runs a module in the folder where the package is installed. */
function runHere(program: string, type = "module") {
  return run(consumer, process.execPath, [`--input-type=${type}`, "-e", program]);
}

/** The entry points, as they are imported. */
function entryPoints(): string[] {
  return Object.keys(manifest.exports).map((path) => `kocha-session${path.slice(1)}`);
}

/**
 * Whether a text names a folder of this machine: at the start of a path or of a file URL, since
 * the end of a relative one (`../../src` in a source map) can read like a checkout at `/src`.
 */
function namesFolder(text: string, folder: string): boolean {
  return text
    .split(folder)
    .slice(0, -1)
    .some((before) => before.endsWith("file://") || !/[\w./-]$/.test(before));
}

describe("its files", () => {
  test("are the sources, what was built of them, and the documents and schemas that package.json names", () => {
    const allowed = [
      /^(package\.json|LICENSE|(README|ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/,
      /^docs\/([a-z0-9-]+\/)?([a-z0-9-]+\.(md|svg|webp)|README\.md)$/,
      /^bench\/(README\.md|results\/[a-z-]+\.json)$/,
      /^src\/[a-z0-9/-]+\.ts$/,
      /^dist\/(chunks\/)?[a-z0-9/-]+(\.js|\.d\.ts|\.js\.map|\.d\.ts\.map)$/,
      /^vectors\/[a-z0-9-]+\.json$/,
      /^dist\/sql\/[a-z-]+\.sql$/,
      /^dist\/demo\/(serve\.js|browser\/[a-z-]+\.mjs)$/,
    ];
    const strangers = packed.files.filter(({ path }) => !allowed.some((rule) => rule.test(path)));
    expect(strangers).toEqual([]);
    const parts = (folder: string, end: string): string[] =>
      packed.files
        .map(({ path }) => path)
        .filter((path) => path.startsWith(folder) && path.endsWith(end))
        .map((path) => path.slice(folder.length, -end.length))
        .toSorted();
    const sources = parts("src/", ".ts");
    expect(sources.length).toBeGreaterThan(40);
    for (const end of [".d.ts", ".d.ts.map"]) expect(parts("dist/", end)).toEqual(sources);
    // Programs are few files, for a cold start's sake: what is entered, and what entries share.
    const programs = parts("dist/", ".js");
    const maps = parts("dist/", ".js.map");
    expect(maps.filter((path) => !programs.includes(path))).toEqual([]);
    const shared = programs.filter((path) => path.startsWith("chunks/"));
    expect(programs.filter((path) => !sources.includes(path))).toEqual([...shared, "demo/serve"]);
    expect(shared.length).toBeLessThan(16);
    // One that only hands on what another has shows nothing to map.
    expect(maps).toEqual(expect.arrayContaining(["cli/main", "hosts/fastify", ...shared]));
  });

  test("have what the README and the documents link to", () => {
    const paths = new Set(packed.files.map(({ path }) => path));
    const documents = [...paths].filter((path) => path.endsWith(".md"));
    expect(documents).toContain("docs/reference/errors.md");
    const dead = documents.flatMap((document) =>
      readLinks(document)
        .map((link) => [link, linkedFile(document, link)] as const)
        // Examples are whole projects of the repository.
        .filter(([, file]) => !paths.has(file) && !file.startsWith("examples/"))
        .map(([link]) => `${document}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  test("hold no test, no path of a machine, and no key", async () => {
    const home = join(consumer, "node_modules", "kocha-session");
    for (const { path } of packed.files) {
      expect(path).not.toMatch(/test\.ts|\.tmp|\.env|node_modules/);
      const text = await readFile(join(home, path), "utf8");
      for (const folder of [repository, root, packed.folder])
        expect(namesFolder(text, folder), `${path} names a folder`).toBe(false);
      // A key of 32 bytes as keygen prints it, after the name of the variable that holds it.
      expect(text).not.toMatch(/_KEY=["']?[\w+/-]{43}/);
    }
  });

  test("have the SQL of each table, as the store's own function gives it", async () => {
    const { stdout } = await runHere(`
      import { mysqlSessionsSql } from "kocha-session/mysql";
      import { postgresRevocationsSql, postgresSessionsSql } from "kocha-session/postgres";
      import { sqliteRevocationsSql, sqliteSessionsSql } from "kocha-session/sqlite";
      const tables = { "mysql-sessions": mysqlSessionsSql(),
        "postgres-revocations": postgresRevocationsSql(), "postgres-sessions": postgresSessionsSql(),
        "sqlite-revocations": sqliteRevocationsSql(), "sqlite-sessions": sqliteSessionsSql() };
      console.log(JSON.stringify(tables));`);
    const tables = JSON.parse(stdout) as Record<string, readonly string[]>;
    const folder = join(consumer, "node_modules", "kocha-session", "dist", "sql");
    expect((await readdir(folder)).toSorted()).toEqual(
      Object.keys(tables).map((name) => `${name}.sql`),
    );
    for (const [name, statements] of Object.entries(tables)) {
      const [head, ...rest] = (await readFile(join(folder, `${name}.sql`), "utf8")).split("\n");
      expect(head).toMatch(/^-- What \w+Sql\(\) of kocha-session gives/);
      expect(rest.join("\n")).toBe(`${statements.join("\n")}\n`);
    }
  });

  test("have the program executable, and every entry point where package.json says", async () => {
    const home = join(consumer, "node_modules", "kocha-session");
    for (const entry of Object.values(manifest.exports)) {
      for (const path of typeof entry === "string" ? [entry] : Object.values(entry)) {
        await expect(readFile(join(home, path))).resolves.toBeInstanceOf(Buffer);
      }
    }
    const program = await readFile(join(consumer, "node_modules", ".bin", "kocha-session"), "utf8");
    expect(program.startsWith("#!/usr/bin/env node")).toBe(true);
  });
});

describe("its entry points", () => {
  test("bring the dependencies and nothing else", async () => {
    const found = await readdir(join(consumer, "node_modules"), { recursive: true });
    const packages = found
      .filter((path) => path.endsWith("package.json") && path.split("/").length <= 3)
      .map((path) => path.replace("/package.json", ""))
      .filter((path) => !path.startsWith("."));
    const wanted = ["kocha-session", ...Object.keys(manifest.dependencies)];
    expect(packages.toSorted()).toEqual(wanted.toSorted());
  });

  test("load by import and by require, without a word, and are the same both ways", async () => {
    const names = entryPoints().filter(
      (name) => !name.endsWith(".json") && frameworkEntries[name] === undefined,
    );
    const { stdout, stderr } = await runHere(`
      import { createRequire } from "node:module";
      const require = createRequire(process.cwd() + "/index.js");
      for (const name of ${JSON.stringify(names)}) {
        const [imported, required] = [await import(name), require(name)];
        const keys = Object.keys(imported);
        if (keys.length === 0) throw new Error(name + " exports nothing");
        // A drop-in for a package whose module is a function is that function.
        const isWhole = "module.exports" in imported;
        for (const key of keys) {
          const own = isWhole && (key === "default" || key === "module.exports");
          if ((own ? required : required[key]) !== imported[key]) throw new Error(name + " has two of " + key);
        }
        console.log(name);
      }
      require("kocha-session/package.json");
    `);
    expect(stdout.trim().split("\n")).toEqual(names);
    expect(stderr).toBe("");
  });

  test.each(Object.entries(frameworkEntries))(
    "%s needs nothing except %s",
    async (name, needed) => {
      const { stdout } = await runHere(
        `await import("${name}").catch(({ message }) => console.log(message));`,
      );
      expect(stdout).toContain(`Cannot find package '${needed}' imported from`);
    },
  );

  test("what a CommonJS program does works", async () => {
    const { stdout, stderr } = await runHere(
      `
      const { SessionMiddleware, SessionMemoryStore } = require("kocha-session");
      const { randomBytes } = require("node:crypto");
      const signingKey = randomBytes(32).toString("base64");
      const engine = new SessionMiddleware({ store: new SessionMemoryStore(), signingKey });
      (async () => {
        const session = await engine.open(undefined);
        session.set("name", "alice");
        const { setCookie } = await engine.commit(session);
        const again = await engine.open(setCookie[0].split(";", 1)[0]);
        console.log(again.get("name"));
      })();
    `,
      "commonjs",
    );
    expect([stdout, stderr]).toEqual(["alice\n", ""]);
  });

  test("the tests of an application need no peer; a law's case says which one it misses", async () => {
    const { stdout } = await runHere(`
      import { SessionMemoryStore } from "kocha-session";
      import { mintCookie, readCookie, storeLaws } from "kocha-session/testing";
      const config = { store: new SessionMemoryStore(), signingKey: ${JSON.stringify(freshKey())} };
      const cookie = await mintCookie(config, { name: "alice" });
      console.log((await readCookie(config, cookie)).get("name"));
      const makeStore = async () => ({ store: new SessionMemoryStore(), close: () => {} });
      for (const { id, run } of await storeLaws(makeStore)) {
        if (/^L1 merge|histories/.test(id)) await run().catch(({ message }) => console.log(message));
      }
    `);
    expect(stdout).toMatch(/^alice\n/);
    for (const peer of ["tough-cookie", "fast-check"])
      expect(stdout).toContain(`Cannot find package '${peer}'`);
  });

  test("nothing else of the package can be reached", async () => {
    const hidden = [
      "/engine/request",
      "/dist/engine/request.js",
      "/src/engine/request.ts",
      "/crypto",
    ];
    for (const path of hidden) {
      await expect(runHere(`await import("kocha-session${path}")`)).rejects.toThrow(
        "ERR_PACKAGE_PATH_NOT_EXPORTED",
      );
    }
  });

  test("the sources' condition, which the repository's own tests use, is nobody else's default", async () => {
    const { stdout } = await runHere(`console.log(import.meta.resolve("kocha-session"))`);
    expect(stdout).toContain("/dist/index.js");
  });
});

describe("bundled", () => {
  const program = `
    import { SessionCookieStore, SessionMiddleware } from "kocha-session";
    import { withSession } from "kocha-session/node";
    const [secretKey, signingKey] = process.env.SECRETS.split(" ");
    const config = { store: new SessionCookieStore({ secretKey, signingKey }) };
    const engine = SessionMiddleware.from(config);
    void (async () => {
      const session = await engine.open(undefined);
      session.set("name", "alice");
      const [cookie] = (await engine.commit(session)).setCookie;
      console.log((await engine.open(cookie.split(";", 1)[0])).get("name"), typeof withSession(config, () => 0));
    })();`;
  const esbuild = (format: "cjs" | "esm") => async (outfile: string) => {
    const stdin = { contents: program, resolveDir: consumer };
    await build({ stdin, bundle: true, platform: "node", format, outfile, logLevel: "silent" });
  };

  test.each([
    ["by esbuild into ES modules", "esm.mjs", esbuild("esm")],
    ["by esbuild into CommonJS", "common.cjs", esbuild("cjs")],
    [
      "by Rolldown",
      "rolldown.mjs",
      async (file: string) => {
        const entry = join(consumer, "rolldown-entry.mjs");
        await writeFile(entry, program);
        const built = await rolldown({ input: entry, platform: "node" });
        await built.write({ file, format: "esm" });
        await built.close();
      },
    ],
  ])("%s it runs where no package is installed", async (_, name, bundle) => {
    const folder = join(root, "bundled");
    await mkdir(folder, { recursive: true });
    await bundle(join(folder, name));
    const SECRETS = [0, 1].map(() => randomBytes(32).toString("base64")).join(" ");
    const { stdout } = await run(folder, process.execPath, [name], { SECRETS });
    expect(stdout).toBe("alice function\n");
  });
});

describe("without node:crypto", () => {
  test("the conditions' default opens what Node.js sealed, and Node.js what it sealed", async () => {
    const portable = join(root, "portable");
    await cp(consumer, portable, { recursive: true, verbatimSymlinks: true });
    const path = join(portable, "node_modules", "kocha-session", "package.json");
    const changed = JSON.parse(await readFile(path, "utf8")) as {
      imports: Record<string, { readonly default: string }>;
    };
    changed.imports["#crypto"] = { default: changed.imports["#crypto"]?.default ?? "" };
    await writeFile(path, JSON.stringify(changed));
    const [secretKey, signingKey] = [randomBytes(32), randomBytes(32)].map((it) =>
      it.toString("base64"),
    );
    const engine = `
      import { SessionCookieStore, SessionMiddleware } from "kocha-session";
      const keys = ${JSON.stringify({ secretKey, signingKey })};
      const engine = new SessionMiddleware({ store: new SessionCookieStore(keys) });`;
    const seal = `${engine}
      const session = await engine.open(undefined);
      session.set("name", "\u{1F36A}");
      console.log((await engine.commit(session)).setCookie[0].split(";", 1)[0]);`;
    for (const [from, to] of [
      [consumer, portable],
      [portable, consumer],
    ] as const) {
      // Without this the default takes node:crypto, which is there.
      const without = "data:text/javascript,delete process.getBuiltinModule";
      const args = ["--input-type=module", "-e"];
      const argsOf = (folder: string) =>
        folder === portable ? ["--import", without, ...args] : args;
      const { stdout: cookie } = await run(from, process.execPath, [...argsOf(from), seal]);
      const open = `${engine}
        console.log((await engine.open(${JSON.stringify(cookie.trim())})).get("name"));`;
      expect((await run(to, process.execPath, [...argsOf(to), open])).stdout).toBe("\u{1F36A}\n");
    }
  });
});

describe("its program", () => {
  const program = (...args: readonly string[]) =>
    run(consumer, join(consumer, "node_modules", ".bin", "kocha-session"), args);

  test("makes keys that the package takes", async () => {
    const { stdout, stderr } = await program("keygen");
    expect(stderr).toBe("");
    await writeFile(join(consumer, ".env"), stdout);
    const { stdout: made } = await run(consumer, process.execPath, [
      "--env-file=.env",
      "--input-type=module",
      "-e",
      `import { SessionCookieStore } from "kocha-session";
       new SessionCookieStore({
         secretKey: process.env.SESSION_SECRET_KEY, signingKey: process.env.SESSION_SIGNING_KEY });
       console.log("taken");`,
    ]);
    expect(made).toBe("taken\n");
  });

  test("has help for every command, says its version, and refuses what it doesn't know", async () => {
    for (const command of [[], ["keygen"], ["init"], ["inspect"], ["doctor"], ["demo"]]) {
      const { stdout } = await program(...command, "--help");
      expect(stdout).toContain("kocha-session");
    }
    expect((await program("--version")).stdout.trim()).toBe(manifest.version);
    await expect(program("unheard-of")).rejects.toMatchObject({ code: 2 });
  });

  test("runs the demo without further packages, until it is interrupted", async () => {
    const file = join(consumer, "node_modules", ".bin", "kocha-session");
    const { PATH = "" } = process.env;
    const child = spawn(file, ["demo", "--port", "0"], { cwd: consumer, env: { PATH } });
    const ended = once(child, "exit");
    let said = "";
    let complained = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complained += chunk.toString()));
    try {
      await until("the demo runs", () => said.includes("http://") || child.exitCode !== null);
      const [origin = complained] = /http:\/\/localhost:\d+/.exec(said) ?? [];
      for (const path of ["/page.mjs", "/proofs.mjs", "/style.css", "/shop"]) {
        expect((await fetch(`${origin}${path}`)).status).toBe(200);
      }
      // The forms of a browser without JavaScript: this server sends the proof's own requests.
      const body = new URLSearchParams({ proof: "clicks" });
      const page = await fetch(`${origin}/proofs/run`, { method: "POST", body });
      expect(await page.text()).toContain("<strong>5 of 5 kept</strong>");
      child.kill("SIGINT");
      expect(await ended).toEqual([0, null]);
      expect(complained).toBe("");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("names the driver that a store of the demo needs", async () => {
    await expect(program("demo", "--store", "redis", "--port", "0")).rejects.toMatchObject({
      code: 1,
      stderr: "--store redis needs a driver: npm install redis\n",
    });
    await expect(program("demo", "--store", "nowhere")).rejects.toMatchObject({ code: 2 });
  });
});
