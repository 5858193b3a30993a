// Sentences of the documents that can be looked up: the map of imports, the commands, the clients of
// the snippets; and that no file points to a paper that readers don't have.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { stores, storeTemplates } from "../../src/cli/store-templates.ts";
import { repository } from "../support/cli.ts";
import { listDocuments, readBlocks } from "./documents.ts";

const read = (path: string): string => readFileSync(join(repository, path), "utf8");

test("ARCHITECTURE.md's map of imports is that of the sources", () => {
  const found = new Map<string, Set<string>>();
  const nameOf = (path: string): string => (path.split("/")[1] ?? "").replace(/\.ts$/, "");
  const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" });
  for (const path of sources.filter((name) => name.endsWith(".ts"))) {
    const file = `src/${path.replaceAll("\\", "/")}`;
    for (const [, target = ""] of read(file).matchAll(/(?:from|import) \(?"(\.[^"]+|#crypto)"/g)) {
      const imported =
        target === "#crypto" ? "src/crypto/primitives" : posix.join(posix.dirname(file), target);
      // A template's own imports lead nowhere here.
      if (!existsSync(join(repository, imported))) continue;
      const [from, to] = [nameOf(file), nameOf(imported)];
      if (from !== to) found.set(from, (found.get(from) ?? new Set()).add(to));
    }
  }
  const lines = Array.from(
    found,
    ([from, to]) => `${from.padEnd(11)} -> ${[...to].toSorted().join(", ")}`,
  );
  const map = readBlocks("ARCHITECTURE.md").find(({ code }) => /^\w+ +->/.test(code));
  const mapped = (map?.code.trim() ?? "").split("\n").filter((line) => !line.endsWith("->"));
  expect(lines.toSorted()).toEqual(mapped.toSorted());
});

test("CONTRIBUTING.md names each command once", () => {
  const commands = Array.from(
    read("CONTRIBUTING.md").matchAll(/^npm (?:run )?([\w:-]+)/gm),
    ([, name = ""]) => name,
  );
  expect(commands).toEqual([...new Set(commands)]);
  // That package.json knows them is tried in shell.test.ts.
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const long = Object.keys(scripts).filter((name) =>
    /^(test:|race|fuzz|faults|model|bench)/.test(name),
  );
  expect(commands).toEqual(expect.arrayContaining(long));
});

describe("a client that ends the process when nobody listens to its errors", () => {
  const makesClient = /\b(?:createClient|createClientPool|createCluster|createSentinel|pg\.Pool)\(/;
  const listens = /\.on\("error"/;

  test("is listened to in every snippet", () => {
    const deaf = listDocuments()
      .flatMap(readBlocks)
      .filter(
        ({ code, language }) =>
          language === "ts" &&
          makesClient.test(code) &&
          // libsql's has no such event: its calls reject.
          !code.includes('from "@libsql/client"') &&
          !listens.test(code),
      );
    expect(deaf.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
  });

  test("is listened to in what init writes", () => {
    const setups = stores
      .map((store) => storeTemplates[store].setup)
      .filter((setup) => makesClient.test(setup));
    expect(setups.length).toBe(2);
    expect(setups.filter((setup) => !listens.test(setup))).toEqual([]);
  });
});

test("nothing points to a paper that readers don't have", () => {
  const tracked = execFileSync("git", ["ls-files"], { cwd: repository, encoding: "utf8" }).trim();
  const papers = /\b(?:DESIGN|STYLE|PERF|PEERS|SERVICES)\.md|SECURITY\.md (?:section )?\d/;
  const pointing = tracked
    .split("\n")
    .filter((path) => /\.(?:ts|mjs|json|md|sh)$/.test(path) && !path.startsWith("bench/results/"))
    .filter((path) => path !== "tests/docs/sentences.test.ts" && papers.test(read(path)));
  expect(pointing).toEqual([]);
});
