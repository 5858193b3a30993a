// What the reference says is what the code says: every error code, every default.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults } from "kocha-session";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/engine/config.ts";
import { eventNames } from "../../src/events.ts";
import { FLASH_PREFIX, MAP_PREFIX } from "../../src/base/reserved.ts";
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
  const documented = Array.from(
    readDocument("docs/reference/errors.md").matchAll(/^### (ERR_\w+)$/gm),
    ([, code = ""]) => code,
  );

  test("has a heading for every code of the union, to which messages lead, and for no other", () => {
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

describe("docs/reference/events.md", () => {
  const source = sourceOf("src/events.ts");
  const errors = sourceOf("src/errors.ts");
  const rows = tableRows("docs/reference/events.md");
  const codesOf = (cell = ""): string[] =>
    Array.from(cell.matchAll(/`([\w-]+)`/g), ([, name = ""]) => name);
  const unionOf = (text: string, type: string): string[] => {
    const union = new RegExp(`type ${type} =([^;]*);`).exec(text)?.[1] ?? "";
    return Array.from(union.matchAll(/"([\w-]+)"/g), ([, name = ""]) => name);
  };

  /** An event's fields, with those of what it extends. */
  function fieldsOf(type: string): string[] {
    const shape = new RegExp(`interface ${type}(?: extends (\\w+))? \\{([^]*?)\n\\}`).exec(source);
    const [, base, body = ""] = shape ?? [];
    const own = Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, name = ""]) => name);
    return [...(base === undefined ? [] : fieldsOf(base)), ...own];
  }

  test("has every event once, with its fields", () => {
    const events = Array.from(
      source.matchAll(/^ {2}(\w+)\?\(event: (\w+)\): void;/gm),
      ([, name = "", type = ""]) => [name, fieldsOf(type)],
    );
    expect(events.map(([name]) => name)).toEqual([...eventNames]);
    // The tables of reasons, which have an event's name among them, are of two columns.
    const told = rows.filter(({ length }) => length === 3).slice(2);
    const documented = told.map(([name, fields]) => [codesOf(name)[0], codesOf(fields)]);
    expect(documented).toEqual(events);
  });

  test.each([
    ["RefusedReason", "Reasons of `refused`"],
    ["RejectedReason", "Reasons of `rejected`"],
  ])("has every %s", (type, heading) => {
    const [, part = ""] = readDocument("docs/reference/events.md").split(`## ${heading}\n`);
    const [section = ""] = part.split("\n## ");
    const reasons = Array.from(section.matchAll(/^\| `([\w-]+)` \|/gm), ([, name = ""]) => name);
    expect(reasons.length).toBeGreaterThan(5);
    expect(reasons).toEqual(unionOf(source, type));
  });

  test("has every operation", () => {
    const line = /^- `operation` is (.*)$/m.exec(readDocument("docs/reference/events.md"))?.[1];
    expect(codesOf(line)).toEqual(unionOf(errors, "StoreOperation"));
  });
});

test("docs/reference/reserved.md has every reserved prefix, with what writes it", () => {
  const table = /const reserved:[^]*?\];/.exec(sourceOf("src/base/reserved.ts"))?.[0] ?? "";
  const prefixes = new Map([
    ["FLASH_PREFIX", FLASH_PREFIX],
    ["MAP_PREFIX", MAP_PREFIX],
  ]);
  const reserved = Array.from(
    table.matchAll(/prefix: (\w+), writer: "([\w.]+)"/g),
    ([, name = "", writer = ""]) => [`\`${prefixes.get(name)}\``, `\`${writer}\``],
  );
  expect(reserved).toHaveLength(prefixes.size);
  const rows = tableRows("docs/reference/reserved.md").map(([prefix, writer]) => [prefix, writer]);
  expect(rows).toEqual(expect.arrayContaining(reserved));
});

describe("the warnings", () => {
  const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => sourceOf(join("src", path)));
  const codes = new Set(
    sources.flatMap((text) =>
      Array.from(text.matchAll(/"(KOCHA_SESSION_\w+)"/g), ([, code = ""]) => code),
    ),
  );

  test("have a heading in docs/reference/errors.md each, to which their messages lead", () => {
    const headings = readDocument("docs/reference/errors.md").matchAll(/^### (KOCHA_\w+)$/gm);
    expect(codes.size).toBeGreaterThan(2);
    expect(Array.from(headings, ([, code]) => code)).toEqual([...codes].toSorted());
  });
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
