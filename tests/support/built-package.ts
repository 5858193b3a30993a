// The package as users have it, built of the sources once for a run: its program as a child process, and
// folders that have it installed. It starts in a quarter of the time of the sources by tsx.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { repository } from "./cli.ts";
import { onceARun } from "./once-a-run.ts";

/** What a run gave. */
export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** How the program is run. */
interface CliOptions {
  readonly input?: string;
  /** Default: the package's own folder. */
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Makes the package in a folder: its manifest, its programs and, in place of declarations, its sources. */
async function make(folder: string): Promise<string> {
  const dist = join(folder, "dist");
  await copyFile(join(repository, "package.json"), join(folder, "package.json"));
  await symlink(join(repository, "src"), join(folder, "src"));
  const args = ["scripts/build.mjs", dist, "--programs"];
  await promisify(execFile)(process.execPath, args, { cwd: repository });
  return folder;
}

/** The package; its sources stand for its declarations. */
export class BuiltPackage {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A copy for the tests of one file, removed after them. */
  static forTests(): BuiltPackage {
    mkdirSync(join(repository, ".tmp"), { recursive: true });
    const built = new BuiltPackage(mkdtempSync(join(repository, ".tmp", "package-")));
    beforeAll(() => built.#copy(), 300_000);
    afterAll(() => rmSync(built.path, { recursive: true, force: true }));
    return built;
  }

  /** The file of `kocha-session`. */
  get program(): string {
    return join(this.path, "dist/cli/main.js");
  }

  /** Makes it in a folder, outside of Vitest; the folder is the caller's to remove. */
  static async in(folder: string): Promise<BuiltPackage> {
    return new BuiltPackage(await make(folder));
  }

  async #copy(): Promise<void> {
    const made = await onceARun("programs", make);
    await cp(made, this.path, { recursive: true, verbatimSymlinks: true });
  }

  /** Links it into a folder, and the repository's packages beside it, as an installation would. */
  async install(folder: string): Promise<void> {
    const target = join(folder, "node_modules");
    if ((await mkdir(target, { recursive: true })) === undefined) return;
    const source = join(repository, "node_modules");
    const names = (await readdir(source)).filter((name) => !name.startsWith("."));
    await Promise.all(names.map((name) => symlink(join(source, name), join(target, name))));
    await symlink(this.path, join(target, "kocha-session"));
  }

  /** Runs `kocha-session` with these arguments, in an environment of its own. */
  async run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, [this.program, ...args], {
      cwd: options.cwd ?? this.path,
      env: { PATH, HOME, ...options.env },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.stdin.end(options.input ?? "");
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, out, err };
  }
}
