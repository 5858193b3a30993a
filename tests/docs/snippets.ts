// Runs the TypeScript of the documents as their reader would: each block is a module of its own, in
// a package that is this one as it is published, compiled and then run by plain Node.js. A block that
// begins with a comment like "// config/app.ts" is that file, for its document's other blocks.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packOnce } from "../package/packed.ts";
import { repository } from "../support/cli.ts";
import { freshKey } from "../support/keys.ts";
import { type Block, listDocuments, readBlocks } from "./documents.ts";
import type { SnippetServer, Started } from "./run-snippet.ts";
import type { FaultCookies } from "./failing-store.ts";

/** One block as a program. */
export interface Snippet extends Block {
  /** "docs/recipes.md:41", for names of tests and messages. */
  readonly place: string;
  /** Where it is written, from the package's root. */
  readonly file: string;
}

/** What a document shows under this name is there for the blocks of all others. */
const SHARED = "config/app.ts";
/** Begins the line in which a snippet's process tells that it is ready. */
const MARK = "listening: ";

/** Every TypeScript block of the documents. */
export function readSnippets(): Snippet[] {
  return listDocuments()
    .flatMap(readBlocks)
    .filter(({ language }) => language === "ts")
    .map((block) => {
      const file = join(block.document, fileName(block));
      return { ...block, place: `${block.document}:${block.line}`, file };
    });
}

function fileName({ line, code }: Block): string {
  return /^\/\/ ([\w./-]+\.ts)$/.exec(code.split("\n", 1)[0] ?? "")?.[1] ?? `line-${line}.ts`;
}

/**
 * Writes snippets into a folder, each document's into one of its own.
 * @throws {Error} when none of them shows the configuration that the others import.
 */
export function writeSnippets(folder: string, snippets: readonly Snippet[]): void {
  const write = (file: string, text: string): void => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const shared = snippets.find(({ file }) => file.endsWith(SHARED));
  if (shared === undefined) throw new Error(`no document shows ${SHARED}`);
  for (const document of new Set(snippets.map((snippet) => snippet.document))) {
    write(join(document, SHARED), shared.code);
  }
  for (const { file, line, code } of snippets) {
    // In the line that it has in the document, so that messages name the right one.
    write(file, "\n".repeat(line - 1) + code);
  }
}

/** The package with its snippets, compiled. */
export class SnippetPackage {
  readonly path: string;

  constructor() {
    mkdirSync(join(repository, ".tmp"), { recursive: true });
    this.path = mkdtempSync(join(repository, ".tmp", "docs-"));
    // With our own manifest beside them, the snippets import what the package exports.
    copyFileSync(join(repository, "package.json"), join(this.path, "package.json"));
  }

  /** Compiles the snippets beside the library; gives what the compiler says of them, "" when they fit. */
  async build(snippets: readonly Snippet[]): Promise<string> {
    const library = await packOnce();
    await cp(join(library.folder, "dist"), join(this.path, "dist"), { recursive: true });
    writeSnippets(this.path, snippets);
    for (const name of ["run-snippet.ts", "failing-store.ts", "local-bindings.ts"]) {
      copyFileSync(join(import.meta.dirname, name), join(this.path, name));
    }
    writeFileSync(join(this.path, "tsconfig.json"), JSON.stringify(compilerSettings));
    return compile(["-p", this.path]).replaceAll(/^\.tmp\/docs-\w+\//gm, "");
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const compilerSettings = {
  extends: "../../tsconfig.json",
  compilerOptions: {
    noEmit: false,
    // A block with a wrong type is one fault, not one of every block.
    noEmitOnError: false,
    inlineSourceMap: true,
    customConditions: [],
    // What is house style in our own code is not asked of a reader's.
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
    exactOptionalPropertyTypes: false,
  },
  include: ["**/*.ts"],
  exclude: ["dist"],
};

function compile(args: readonly string[]): string {
  return run("npx", "--no-install", "tsc", "--pretty", "false", ...args);
}

/** What a program in the repository says when it fails; "" when it doesn't. */
function run(command: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: repository,
    encoding: "utf8",
  });
  return status === 0 ? "" : stdout || stderr || `${command} failed`;
}

/** The environment variables that a snippet reads. */
export function variablesOf({ code }: Pick<Snippet, "code">): string[] {
  const found = code.matchAll(/process\.env(?:\["(\w+)"\]|\.(\w+))/g);
  return [...new Set(Array.from(found, ([, quoted, dotted]) => quoted ?? dotted ?? ""))];
}

/** An environment in which every `…_KEY` and `…_TOKEN` of the snippets has a fresh key. */
export function freshEnvironment(snippets: readonly Snippet[]): Record<string, string> {
  const names = snippets
    .flatMap(variablesOf)
    .filter((name) => /_(?:KEY(?:_\d+)?|TOKEN)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, freshKey()]));
}

/** Whether a snippet is a server. */
export function startsServer({ code }: Snippet): boolean {
  // A framework's middleware is none.
  return /\b(?:listen|serve)\(|^export default (?!sessionMiddleware)/m.test(code);
}

/** A snippet that runs. */
export class RunningSnippet {
  readonly servers: readonly SnippetServer[];
  /** Of the store that fails, when it runs on one. */
  readonly cookies: FaultCookies | undefined;
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(child: ChildProcess, output: Output, { servers, cookies }: Started) {
    this.#child = child;
    this.#output = output;
    this.servers = servers;
    this.cookies = cookies;
  }

  /**
   * Runs a snippet until its module has been evaluated and its servers listen.
   * @param on - "own": on the store that it shows; "failing": on one that fails.
   * @throws {Error} with its output when it fails.
   */
  static async start(
    folder: SnippetPackage,
    snippet: Snippet,
    env: Readonly<Record<string, string>>,
    on: "own" | "failing" = "own",
  ): Promise<RunningSnippet> {
    const file = join(folder.path, snippet.file.replace(/\.ts$/, ".js"));
    const words = [
      ...(startsServer(snippet) ? ["listens"] : []),
      ...(on === "failing" ? ["fails"] : []),
    ];
    const { PATH = "", HOME = "" } = process.env;
    const runner = ["--enable-source-maps", join(folder.path, "run-snippet.js")];
    const child = spawn(process.execPath, [...runner, file, MARK, ...words], {
      cwd: dirname(file),
      env: { PATH, HOME, ...env },
    });
    const output: Output = { out: "", err: "" };
    child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString()));
    const started = await new Promise<Started>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        output.out += chunk.toString();
        const told = new RegExp(`^${MARK}(.*)$`, "m").exec(output.out)?.[1];
        if (told !== undefined) resolve(JSON.parse(told) as Started);
      });
      child.once("close", () => reject(new Error(output.out + output.err)));
    });
    return new RunningSnippet(child, output, started);
  }

  /** What it has printed. */
  get output(): string {
    return this.#output.out;
  }

  /**
   * Ends it.
   * @throws {Error} when it has ended by itself, or has complained of anything but what it may.
   */
  async stop(mayComplain = false): Promise<void> {
    const child = this.#child;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.stdin?.end();
    if (child.exitCode === null) await closed;
    const complains = this.#output.err !== "" && !mayComplain;
    if (child.exitCode !== 0 || complains) throw new Error(this.#output.err);
  }
}

interface Output {
  out: string;
  err: string;
}
