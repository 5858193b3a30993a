// `kocha-session doctor`: loads a configuration and reports its errors and weaknesses, and the laws that
// its store can't keep.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { SessionConfig, SessionConfigFunction } from "../engine/config.ts";
import { SECOND } from "../base/time.ts";
import { isSessionError } from "../errors.ts";
import { diagnose, fault, faultOf, type Finding, warning } from "./diagnosis.ts";
import { readEnvironmentFile } from "./environment.ts";
import {
  type Command,
  printable,
  printableJson,
  readOptions,
  type Terminal,
  UsageFault,
} from "./terminal.ts";

const candidates = ["config/app.ts", "config/app.mjs", "config/app.js"];
/** The time for a configuration to load and connect, in seconds. */
const LOAD_TIMEOUT = 10;

/** The command. */
export const doctor: Command = {
  name: "doctor",
  summary: "loads a configuration and says what is wrong or weak with it",
  help: `kocha-session doctor [--config <file>] [--export <name>] [--timeout <seconds>] [--json]

  --config   the module; default config/app.ts, .mjs or .js
  --export   the configuration's name in it; default session
  --timeout  how long it may take to load, with its connections, in seconds; default ${LOAD_TIMEOUT}
  --json     one JSON array

Variables that aren't set are read from .env, if there is one. A TypeScript file needs tsx in the project, or a Node.js that runs TypeScript itself.
Exit code 1 when something is wrong; warnings and notes give 0.
`,
  run: async (args, out) => {
    const options = readOptions(args, {
      config: { type: "string" },
      export: { type: "string", default: "session" },
      timeout: { type: "string", default: String(LOAD_TIMEOUT) },
      json: { type: "boolean", default: false },
    });
    const seconds = Number(options.timeout);
    if (!(seconds > 0 && seconds <= 3600)) {
      throw new UsageFault("--timeout must be a number of seconds over 0, at most 3600");
    }
    readEnvironmentFile();
    const findings = await diagnoseFile(options.config, options.export, seconds);
    if (options.json) out.print(printableJson(findings, 2));
    else show(findings, out);
    return findings.some(({ level }) => level === "error") ? 1 : 0;
  },
};

async function diagnoseFile(
  given: string | undefined,
  name: string,
  seconds: number,
): Promise<Finding[]> {
  const file = given ?? candidates.find((path) => existsSync(path));
  if (file === undefined || !existsSync(file)) {
    return [fault("config", `there is no ${given ?? candidates.join(", ")}: say --config`)];
  }
  let loaded: Record<string, unknown> | undefined;
  try {
    loaded = await inTime(load(resolve(file)), seconds);
  } catch (error) {
    if (isSessionError(error)) return [faultOf(error)];
    return [fault("config", `it can't be loaded: ${describe(error)}`)];
  }
  if (loaded === undefined) {
    const message = `it isn't loaded after ${seconds} s, as where it waits for a server that can't be reached: start that, or say --timeout`;
    return [fault("config", message)];
  }
  const config = loaded[name];
  if (config === undefined) return [fault("config", `it exports no ${name}: say --export`)];
  return [...diagnose(config as SessionConfig | SessionConfigFunction), ...diagnoseEnvironment()];
}

/** The answer, or undefined when it takes too long. */
async function inTime<T>(answer: Promise<T>, seconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolved) => {
    timer = setTimeout(() => resolved(undefined), seconds * SECOND);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An error in words; that of a refused connection to several addresses has only a code. */
function describe(error: unknown): string {
  const { message, code } = Object(error) as { message?: string; code?: string };
  return message || code || String(error);
}

async function load(path: string): Promise<Record<string, unknown>> {
  if (/\.m?ts$/.test(path)) await registerTsx(path);
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  // By tsx, the default of a CommonJS file's module is all that it exports.
  const { default: all } = module;
  return typeof all === "object" ? { ...all, ...module } : module;
}

/** The project's own tsx, where it has one: Node.js 20 doesn't run TypeScript by itself. */
async function registerTsx(path: string): Promise<void> {
  let tsx: string;
  try {
    tsx = dirname(createRequire(path).resolve("tsx/package.json"));
  } catch {
    return;
  }
  // A file of a CommonJS project is loaded by the first, one of an ES module project by the second.
  for (const api of ["dist/cjs/api/index.mjs", "dist/esm/api/index.mjs"]) {
    const { href } = pathToFileURL(join(tsx, api));
    const { register } = (await import(href)) as { register: () => void };
    register();
  }
}

/** Warns of secrets in the repository, which aren't secret any more. */
function diagnoseEnvironment(): Finding[] {
  if (!existsSync(".env")) return [];
  const tracked = spawnSync("git", ["ls-files", "--error-unmatch", ".env"], { stdio: "ignore" });
  if (tracked.status === 0)
    return [fault(".env", "git tracks it: make new secrets, and take it out")];
  const ignored = existsSync(".gitignore") ? readFileSync(".gitignore", "utf8") : "";
  const isIgnored = ignored.split(/\r?\n/).some((line) => /^\/?\.env\*?$/.test(line.trim()));
  return isIgnored
    ? []
    : [
        warning(
          ".env",
          ".gitignore doesn't name it: the secrets are one git add away from everyone",
        ),
      ];
}

const colours = { error: "red", warning: "yellow", note: "dim" } as const;

function show(findings: readonly Finding[], out: Terminal): void {
  for (const { level, field, message } of findings) {
    const what = out.style("bold", printable(field));
    out.print(`${out.style(colours[level], level.padEnd(7))} ${what}: ${printable(message)}`);
  }
  if (findings.length === 0) out.print(out.style("green", "nothing to say against it"));
}
