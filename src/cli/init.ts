// `kocha-session init`: writes a working project around a configuration. It never overwrites a file.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { keyLines } from "./keygen.ts";
import { type Host, hosts, projectFiles, type ProjectOptions } from "./templates.ts";
import { type Command, readOptions, type Terminal, UsageFault } from "./terminal.ts";

const ENV_COMMENT =
  "# AUTO-GENERATED random keys of kocha-session init. Keep them out of the repository.";
/** What a cookie's name takes, and short enough for every prefix. */
const APP_NAME = /^[a-z0-9][a-z0-9_-]{0,60}$/;

/** The command. */
export const init: Command = {
  name: "init",
  summary: "writes a working project: settings, server, one GET controller, fresh keys",
  help: `kocha-session init [--host <host>] [--name <app>] [--dir <folder>] [--https] [--js]

  --host   ${hosts.join(", ")}; asked for on a terminal
  --name   the application's name; default the folder's
  --dir    where to write; default here
  --https  the site is served by https alone: the cookie is named __Host-Http-<app>
  --js     .mjs files instead of TypeScript

Writes config/app.ts, controllers/root.ts, server.ts, package.json, .env with fresh random keys, and
.env into .gitignore. A file that is there already is left as it is, and said; then the exit code is 1.
`,
  run: async (args, out) => {
    const options = readOptions(args, {
      host: { type: "string" },
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
    const host = await chooseHost(options.host);
    const { https, js } = options;
    return write(folder, { host, app, https, js, version: ownVersion() }, out);
  },
};

async function chooseHost(given: string | undefined): Promise<Host> {
  const known = (name: string): Host | undefined => hosts.find((host) => host === name);
  if (given !== undefined) {
    const host = known(given);
    if (host === undefined) throw new UsageFault(`--host must be one of ${hosts.join(", ")}`);
    return host;
  }
  if (!process.stdin.isTTY) throw new UsageFault("say --host: there is no terminal to ask on");
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await prompt.question(`Which host? (${hosts.join(", ")}) [express] `);
      const host = known(answer.trim() === "" ? "express" : answer.trim().toLowerCase());
      if (host !== undefined) return host;
    }
  } finally {
    prompt.close();
  }
}

function write(folder: string, options: ProjectOptions, out: Terminal): number {
  const files = projectFiles(options);
  files.set(".env", `${ENV_COMMENT}\n${keyLines()}\n`);
  let left = 0;
  for (const [path, text] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    try {
      // wx: made new, or not at all; keys are for their owner's eyes.
      writeFileSync(target, text, { flag: "wx", mode: path === ".env" ? 0o600 : 0o644 });
      out.print(`${out.style("green", "written")} ${path}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      left++;
      out.print(`${out.style("yellow", "left")}    ${path}: it is there already`);
    }
  }
  ignoreEnvironment(folder, out);
  out.print(`\nNext: npm install && npm start`);
  return left === 0 ? 0 : 1;
}

function ignoreEnvironment(folder: string, out: Terminal): void {
  const target = join(folder, ".gitignore");
  const before = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (before.split(/\r?\n/).some((line) => /^\/?\.env\*?$/.test(line.trim()))) return;
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  const rest = before === "" ? "node_modules\n" : "";
  // An entry is added, nothing that is there is changed.
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
