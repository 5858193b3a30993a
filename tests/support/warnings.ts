// What a program of its own warns of: warnings that are said once a process are tested in one.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a module's text on our sources; gives the codes of the warnings that it emitted. */
export async function warningsOf(program: string): Promise<string[]> {
  const listen = `process.on("warning", ({ name, code }) => {
    if (name === "KochaSessionWarning") console.log("code " + code);
  });`;
  const flags = ["--conditions=kocha-session-source", "--import", "tsx", "--input-type=module"];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    "--eval",
    listen + program,
  ]);
  return [...stdout.matchAll(/^code (.*)$/gm)].map(([, code = ""]) => code);
}
