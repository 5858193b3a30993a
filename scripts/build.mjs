// `npm run build [-- folder] [--programs]`: declarations, a file for each source, and programs, few files
// for all: what is loaded on a cold start costs by the file, about half a millisecond each, more than what
// is in it. With --programs, no declarations: in a third of the time.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

const {
  values: { programs },
  positionals: [folder = "dist"],
} = parseArgs({ allowPositionals: true, options: { programs: { type: "boolean" } } });
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const sources = Object.values(exports)
  .map((entry) => entry["kocha-session-source"])
  .filter((source) => source !== undefined);
// What package.json names besides: the primitives that its conditions choose, and the program.
const entries = [...sources, "./src/crypto/primitives-node.ts", "./src/cli/main.ts"];
const nameOf = (source) => source.replace(/^\.\/(?:src\/)?/, "").replace(/\.ts$/, "");

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("scripts/clean.mjs", folder);
if (!programs)
  run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", folder);

async function bundle(input, output) {
  const built = await rolldown({
    input: Object.fromEntries(input.map((source) => [nameOf(source), source])),
    // Nobody else's code gets in: drivers, frameworks and #crypto stay imports.
    external: (id) => !/^[./]/.test(id),
    platform: "neutral",
    // Files are joined and nothing is left out: what a bundler takes for pure can be a check.
    treeshake: false,
  });
  await built.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    ...output,
  });
  await built.close();
}

await bundle(entries, {
  codeSplitting: {
    groups: [
      // What the main entry point has is one file, whatever other entry points take of it.
      {
        name: "core",
        test: /\/src\/(?:(?:base|store|cookie|engine|revocations|session)\/|crypto\/(?!primitives)|stores\/(?:cookie|memory)\.|(?:errors|events)\.)/,
      },
      { name: "merge", test: /\/src\/merge\// },
      { name: "readers", test: /\/src\/compat\/(?:reader|options|fe26|express-cookie)\./ },
      { name: "sql", test: /\/src\/stores\/sql\// },
      { name: "redis", test: /\/src\/stores\/redis\// },
    ],
  },
});
// Each by itself: of the two sets of primitives, Node.js loads its own only, and an edge runtime the other.
await bundle(["./src/crypto/primitives-default.ts"]);
// The demo is one program, which imports the package as any application does, and the scripts that it
// serves to browsers. Its sources aren't published, so there is nothing that it could be mapped to.
await bundle(["./demo/serve.ts"], { sourcemap: false });
cpSync("demo/browser", resolve(folder, "demo/browser"), {
  recursive: true,
  filter: (path) => !path.endsWith(".d.mts"),
});
await bundle(["./src/crypto/primitives-portable.ts"]);

// The tables' SQL under their default names, for migration tools, by the functions that make it.
const built = (name) => import(pathToFileURL(resolve(folder, "stores", name)));
const { postgresRevocationsSql, postgresSessionsSql } = await built("postgres.js");
const { mysqlSessionsSql } = await built("mysql.js");
const { sqliteRevocationsSql, sqliteSessionsSql } = await built("sqlite.js");
const tables = {
  mysqlSessionsSql,
  postgresRevocationsSql,
  postgresSessionsSql,
  sqliteRevocationsSql,
  sqliteSessionsSql,
};
mkdirSync(resolve(folder, "sql"));
for (const [maker, statements] of Object.entries(tables)) {
  const name = maker.replace(/([A-Z]\w+)Sql$/, (_, table) => `-${table.toLowerCase()}.sql`);
  const text = [
    `-- What ${maker}() of kocha-session gives; createTable() runs it.`,
    ...statements(),
  ];
  writeFileSync(resolve(folder, "sql", name), `${text.join("\n")}\n`);
}
