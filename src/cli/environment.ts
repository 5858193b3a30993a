// The environment of commands: the process's own, and what it lacks from the `.env` of the folder.
import { loadEnvFile } from "node:process";
import { UsageFault } from "./terminal.ts";

/**
 * Reads `.env`, if there is one; variables that are set already stay.
 * @throws {UsageFault} when it can't be read.
 */
export function readEnvironmentFile(): void {
  try {
    loadEnvFile(".env");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw new UsageFault(`.env can't be read: ${code ?? "failed"}`);
  }
}
