// `kocha-session init`: writes a working project around a configuration. It never overwrites a file.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline/promises";
import { completeEnvironment } from "./env-file.ts";
import {
  type Framework,
  frameworkFiles,
  frameworks,
  frameworkStores,
  frameworkTemplates,
} from "./framework-templates.ts";
import { keyLines } from "./keygen.ts";
import { packageVersions } from "./packages.ts";
import { type Host, hosts, projectFiles, type ProjectOptions } from "./templates.ts";
import { type Store, stores, type StoreTemplate, storeTemplates } from "./store-templates.ts";
import { type Command, readOptions, type Terminal, UsageFault } from "./terminal.ts";
import {
  deployingSteps,
  workerFiles,
  type WorkerOptions,
  workerStores,
} from "./worker-templates.ts";

/** The host of `init` that is a Cloudflare Worker. */
const WORKER = "worker";
const ENV_COMMENT =
  "# AUTO-GENERATED random secrets of kocha-session init. Keep them out of the repository.";
/** A cookie's name, short enough for every prefix. */
const APP_NAME = /^[a-z0-9][a-z0-9_-]{0,60}$/;

/** The command. */
export const init: Command = {
  name: "init",
  summary: "writes a working project: settings, server, one GET controller, fresh secrets",
  help: `kocha-session init [--host <host>] [--store <store>] [--name <app>] [--dir <folder>] [--https] [--js]

  --host   ${hosts.join(", ")}; asked for on a terminal
           ${WORKER}: a Cloudflare Worker, with wrangler
           in a project of its own generator: ${frameworks.join(", ")}
  --store  ${stores.join(", ")}; asked for on a terminal, else cookie
           of a worker ${workerStores.join(" or ")}; else durable-object
  --name   the application's name; default the folder's
  --dir    where to write; default here
  --https  the site is served only by https: the cookie is named __Host-Http-<app>
  --js     .mjs files instead of TypeScript; not for a framework or a worker

Writes config/app.ts, controllers/root.ts, server.ts, package.json, tsconfig.json, .env with fresh random secrets, and
.env into .gitignore. For a worker src/worker.ts and wrangler.jsonc take the place of server.ts. For a framework
it writes its session file, .env and .gitignore, and says what is done by hand. What an existing .env lacks is
appended to it; any other existing file is left as it is: the last lines say what it lacks, and the exit code
is 1.
`,
  run: async (args, out) => {
    const options = readOptions(args, {
      host: { type: "string" },
      store: { type: "string" },
      name: { type: "string" },
      dir: { type: "string", default: "." },
      https: { type: "boolean", default: false },
      js: { type: "boolean", default: false },
    });
    const folder = resolve(options.dir);
    const app = options.name ?? toAppName(basename(folder));
    if (!APP_NAME.test(app)) {
      throw new UsageFault("--name must be lower-case letters, digits, - and _, at most 61");
    }
    const { https, js } = options;
    const framework = frameworks.find((name) => name === options.host);
    if (framework !== undefined) {
      if (js) throw new UsageFault(`--js isn't for ${framework}: its session file is TypeScript`);
      const store = oneOf(frameworkStores, "store", options.store ?? "cookie");
      return add(folder, framework, { store, app, https }, out);
    }
    if (options.host === WORKER) {
      if (js) throw new UsageFault("--js isn't for a worker: its files are TypeScript");
      const store = oneOf(workerStores, "store", options.store ?? "durable-object");
      return writeWorker(folder, { store, app, https, version: ownVersion() }, out);
    }
    const { host, store } = await choose(options.host, options.store, out);
    return write(folder, { host, store, app, https, js, version: ownVersion() }, out);
  },
};

/** The option's value, or else the answer on a terminal. */
async function choose(
  givenHost: string | undefined,
  givenStore: string | undefined,
  out: Terminal,
): Promise<{ host: Host; store: Store }> {
  const host =
    givenHost === undefined ? undefined : oneOf(hosts, "host", givenHost, [WORKER, ...frameworks]);
  const store = givenStore === undefined ? undefined : oneOf(stores, "store", givenStore);
  if (!process.stdin.isTTY) {
    if (host === undefined) throw new UsageFault("say --host: there is no terminal to ask on");
    return { host, store: store ?? "cookie" };
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return {
      host: host ?? (await ask(prompt, out, "Which host?", hosts, "express")),
      store: store ?? (await ask(prompt, out, "Which store?", stores, "cookie")),
    };
  } finally {
    prompt.close();
  }
}

function oneOf<Name extends string>(
  names: readonly Name[],
  flag: string,
  given: string,
  others: readonly string[] = [],
): Name {
  const name = names.find((known) => known === given);
  if (name !== undefined) return name;
  throw new UsageFault(`--${flag} must be one of ${[...names, ...others].join(", ")}`);
}

async function ask<Name extends string>(
  prompt: Interface,
  out: Terminal,
  question: string,
  names: readonly Name[],
  usual: Name,
): Promise<Name> {
  for (;;) {
    const answer = await prompt.question(`${question} (${names.join(", ")}) [${usual}] `);
    const wanted = answer.trim().toLowerCase();
    const name = wanted === "" ? usual : names.find((known) => known === wanted);
    if (name !== undefined) return name;
    out.print(`That is none of them. Possible are ${names.join(", ")}; Enter takes ${usual}.`);
  }
}

/** The part of a package.json that is read. */
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts: { readonly start: string };
}

function write(folder: string, options: ProjectOptions, out: Terminal): number {
  const files = projectFiles(options);
  const left = writeFiles(folder, files, storeTemplates[options.store], out);
  const steps = nextSteps(folder, files, left);
  out.print(`\nNext:${steps.length === 1 ? " " : "\n  "}${steps.join("\n  ")}`);
  return left.length === 0 ? 0 : 1;
}

/** Writes a Cloudflare Worker. */
function writeWorker(folder: string, options: WorkerOptions, out: Terminal): number {
  const files = workerFiles(options);
  // wrangler reads .env, too.
  const left = writeFiles(folder, files, {}, out);
  const steps = nextSteps(folder, files, left);
  const deploying = ["before it is deployed:", ...deployingSteps(options.store)];
  out.print(`\nNext:\n  ${[...steps, ...deploying].join("\n  ")}`);
  return left.length === 0 ? 0 : 1;
}

/** Adds sessions to a framework's project. */
function add(
  folder: string,
  framework: Framework,
  options: Pick<ProjectOptions, "store" | "app" | "https">,
  out: Terminal,
): number {
  const { package: needed, create, byHand } = frameworkTemplates[framework];
  const has = packagesOf(folder);
  if (!has.includes(needed)) {
    out.print(
      `There is no project with ${needed} here. Make one, and run this in it:\n  ${create}`,
    );
    return 1;
  }
  const files = frameworkFiles(framework, options);
  const left = writeFiles(folder, files, storeTemplates[options.store], out);
  const packages = [
    ["kocha-session", ownVersion()] as const,
    ...storeTemplates[options.store].run.map((name) => [name, packageVersions[name]] as const),
  ].filter(([name]) => !has.includes(name));
  const install = packages.map((one) => one.join("@")).join(" ");
  const steps = [
    ...(install === "" ? [] : [`npm install --save-exact ${install}`]),
    ...left.map((path) => `merge into ${path}:\n${files.get(path)}`),
    ...byHand,
    "start the server with the variables of .env, as node --env-file=.env does",
  ];
  out.print(`\nNext:\n  ${steps.join("\n").replaceAll("\n", "\n  ")}`);
  return left.length === 0 ? 0 : 1;
}

/** The packages that a project depends on. */
function packagesOf(folder: string): readonly string[] {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return [];
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(file, "utf8"),
  ) as Partial<Manifest>;
  return Object.keys({ ...dependencies, ...devDependencies });
}

/** Writes files, the environment's and .gitignore; gives the paths of those that were there. */
function writeFiles(
  folder: string,
  files: ReadonlyMap<string, string>,
  { address, start }: Pick<StoreTemplate, "address" | "start">,
  out: Terminal,
): readonly string[] {
  const left: string[] = [];
  for (const [path, text] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    try {
      // wx: a new file or an error.
      writeFileSync(target, text, { flag: "wx" });
      out.print(`${out.style("green", "written")} ${path}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      left.push(path);
      out.print(`${out.style("yellow", "left")}    ${path}: it is there already`);
    }
  }
  const lines = keyLines().split("\n");
  if (address !== undefined) lines.push(`${address.variable}=${address.value}`);
  const { added, isNew } = completeEnvironment(join(folder, ".env"), lines, ENV_COMMENT);
  const what = isNew ? "" : `: ${added.join(", ")}`;
  if (added.length > 0) out.print(`${out.style("green", "written")} .env${what}`);
  else out.print(`${out.style("dim", "kept")}    .env: it has all that is needed`);
  ignoreEnvironment(folder, out);
  if (start !== undefined) {
    out.print(`\nThe store needs its server, as .env has its address; on this machine: ${start}`);
  }
  return left;
}

/** The commands to run next, and the changes that existing files need. */
function nextSteps(
  folder: string,
  files: ReadonlyMap<string, string>,
  left: readonly string[],
): readonly string[] {
  const hasOwnManifest =
    left.includes("package.json") &&
    !readFileSync(join(folder, "package.json"), "utf8").includes("kocha-session");
  if (!hasOwnManifest) return ["npm install && npm start"];
  const manifest = JSON.parse(files.get("package.json") ?? "") as Manifest;
  const install = (flags: string, packages: Manifest["dependencies"] = {}): string =>
    ["npm install", flags, ...Object.entries(packages).map((one) => one.join("@"))].join(" ");
  return [
    "npm pkg set type=module",
    install("--save-exact", manifest.dependencies),
    ...(manifest.devDependencies === undefined
      ? []
      : [install("--save-exact --save-dev", manifest.devDependencies)]),
    manifest.scripts.start,
  ];
}

function ignoreEnvironment(folder: string, out: Terminal): void {
  const target = join(folder, ".gitignore");
  const before = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (before.split(/\r?\n/).some((line) => /^\/?\.env\*?$/.test(line.trim()))) return;
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  const rest = before === "" ? "node_modules\n" : "";
  // Entries are only added.
  writeFileSync(target, `${gap}${rest}.env\n`, { flag: "a" });
  out.print(`${out.style("green", "written")} .gitignore: .env`);
}

function toAppName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 61);
  return plain === "" ? "app" : plain;
}

function ownVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
