// The README of an example, followed as its reader does.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Project, StartOptions } from "./project.ts";

/**
 * Runs the commands of the README's first `sh` block, except for the last one, which starts the server, and
 * gives that one. A line such as `set -a; . ./.env; set +a` belongs to it.
 */
export async function follow(project: Project): Promise<StartOptions["command"]> {
  const commands = commandsOf(project);
  // `prepare` has done these, with the packed package.
  expect(commands.splice(0, 2)).toEqual(["npm install", "npm install kocha-session"]);
  const start = commands.pop() ?? "";
  const settings = commands.filter((line) => line.startsWith("set "));
  for (const line of commands) if (!settings.includes(line)) await project.run(["sh", "-c", line]);
  // Without npm and npx around it, which a signal would end in its place.
  const itself = start.replace(/^npm start$/, scriptOf(project, "start")).replace(/^npx /, "");
  return () => ["sh", "-c", [...settings, `exec ${itself}`].join("\n")];
}

function commandsOf(project: Project): string[] {
  const readme = readFileSync(join(project.folder, "README.md"), "utf8");
  const [, block = ""] = /^```sh\n(.*?)^```$/ms.exec(readme) ?? [];
  const lines = block.split("\n").map((line) => line.replace(/\s+#.*/, ""));
  return lines.filter((line) => line !== "");
}

function scriptOf(project: Project, name: string): string {
  const manifest = readFileSync(join(project.folder, "package.json"), "utf8");
  const { scripts } = JSON.parse(manifest) as { readonly scripts: Record<string, string> };
  return scripts[name] ?? "";
}
