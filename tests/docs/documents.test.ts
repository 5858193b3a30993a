// What holds of every Markdown file: links lead somewhere, headings that are linked are there, and
// each fenced block says a language that is run, or one that is only read.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorOf } from "../../scripts/anchor.ts";
import { repository } from "../support/cli.ts";
import { linkedFile, listDocuments, readBlocks, readDocument, readLinks } from "./documents.ts";

/**
 * `ts` and `sh` are run (snippets.test.ts, shell.test.ts), `tsx` is compared with an example's file
 * (examples.test.ts); the others are only read.
 */
const languages = ["ts", "tsx", "sh", "text", "json", "sql", "http", "diff", "nginx", "dockerfile"];

function anchorsOf(document: string): string[] {
  const text = readDocument(document).replaceAll(/^```[^]*?^```/gm, "");
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => anchorOf(heading));
}

describe.each(listDocuments())("%s", (document) => {
  test("its links lead somewhere", () => {
    const broken = readLinks(document).filter((link) => {
      const [, anchor] = link.split("#");
      const file = linkedFile(document, link);
      if (!existsSync(join(repository, file))) return true;
      if (anchor === undefined) return false;
      return statSync(join(repository, file)).isFile() && !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("its blocks say a language that we know", () => {
    const unknown = readBlocks(document).filter(({ language }) => !languages.includes(language));
    expect(unknown.map(({ line, language }) => `${line}: ${language}`)).toEqual([]);
  });
});
