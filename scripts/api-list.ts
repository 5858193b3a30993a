// What every entry point exports, by the sources: each name with its kind and the first sentence of its
// docstring, as a Markdown document.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** One exported name. */
export interface ApiExport {
  readonly name: string;
  readonly kind: string;
  /** The first sentence of the docstring; "": there is none. */
  readonly summary: string;
}

/** What of a syntax tree is read here. */
interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly abstract?: boolean;
  readonly id?: { readonly name: string };
  readonly declaration?: Syntax | null;
  readonly declarations?: readonly Syntax[];
  readonly source?: { readonly value: string } | null;
  readonly specifiers?: readonly {
    readonly local: { readonly name: string };
    readonly imported?: { readonly name: string };
    readonly exported?: { readonly name?: string };
  }[];
  readonly body?: readonly Syntax[];
}

const kinds: Readonly<Record<string, string>> = {
  ClassDeclaration: "class",
  FunctionDeclaration: "function",
  VariableDeclaration: "constant",
  TSInterfaceDeclaration: "interface",
  TSTypeAliasDeclaration: "type",
};

/** The entry points of the package with their sources: `["kocha-session/koa", "src/hosts/koa.ts"]`. */
export function listEntryPoints(root: string): [name: string, source: string][] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, Readonly<Record<string, string>> | string>>;
  };
  return Object.entries(manifest.exports).flatMap(([path, targets]) => {
    const source = typeof targets === "string" ? undefined : targets[`${manifest.name}-source`];
    return source === undefined ? [] : [[manifest.name + path.slice(1), join(root, source)]];
  });
}

/** What a source file exports, in alphabetical order. */
export function listExports(file: string): ApiExport[] {
  const found = exportsOf(file);
  return [...found.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function exportsOf(file: string): Map<string, ApiExport> {
  const text = readFileSync(file, "utf8");
  const found = new Map<string, ApiExport>();
  const imported = new Map<string, { readonly name: string; readonly from: string }>();
  const { body = [] } = parseAst(text, { lang: "ts" }, file) as unknown as Syntax;
  for (const statement of body) {
    const { type, specifiers = [], source } = statement;
    const from = source?.value ?? "";
    if (type === "ImportDeclaration") {
      for (const { local, imported: other } of specifiers) {
        imported.set(local.name, { name: other?.name ?? local.name, from });
      }
    } else if (type === "ExportAllDeclaration" || type === "ExportDefaultDeclaration") {
      throw new Error(`${file}: ${type} is not in the list of exports`);
    } else if (type === "ExportNamedDeclaration") {
      // The types of a namespace are listed by themselves.
      if (statement.declaration?.type === "TSModuleDeclaration") continue;
      for (const one of declared(statement, text)) found.set(one.name, found.get(one.name) ?? one);
      for (const { local, exported = local } of specifiers) {
        const { name } = exported;
        // A name in quotes is `module.exports`, which only `require` looks for.
        if (name === undefined) continue;
        const origin = from === "" ? imported.get(local.name) : { name: local.name, from };
        const target = origin && exportsOf(join(dirname(file), origin.from)).get(origin.name);
        if (target === undefined) throw new Error(`${file}: ${name} isn't found`);
        found.set(name, { ...target, name });
      }
    }
  }
  return found;
}

/** What an export statement declares by itself. */
function declared(statement: Syntax, text: string): ApiExport[] {
  const { declaration } = statement;
  if (declaration === null || declaration === undefined) return [];
  const kind = kinds[declaration.type];
  if (kind === undefined) throw new Error(`${declaration.type} is not in the list of kinds`);
  const summary = summaryBefore(text.slice(0, statement.start));
  return (declaration.declarations ?? [declaration]).map(({ id, abstract }) => ({
    name: id?.name ?? "",
    kind: abstract === true ? `abstract ${kind}` : kind,
    summary,
  }));
}

/** The first sentence of the docstring at the end of a text. */
function summaryBefore(text: string): string {
  const [, comment = ""] = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*$/.exec(text) ?? [];
  const [description = ""] = comment.replaceAll(/^\s*\* ?/gm, "").split(/^\s*@/m);
  const [paragraph = ""] = description.trim().split(/\n\s*\n/);
  const line = paragraph
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .trim();
  return /^.*?[^.]\.(?= [A-Z`]|$)/.exec(line)?.[0] ?? line;
}

/** The document. */
export function writeApi(root: string): string {
  const sections = listEntryPoints(root).map(([name, source]) => {
    const rows = listExports(source).map(
      (one) => `| \`${one.name}\` | ${one.kind} | ${one.summary.replaceAll("|", "\\|")} |`,
    );
    return `## ${name}\n\n| export | kind | |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return (
    "# Exports\n\n" +
    "What each entry point exports, with the first sentence of its documentation; the rest is in the " +
    "declarations, which editors show. Generated by `npm run api`, and compared by a test.\n\n" +
    sections.join("\n")
  );
}
