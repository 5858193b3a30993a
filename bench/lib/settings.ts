// What a run was asked to do, and the Nodes that it does it on.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "./load.ts";

/** How a run is made. */
export interface Settings {
  /** A look instead of figures: few rounds. */
  readonly quick: boolean;
  /** Rounds, where they were given. */
  readonly rounds?: number;
  /** Only hosts with these names. */
  readonly only?: readonly string[];
  /** The programs of this Node and of Node 24. */
  readonly nodes: readonly string[];
}

/** Node 24 as npm has it, or as BENCH_NODE24 says; none where npm has none for the machine. */
export function findNodes(): string[] {
  const npm = `bench/node_modules/node24-${process.platform}-${process.arch}/bin/node`;
  const path = process.env["BENCH_NODE24"] ?? fileURLToPath(new URL(npm, root));
  const isItself = process.versions.node.startsWith("24.");
  return existsSync(path) && !isItself ? [process.execPath, path] : [process.execPath];
}

/** The version of a program of Node's. */
export function versionOfNode(program: string = process.execPath): string {
  return execFileSync(program, ["--version"], { encoding: "utf8" }).trim().slice(1);
}
