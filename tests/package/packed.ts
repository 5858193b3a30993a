// The package as npm would publish it, made in a folder of its own, and installed into empty ones:
// the repository's dist may be another test's, and is never touched.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repository } from "../support/cli.ts";
import { onceARun } from "../support/once-a-run.ts";

const execute = promisify(execFile);

/** What a program wrote; one that fails rejects with it. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a folder, with nothing of npm's or Vitest's environment. */
export function run(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const { PATH = "", HOME = "" } = process.env;
  return execute(command, [...args], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    maxBuffer: 16 * 1024 * 1024,
  });
}

/** The repository's own compiler. */
export const compiler: string = join(repository, "node_modules", ".bin", "tsc");

/** A packed package. */
export interface Packed {
  readonly tarball: string;
  /** Where it was built and packed: the package's files, with `dist`. */
  readonly folder: string;
  /** Every file in it, from the package's root, with its bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Entry points that import their framework at run time, with its package. */
export const frameworkEntries: Readonly<Record<string, string>> = {
  "kocha-session/next": "next",
  "kocha-session/react-router": "react-router",
  "kocha-session/tanstack-start": "@tanstack/react-start",
};

/** The parts of package.json that the tests look at. */
export interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>> | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The repository's package.json. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as Manifest;
}

/** The package, packed once for all test files of a run; none may change it. */
export function packOnce(): Promise<Packed> {
  return onceARun("packed", pack);
}

/** Builds and packs into `folder`, as `npm publish` would from a clean checkout. */
export async function pack(folder: string): Promise<Packed> {
  const stage = join(folder, "package");
  await mkdir(stage, { recursive: true });
  const { files } = await readManifest();
  const shipped = [...files, "package.json", "README.md", "LICENSE"];
  for (const name of shipped) {
    if (name === "dist" || !existsSync(join(repository, name))) continue;
    await cp(join(repository, name), join(stage, name), { recursive: true });
  }
  // Built there, since source maps name their sources by where both lie.
  for (const tool of ["demo", "scripts", "types", "tsconfig.json", "tsconfig.build.json"])
    await cp(join(repository, tool), join(stage, tool), { recursive: true });
  await symlink(join(repository, "node_modules"), join(stage, "node_modules"), "junction");
  await run(stage, process.execPath, [join("scripts", "build.mjs")]);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run(stage, "npm", args);
  const [packed] = JSON.parse(stdout) as { filename: string; files: Packed["files"] }[];
  if (packed === undefined) throw new Error("npm packed nothing");
  return { tarball: join(folder, packed.filename), folder: stage, files: packed.files };
}

/** Installs packages or tarballs, and nothing that they merely could use, into a new folder. */
export async function install(folder: string, ...packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run(folder, "npm", ["install", ...flags, ...packages]);
}
