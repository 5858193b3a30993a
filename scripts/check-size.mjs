// Prevents growth that nobody sees: bundles the engine with the cookie store as a user's bundler
// would, weighs it against its limit, and looks for what must not bleed into it.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/**
 * Bytes, minified and compressed: the budget of the cookie store with all that it needs. The aim is
 * AIM, which is not reached. Error messages are 2 KB of it, merging cookies 4, the half of the engine
 * that serves server-side stores 2, and the rest is more than the aim by itself. The budget holds
 * what there is from growing unseen.
 */
const LIMIT = 22 * 1024;
const AIM = 8 * 1024;
/** Strings of parts that this import must not carry: the memory store, the hosts, the CLI. */
const foreign = ["maxEntries", "writeHead", "remoteAddr", "keygen --", "_kocha._sess"];

const { outputFiles } = await build({
  stdin: {
    contents: 'export { SessionMiddleware, SessionCookieStore } from "kocha-session";',
    resolveDir: ".",
  },
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  platform: "node",
  target: "node20",
  conditions: ["node"],
});
const [{ text, contents }] = outputFiles;
const size = gzipSync(contents, { level: 9 }).length;
const bleeding = foreign.filter((part) => text.includes(part));
console.log(
  `SessionMiddleware with SessionCookieStore: ${contents.length} bytes, ${size} compressed, limit ${LIMIT}, aim ${AIM}`,
);
for (const part of bleeding) console.error(`"${part}" bleeds into the bundle`);
if (JSON.parse(readFileSync("package.json", "utf8")).sideEffects !== false)
  bleeding.push("sideEffects");
process.exit(size <= LIMIT && bleeding.length === 0 ? 0 : 1);
