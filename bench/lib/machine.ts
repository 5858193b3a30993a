// What ran where: every result carries it.
import { execFileSync } from "node:child_process";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { root } from "./load.ts";

/** The machine, the Node and the state of the sources that a result is of. */
export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
  readonly v8: string;
}

function git(folder: URL, ...args: string[]): string {
  try {
    return execFileSync("git", args, { cwd: fileURLToPath(folder), encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

/**
 * As things are now; a commit with changes on top of it says so.
 * @param folder - the repository's root; by default from where the compiled benchmark lies.
 */
export function describeMachine(folder: URL = root): Machine {
  const dirty = git(folder, "status", "--porcelain", "--", "src", "bench", "package-lock.json")
    .split("\n")
    .filter((line) => line !== "" && !/bench\/results|docs\/performance/.test(line));
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit:
      git(folder, "rev-parse", "--short=12", "HEAD") + (dirty.length > 0 ? " with changes" : ""),
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    openssl: process.versions.openssl ?? "",
    v8: process.versions.v8,
  };
}
