// What the reference says is what the code says: every error code, every default.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults } from "kocha-session";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/engine/config.ts";
import { eventNames } from "../../src/events.ts";
import { SessionMemoryStore } from "../../src/stores/memory.ts";
import { repository } from "../support/cli.ts";
import { freshKey } from "../support/keys.ts";
import { readBlocks, readDocument } from "./documents.ts";

/** The cells of every row of a document's tables. */
function tableRows(document: string): string[][] {
  return Array.from(readDocument(document).matchAll(/^\| (.*) \|$/gm), ([, row = ""]) =>
    row.split(" | ").map((cell) => cell.trim()),
  );
}

function sourceOf(path: string): string {
  return readFileSync(join(repository, path), "utf8");
}

describe("docs/reference/errors.md", () => {
  const union = Array.from(
    sourceOf("src/errors.ts").matchAll(/^ {2}\| "(ERR_SESSION_\w+)"/gm),
    ([, code = ""]) => code,
  );
  const documented = tableRows("docs/reference/errors.md").flatMap(([code = ""]) =>
    code.startsWith("`ERR_") ? [code.slice(1, -1)] : [],
  );

  test("has every code of the union once, and no other", () => {
    expect(union.length).toBeGreaterThan(10);
    expect(documented.toSorted()).toEqual(union.toSorted());
  });

  const tests = readdirSync(join(repository, "tests"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts") && !path.includes("docs"))
    .map((path) => sourceOf(join("tests", path)));

  test.each(union)("%s is asserted by a test", (code) => {
    expect(tests.some((text) => text.includes(code))).toBe(true);
  });
});

describe("docs/configuration.md", () => {
  const rows = tableRows("docs/configuration.md").filter(
    ([field = "", value, , more]) =>
      /^`\w+`$/.test(field) && value !== undefined && more === undefined,
  );
  const documented = new Map(rows.map(([field = "", value = ""]) => [field.slice(1, -1), value]));

  test("has the default of every field", () => {
    const defaults = Object.entries(configDefaults).map(([field, value]) => [
      field,
      `\`${JSON.stringify(value)}\``,
    ]);
    expect([...documented]).toEqual(expect.arrayContaining(defaults));
  });

  test("has every field of the configuration, and no other", () => {
    const source = sourceOf("src/engine/config.ts");
    const shape = /^export interface SessionConfig \{([^]*?)^\}/m.exec(source)?.[1] ?? "";
    const fields = Array.from(shape.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, name = ""]) => name);
    expect(fields.length).toBeGreaterThan(20);
    expect([...documented.keys()].toSorted()).toEqual(fields.toSorted());
  });

  test("says the default in the comment of each field, too", () => {
    const source = sourceOf("src/engine/config.ts");
    for (const [field, value] of Object.entries(configDefaults)) {
      const comment = new RegExp(`/\\*\\* (.*) \\*/\\s+readonly ${field}\\?`).exec(source)?.[1];
      const told = /Default (.+)\.$/.exec(comment ?? "")?.[1];
      expect(`${field}: ${told}`).toBe(`${field}: ${JSON.stringify(value)}`);
    }
  });

  test("the defaults are what a configuration without them gets", () => {
    const store = new SessionMemoryStore();
    const signingKey = freshKey();
    const { signing: _, ...plain } = resolveConfig({ store, signingKey });
    const { signing: __, ...spelled } = resolveConfig({ ...configDefaults, store, signingKey });
    expect(plain).toEqual(spelled);
  });
});

test("docs/recipes.md has every event", () => {
  const cells = tableRows("docs/recipes.md").map(([cell = ""]) => cell);
  const named = cells.flatMap((cell) => Array.from(cell.matchAll(/`(\w+)`/g), ([, name]) => name));
  expect(named).toEqual(expect.arrayContaining([...eventNames]));
});

test("docs/writing-a-store.md has a store of under 60 lines", () => {
  const stores = readBlocks("docs/writing-a-store.md").filter(({ code }) =>
    code.startsWith("// kv-store.ts"),
  );
  expect(stores).toHaveLength(1);
  expect(stores[0]?.code.split("\n").length).toBeLessThan(60);
});

describe("ARCHITECTURE.md", () => {
  const text = readDocument("ARCHITECTURE.md");

  test("names files that are there", () => {
    const named = Array.from(
      text.matchAll(
        /`((?:src|tests|trials|base|store|session|engine|revocations|crypto|cookie|merge|stores|hosts|compat)\/[\w./-]+)`/g,
      ),
    );
    const missing = named
      .map(([, path = ""]) => path)
      .filter((path) => !existsSync(join(repository, path)))
      .filter((path) => !existsSync(join(repository, "src", path)));
    expect(named.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  test("names every folder of src", () => {
    const folders = readdirSync(join(repository, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `\`src/${name}\``);
    expect(folders.filter((folder) => !text.includes(folder))).toEqual([]);
  });
});
