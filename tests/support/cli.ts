// The program as a child process, on the sources, with an environment of its own.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const repository: string = fileURLToPath(new URL("../..", import.meta.url));
const entry = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** Node's own flags that run the sources. */
export const sourceFlags: readonly string[] = [
  "--conditions=kocha-session-source",
  "--import",
  import.meta.resolve("tsx"),
];

/** What a run gave. */
export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `kocha-session` with these arguments. */
export async function runCli(
  args: readonly string[],
  options: {
    readonly input?: string;
    readonly cwd?: string;
    readonly env?: Record<string, string>;
  } = {},
): Promise<CliResult> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [...sourceFlags, entry, ...args], {
    cwd: options.cwd ?? repository,
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
