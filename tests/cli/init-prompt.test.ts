// The questions of `init` on a terminal: what may be answered, what a wrong answer gets, and the usual choice.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stores } from "../../src/cli/store-templates.ts";
import { hosts } from "../../src/cli/templates.ts";
import { BuiltPackage } from "../support/built-package.ts";

const kocha = BuiltPackage.forTests();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kocha-session-prompt-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Runs `init` as on a terminal, and answers each question in turn; gives all that it printed. */
async function converse(folder: string, answers: readonly string[]): Promise<string> {
  // A pipe that says it is a terminal: there is no pseudo-terminal in Node.js.
  const isTerminal = "data:text/javascript,process.stdin.isTTY=true";
  const child = spawn(
    process.execPath,
    ["--import", isTerminal, kocha.program, "init", "--dir", folder, "--name", "tea"],
    { env: { PATH: process.env["PATH"] } },
  );
  const left = [...answers];
  let output = "";
  let asked = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    const questions = output.match(/\? \([^)]+\) \[\w+\] /g)?.length ?? 0;
    if (questions === asked) return;
    asked = questions;
    child.stdin.write(`${left.shift() ?? ""}\n`);
  });
  const [code] = (await once(child, "close")) as [number];
  expect({ code, left }).toEqual({ code: 0, left: [] });
  return output;
}

test("a wrong answer is told what is possible, and asked again", async () => {
  const folder = join(root, "wrong");
  const output = await converse(folder, ["rails", " Koa ", "disk", "sqlite"]);
  const [host, store] = [hosts.join(", "), stores.join(", ")];
  expect(output).toContain(`Possible are ${host}; Enter takes express.`);
  expect(output).toContain(`Possible are ${store}; Enter takes cookie.`);
  expect(output.match(/Which host\?/g)).toHaveLength(2);
  expect(output.match(/Which store\?/g)).toHaveLength(2);
  expect(await readFile(join(folder, "server.ts"), "utf8")).toContain("kocha-session/koa");
  expect(await readFile(join(folder, "config/app.ts"), "utf8")).toContain("kocha-session/sqlite");
});

test("Enter takes the usual choice", async () => {
  const folder = join(root, "usual");
  await converse(folder, ["", ""]);
  expect(await readFile(join(folder, "server.ts"), "utf8")).toContain("kocha-session/express");
  expect(await readFile(join(folder, "config/app.ts"), "utf8")).toContain("SessionCookieStore");
});
