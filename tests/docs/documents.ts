// The repository's Markdown, read: fenced blocks with the place and the heading that they stand
// under, and links. It knows no tool that runs them.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { repository } from "../support/cli.ts";

/** A fenced block. */
export interface Block {
  /** The document, from the repository's root: "docs/recipes.md". */
  readonly document: string;
  /** The heading above it: "Remember me". */
  readonly heading: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  /** The word behind the fence; "" when there is none. */
  readonly language: string;
  readonly code: string;
}

/** Folders whose Markdown is not ours. */
const foreign = new Set(["node_modules", "dist", "coverage", "site"]);

/** Every Markdown file of the repository, from its root, in order. */
export function listDocuments(folder: string = repository): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !foreign.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return listDocuments(path);
      return entry.name.endsWith(".md") ? [relative(repository, path).replaceAll("\\", "/")] : [];
    })
    .toSorted();
}

/** A document's text. */
export function readDocument(document: string): string {
  return readFileSync(join(repository, document), "utf8");
}

/** Where a document's relative links lead: paths with their anchors, as they stand there. */
export function readLinks(document: string): string[] {
  const text = readDocument(document)
    .replaceAll(/^```[^]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target);
  return links.filter((target) => !/^https?:/.test(target));
}

/** The file that a link leads to, from the repository's root. */
export function linkedFile(document: string, link: string): string {
  const [path = ""] = link.split("#");
  return path === "" ? document : join(dirname(document), path).replaceAll("\\", "/");
}

/** The fenced blocks of a document. */
export function readBlocks(document: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open:
    | { readonly language: string; readonly line: number; readonly code: string[] }
    | undefined;
  for (const [index, line] of readDocument(document).split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line)?.[1]?.trim();
    if (fence === undefined) {
      if (open !== undefined) open.code.push(line);
      else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    } else if (open === undefined) {
      open = { language: fence, line: index + 2, code: [] };
    } else {
      const { language, line: first, code } = open;
      blocks.push({ document, heading, line: first, language, code: `${code.join("\n")}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${document}:${open.line}: the fence is never closed`);
  return blocks;
}
