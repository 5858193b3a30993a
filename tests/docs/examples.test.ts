// What the documents show of an example is in that example, word for word. Its frameworks aren't installed
// here, so these blocks aren't compiled with the others: `npm run examples` compiles and runs the files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository } from "../support/cli.ts";
import { listDocuments, readBlocks } from "./documents.ts";

const blocks = listDocuments()
  .flatMap(readBlocks)
  .filter(({ language }) => language === "tsx");

test("there are some", () => expect(blocks.length).toBeGreaterThan(3));

describe.each(blocks)("$document:$line", ({ code }) => {
  test("is a part of the file that it names", () => {
    const [, file = ""] = /^\/\/ (examples\/[\w./-]+)/.exec(code) ?? [];
    const shown = code.slice(code.indexOf("\n") + 1).trim();
    expect(readFileSync(join(repository, file), "utf8")).toContain(shown);
  });
});
