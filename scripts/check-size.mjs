// Prevents growth that nobody sees: bundles the engine with the cookie store as a user's bundler
// would, weighs it against its limit, and looks for what must not bleed into it. With `--parts` it
// says what each part of it weighs, by leaving it out.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { parseAst } from "rolldown/parseAst";

/**
 * Bytes, minified and compressed: the budget of the cookie store with all that it needs. The aim is
 * AIM, which is not reached: docs/adr/0008-bundle-size.md. The budget holds what there is from
 * growing unseen.
 */
const LIMIT = 27_080;
const AIM = 8 * 1024;
/** The same where no condition names the runtime: with both sets of primitives, and with @noble. */
const WORKER_LIMIT = 35_420;
/** A worker with the Fetch API's host and one of the stores for the edge, all of its entry point. */
const STORE_LIMITS = {
  "durable-object": 40_300,
  dynamodb: 36_390,
  postgres: 41_880,
  redis: 44_130,
  sqlite: 42_410,
};
const CORE = 'export { SessionMiddleware, SessionCookieStore } from "kocha-session";';
const withStore = (name) =>
  `export * from "kocha-session/${name}"; export { withSession } from "kocha-session/fetch";`;
const workerConditions = ["workerd", "worker", "browser"];
/** Strings of parts that this import must not carry: merging cookies, the memory store, the hosts, the CLI, readers. */
const foreign = [
  "keptNames",
  "maxEntries",
  "writeHead",
  "remoteAddr",
  "keygen --",
  "_kocha._sess",
  "Fe26.",
  "connect.sid",
];

/** What could be an entry point of its own, by the modules that it would take along. */
const parts = {
  "server-side stores": [
    "engine/ticketed/keeper",
    "engine/ticketed/finder",
    "engine/ticketed/row-writer",
    "engine/ticketed/ticket",
    "engine/ticketed/row",
  ],
  "splitting into several cookies": ["cookie/split"],
  "flash messages and typed keys": ["session/flash", "session/typed"],
};

async function bundle(plugins = [], conditions = ["node"], platform = "node", exported = CORE) {
  const { metafile, outputFiles } = await build({
    stdin: {
      contents: exported,
      resolveDir: ".",
    },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform,
    target: "node20",
    conditions,
    plugins,
  });
  const [{ contents, text }] = outputFiles;
  const { inputs } = Object.values(metafile.outputs)[0];
  return { contents, text, inputs, size: gzipSync(contents, { level: 9 }).length };
}

/** Empties modules: what imports them finds names, and nothing behind them. */
const without = (modules) => ({
  name: "without",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      if (!modules.some((name) => path.endsWith(`/src/${name}.ts`))) return undefined;
      const source = readFileSync(path, "utf8");
      const names = [...source.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)];
      return { contents: names.map(([, name]) => `export class ${name} {}`).join("\n") };
    });
  },
});

/** What is left without the texts of errors: a literal with words in it is for people. */
function weighWithoutTexts({ text }) {
  const texts = [];
  const visit = (node) => {
    if (typeof node !== "object" || node === null) return;
    const { end, start, type, value } = node;
    const words = type === "TemplateElement" ? value.cooked : type === "Literal" ? value : "";
    if (typeof words === "string" && /\w \w/.test(words)) {
      texts.push(type === "Literal" ? [start + 1, end - 1] : [start, end]);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text));
  let bare = text;
  for (const [start, end] of texts.toSorted(([one], [other]) => other - one)) {
    bare = bare.slice(0, start) + bare.slice(end);
  }
  return gzipSync(bare, { level: 9 }).length;
}

async function printParts() {
  const fromSource = ["kocha-session-source", "node"];
  const whole = await bundle([], fromSource);
  const show = (label, bytes) => console.log(`${String(bytes).padStart(7)}  ${label}`);
  show("bytes compressed, all of it", whole.size);
  const all = Object.values(parts).flat();
  for (const [label, modules] of Object.entries({ ...parts, "all of these": all })) {
    const { size } = await bundle([without(modules)], fromSource);
    show(`without ${label}`, size - whole.size);
  }
  show("without any text of an error", weighWithoutTexts(whole) - whole.size);
  const least = await bundle([without(all)], fromSource);
  show("bytes are left without all that", weighWithoutTexts(least));
  console.log("\nbytes minified, by module:");
  const modules = Object.entries(whole.inputs).map(([path, { bytesInOutput }]) => [
    path.replace("src/", ""),
    bytesInOutput,
  ]);
  for (const [path, bytes] of modules.toSorted(([, one], [, other]) => other - one)) {
    if (bytes > 0) show(path, bytes);
  }
}

if (process.argv.includes("--parts")) {
  await printParts();
  process.exit(0);
}
const faults = [];

function check(where, { contents, size, text }, limit, banned, what = "SessionCookieStore") {
  console.log(`${what} ${where}: ${contents.length} bytes, ${size} compressed, limit ${limit}`);
  if (size > limit) faults.push(`${where}, it is over its limit`);
  for (const part of banned)
    if (text.includes(part)) faults.push(`${where}, "${part}" bleeds into the bundle`);
}

check("on Node.js", await bundle(), LIMIT, foreign);
// A worker's bundler can't resolve an import of Node.js.
const worker = await bundle([], workerConditions, "neutral");
check("on a worker", worker, WORKER_LIMIT, [...foreign, 'from"node:', 'require("node:']);
const inWorker = ["Fe26.", "connect.sid", "keygen --", 'from"node:', 'require("node:'];
for (const [name, limit] of Object.entries(STORE_LIMITS)) {
  const bundled = await bundle([], workerConditions, "neutral", withStore(name));
  check("on a worker", bundled, limit, inWorker, `kocha-session/${name} with withSession`);
}
console.log(`the aim is ${AIM}: docs/adr/0008-bundle-size.md`);
if (JSON.parse(readFileSync("package.json", "utf8")).sideEffects !== false)
  faults.push("package.json doesn't say sideEffects: false");
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
