// The package as users have it, built of the sources for one file of tests: its program as a child
// process, and folders that have it installed. It starts in a quarter of the time of the sources by tsx.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { repository } from "./cli.ts";

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

/** The package; its sources stand for its declarations. */
export class BuiltPackage {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Builds it before the tests of a file, and removes it after them. */
  static forTests(): BuiltPackage {
    mkdirSync(join(repository, ".tmp"), { recursive: true });
    const built = new BuiltPackage(mkdtempSync(join(repository, ".tmp", "package-")));
    beforeAll(() => built.#build());
    afterAll(() => rmSync(built.path, { recursive: true, force: true }));
    return built;
  }

  /** The file of `kocha-session`. */
  get program(): string {
    return join(this.path, "dist/cli/main.js");
  }

  #build(): void {
    copyFileSync(join(repository, "package.json"), join(this.path, "package.json"));
    symlinkSync(join(repository, "src"), join(this.path, "src"));
    const args = ["scripts/build.mjs", join(this.path, "dist"), "--programs"];
    execFileSync(process.execPath, args, { cwd: repository });
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
