// Each store has a page of its own, and the table of options there has what the declarations have: every
// option, no other, and the same defaults.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { listEntryPoints } from "../../scripts/api-list.ts";
import { repository } from "../support/cli.ts";
import { readDocument } from "./documents.ts";

/** The stores that `kocha-session` itself exports, by the files that declare their options. */
const ownStores = { cookie: "src/cookie/options.ts", memory: "src/stores/memory.ts" };
const stores = Object.entries({
  ...Object.fromEntries(
    listEntryPoints(repository)
      .filter(([, source]) => dirname(source) === join(repository, "src", "stores"))
      .map(([, source]) => [basename(source, ".ts"), source]),
  ),
  ...Object.fromEntries(
    Object.entries(ownStores).map(([name, source]) => [name, join(repository, source)]),
  ),
});

interface Option {
  readonly name: string;
  /** As the table's cell has it. */
  readonly default: string;
}

/** The options that an interface declares, with those of what it extends. */
function optionsOf(source: string, type: string | undefined): Option[] {
  const text = readFileSync(source, "utf8");
  const shape = new RegExp(
    `interface (${type ?? "\\w*StoreOptions"})(?: extends (\\w+))? \\{([^]*?)\\n\\}`,
  ).exec(text);
  if (shape === null) throw new Error(`${source} declares no options of a store`);
  const [, , base, body = ""] = shape;
  const fields = body.matchAll(/\/\*\*([^]*?)\*\/\s+readonly (\w+)(\??):/g);
  const own = Array.from(fields, ([, comment = "", name = "", optional]): Option => {
    const said = /Default ([^\s,]+?)[.,]?(?:\s|$)/.exec(comment)?.[1];
    if (said === undefined) return { name, default: optional === "" ? "required" : "none" };
    return { name, default: said === "none" ? said : `\`${said}\`` };
  });
  if (base === undefined) return own;
  const from = new RegExp(`import .*\\b${base}\\b.* from "(.+)"`).exec(text)?.[1] ?? "";
  return [...own, ...optionsOf(join(dirname(source), from), base)];
}

/** The rows of a page's table of options. */
function tableOf(page: string): string[][] {
  const [, section = ""] = readDocument(page).split("## Options\n");
  const [table = ""] = section.split("\n## ");
  return Array.from(table.matchAll(/^\| `(\w+)` \|(.*)\|$/gm), ([, name = "", rest = ""]) => [
    name,
    ...rest.split("|").map((cell) => cell.trim()),
  ]);
}

test("every page is of a store", () => {
  const pages = readdirSync(join(repository, "docs", "stores")).map((page) =>
    basename(page, ".md"),
  );
  expect(pages.toSorted()).toEqual(stores.map(([name]) => name).toSorted());
});

describe.each(stores)("docs/stores/%s.md", (name, source) => {
  const page = `docs/stores/${name}.md`;

  test("is there, and the page of all stores leads to it", () => {
    expect(existsSync(join(repository, page))).toBe(true);
    expect(readDocument("docs/stores.md")).toContain(`](stores/${name}.md)`);
  });

  test("has every option of the declarations, with its default", () => {
    const declared = optionsOf(source, undefined);
    const rows = tableOf(page);
    expect(declared.length).toBeGreaterThan(1);
    const told = rows.map(([option, , value]) => `${option}: ${value}`);
    const due = declared.map(({ name: option, default: value }) => `${option}: ${value}`);
    expect(told.toSorted()).toEqual(due.toSorted());
    // A type, a unit or nothing, and what it does.
    expect(rows.filter((cells) => cells.length !== 5 || cells[1] === "")).toEqual([]);
  });
});
