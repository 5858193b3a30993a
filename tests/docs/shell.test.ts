// Every shell block of the documents runs, in a project of its own: `npx kocha-session` is this
// repository's program, and `npm` only looks whether the manifest knows the script.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BuiltPackage } from "../support/built-package.ts";
import { repository } from "../support/cli.ts";
import { listDocuments, readBlocks } from "./documents.ts";

/** What an example's page shows is run by the example's own test. */
const ofAnExample = /^examples\/[^/]+\//;
const documents = listDocuments().filter(
  (document) =>
    !ofAnExample.test(document) && readBlocks(document).some(({ language }) => language === "sh"),
);
const kocha = BuiltPackage.forTests();
let root: string;

/** Stands in for npm: takes what it knows, and fails for a script that the nearest manifest hasn't. */
const npm = `#!/usr/bin/env node
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const [command, name] = process.argv.slice(2);
const known = ["ci", "install", "pack"];
const script = command === "run" ? name : command;
if (known.includes(command)) process.exit(0);
const folder = existsSync("package.json") ? "." : ${JSON.stringify(repository)};
const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
if (scripts[script] === undefined) throw new Error("npm has no script " + script);
`;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kocha-session-shell-"));
  await kocha.install(root);
  const npx = `#!/bin/sh
[ "$1" = kocha-session ] || { echo "npx $1 is not shown here" >&2; exit 1; }
shift
exec "${process.execPath}" "${kocha.program}" "$@"
`;
  for (const [name, text] of Object.entries({ npm, npx })) {
    writeFileSync(join(root, name), text);
    chmodSync(join(root, name), 0o755);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(documents)("%s", { timeout: 60_000 }, (document) => {
  const folder = mkdtempSync(join(root, "project-"));
  const { PATH = "", HOME = "" } = process.env;
  const script = readBlocks(document)
    .filter(({ language }) => language === "sh")
    .map(({ code, line }) => `echo "line ${line}" >&2\n(\n${code})`);
  const { status, stderr } = spawnSync("sh", ["-euc", script.join("\n")], {
    cwd: folder,
    env: { PATH: `${root}:${PATH}`, HOME },
    encoding: "utf8",
  });
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
});
