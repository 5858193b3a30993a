// An example in a folder outside the repository, installed with the packed package as its users would,
// built and started there. Nothing of the repository's own node_modules can be found from it.
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { runtime, versions } from "../../../scripts/runtimes.ts";
import { repository } from "../../../tests/support/cli.ts";
import { freePort, ServerProcess, startOrClose } from "../../../tests/support/servers/process.ts";
import { type Commands, commandsOf } from "./readme.ts";

const execute = promisify(execFile);

/** What a run records of a project. */
export interface Built {
  /** "next 16.4.6, react 19.3.1". */
  readonly packages: string;
  /** "Node.js 24.21.0". */
  readonly runtime: string;
  /** "production build", "production build, edge runtime". */
  readonly what: string;
}

/** The making of a project. */
export interface ProjectOptions {
  /** The folder's name in examples/. */
  readonly example: string;
  /** A name of its own, where one example is built in several ways. Default: the example's. */
  readonly name?: string;
  /** The line of Node.js that installs, builds and serves it. Default: that of the tests. */
  readonly node?: "20" | "22" | "24" | "26";
  /** The other runtimes that it runs on. */
  readonly on?: readonly ("bun" | "deno")[];
  /** Folders below examples/tests/overlays whose files are laid over the example's. */
  readonly overlays?: readonly string[];
  /** Packages that only the tests need, such as "tough-cookie@6.1.0" for the conformance kit. */
  readonly besides?: readonly string[];
  /** Changes to its package.json, such as another version of the framework. */
  readonly manifest?: (manifest: Record<string, unknown>) => Record<string, unknown>;
  /** The packages whose versions the report names. */
  readonly packages: readonly string[];
  /** What it is, for the report. Default "production build". */
  readonly what?: string;
}

/** A started example. */
export interface Started {
  readonly url: string;
  readonly server: ServerProcess;
  readonly close: () => Promise<void>;
}

/** How to start an example. */
export interface StartOptions {
  /** The program and its arguments, for a port; a name is looked up as `npx` does. Default: `line`. */
  readonly command?: (port: number) => readonly [program: string, ...args: string[]];
  /** Which of the README's lines that start it; counted from 0, or backwards from -1. Default -1. */
  readonly line?: number;
  readonly env?: (port: number) => Readonly<Record<string, string>>;
}

/** An example, installed. */
export class Project {
  readonly folder: string;
  readonly #path: string;

  constructor(folder: string, path: string) {
    this.folder = folder;
    this.#path = path;
  }

  /** What its README tells to run. */
  get readme(): Commands {
    return commandsOf(readFileSync(join(this.folder, "README.md"), "utf8"));
  }

  /** Runs the README's commands up to the start: the application is built then, and has its keys. */
  async follow(): Promise<void> {
    for (const line of this.readme.before) await this.run(["sh", "-c", line]);
  }

  /** Runs a program of the project to its end; one that fails rejects with what it wrote. */
  async run(
    [program = "", ...args]: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly stdout: string; readonly stderr: string }> {
    try {
      return await execute(program, args, {
        cwd: this.folder,
        env: this.#environment(env),
        maxBuffer: 64 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(" ")} failed\n${stdout}\n${stderr}`, {
        cause: error,
      });
    }
  }

  /** Starts a server of the project on a free port, and waits until it answers HTTP. */
  async start({ command, line = -1, env }: StartOptions): Promise<Started> {
    const port = await freePort();
    const shell = ["sh", "-c", this.readme.starts.at(line) ?? "false"] as const;
    const [program, ...args] = command?.(port) ?? shell;
    const url = `http://localhost:${port}`;
    const server = new ServerProcess({
      program: this.#find(program),
      args,
      cwd: this.folder,
      env: this.#environment(env?.(port) ?? {}),
      // A script of npm is a process of its own.
      isGroup: true,
      isReady: async () => (await fetch(url, { redirect: "manual" })).status > 0,
    });
    const close = (): Promise<void> => server.stop("SIGKILL");
    await startOrClose(server, close);
    return { url, server, close };
  }

  /** The texts of all files below a folder, by their paths. */
  files(...path: readonly string[]): ReadonlyMap<string, string> {
    const root = join(this.folder, ...path);
    const all = readdirSync(root, { recursive: true, withFileTypes: true });
    const files = all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    return new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
  }

  /** The installed version of a package. */
  version(name: string): string {
    const file = join(this.folder, "node_modules", name, "package.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }

  #environment(env: Readonly<Record<string, string>>): Record<string, string> {
    // The certificates are what npm may need to reach its registry.
    const { HOME = "", NODE_EXTRA_CA_CERTS = "" } = process.env;
    const usual = { PATH: this.#path, HOME, NODE_EXTRA_CA_CERTS, CI: "true", ...quiet };
    return { ...usual, ...env };
  }

  #find(program: string): string {
    const found = this.#path.split(delimiter).map((folder) => join(folder, program));
    return found.find((path) => existsSync(path)) ?? program;
  }
}

const labels = { bun: "Bun", deno: "Deno" };

/** No framework phones home from a test. */
const quiet = {
  DENO_NO_UPDATE_CHECK: "1",
  WRANGLER_SEND_METRICS: "false",
  NEXT_TELEMETRY_DISABLED: "1",
  NUXT_TELEMETRY_DISABLED: "1",
  ASTRO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};

/**
 * Installs an example with the packed package. Its node_modules stay for the next run as long as its
 * lockfile is the same.
 */
export async function prepare(options: ProjectOptions): Promise<Project> {
  const { example, name = example, node, on = [], overlays = [], packages } = options;
  const folder = join(tmpdir(), "kocha-session-examples", name);
  const source = join(repository, "examples", example);
  await empty(folder);
  const isOurs = (path: string): boolean => !path.includes("node_modules");
  await cp(source, folder, { recursive: true, filter: isOurs });
  for (const overlay of overlays) {
    const from = join(repository, "examples", "tests", "overlays", overlay);
    await cp(from, folder, { recursive: true, force: true });
  }
  const programs = [node === undefined ? process.execPath : runtime("node", newest(node))];
  for (const one of on) programs.push(runtime(one, versions[one]));
  const binaries = join(folder, "node_modules", ".bin");
  const { PATH = "" } = process.env;
  const project = new Project(folder, [binaries, ...programs.map(dirname), PATH].join(delimiter));
  await install(project, options);
  const { stdout } = await project.run(["node", "--version"]);
  note({
    packages: packages.map((one) => `${one} ${project.version(one)}`).join(", "),
    runtime:
      on.map((one) => `${labels[one]} ${versions[one]}`).join(", ") ||
      `Node.js ${stdout.trim().slice(1)}`,
    what: options.what ?? "production build",
  });
  return project;
}

/** Removes everything except what npm installed. */
async function empty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const kept = ["node_modules", "installed"];
  const old = readdirSync(folder).filter((name) => !kept.includes(name));
  await Promise.all(old.map((name) => rm(join(folder, name), { recursive: true })));
}

async function install(
  project: Project,
  { manifest: change, besides = [] }: ProjectOptions,
): Promise<void> {
  const { folder } = project;
  const file = join(folder, "package.json");
  const lock = join(folder, "package-lock.json");
  if (change !== undefined) {
    const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    await writeFile(file, JSON.stringify(change(manifest), undefined, 2));
    await rm(lock, { force: true });
  }
  const hash = createHash("sha256").update(await readFile(file));
  if (existsSync(lock)) hash.update(await readFile(lock));
  const key = hash.digest("hex");
  const mark = join(folder, "installed");
  if (!existsSync(mark) || readFileSync(mark, "utf8") !== key) {
    const command = existsSync(lock) ? "ci" : "install";
    await project.run(["npm", command, "--no-audit", "--no-fund", "--prefer-offline"]);
    await writeFile(mark, key);
  }
  const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"];
  // npm takes a tarball of the same name and version for the one that it has.
  await rm(join(folder, "node_modules", "kocha-session"), { recursive: true, force: true });
  await project.run(["npm", "install", ...flags, tarball(), ...besides]);
  // As in its users' projects: bundlers leave out what is among the dependencies.
  const manifest = JSON.parse(await readFile(file, "utf8")) as { dependencies?: object };
  const dependencies = { ...manifest.dependencies, "kocha-session": "*" };
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }, undefined, 2));
}

/** The packed package; `npm run examples` makes it. */
function tarball(): string {
  const { EXAMPLE_TARBALL } = process.env;
  if (EXAMPLE_TARBALL !== undefined) return EXAMPLE_TARBALL;
  throw new Error(
    "run the examples' tests by `npm run examples -- <name>`, which packs the package",
  );
}

function newest(line: string): string {
  const found = versions.nodes.findLast((version) => version.startsWith(`${line}.`));
  if (found === undefined) throw new Error(`scripts/runtimes.ts has no Node.js ${line}`);
  return found;
}

/** Leaves for the report what was built. */
function note(built: Built): void {
  const { EXAMPLE_BUILT } = process.env;
  if (EXAMPLE_BUILT === undefined) return;
  const before = existsSync(EXAMPLE_BUILT)
    ? (JSON.parse(readFileSync(EXAMPLE_BUILT, "utf8")) as Built[])
    : [];
  writeFileSync(EXAMPLE_BUILT, JSON.stringify([...before, built]));
}
