// TypeDoc's settings: every entry point of the package, read from its sources.
import { readFileSync } from "node:fs";

const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const sources = Object.values(exports)
  .map((entry) => entry["kocha-session-source"])
  .filter((source) => source !== undefined);

/** The name that users import, by the name that TypeDoc makes of a source. */
const names = new Map(
  Object.entries(exports).flatMap(([path, entry]) => {
    const source = entry["kocha-session-source"];
    if (source === undefined) return [];
    const made = source.replace("./src/", "").replace(/(?:\/index)?\.ts$/, "");
    return [[made, `kocha-session${path.slice(1)}`]];
  }),
);

/** Names each module, and so its page, as it is imported. */
function nameModules({ converter }) {
  converter.on("resolveBegin", ({ project }) => {
    for (const module of project.children ?? []) {
      module.name = names.get(module.name) ?? module.name;
    }
  });
}

export default {
  plugin: ["typedoc-plugin-markdown", nameModules],
  entryPoints: sources.map((source) => `../${source}`),
  entryPointStrategy: "resolve",
  tsconfig: "../tsconfig.json",
  out: "pages/api",
  readme: "none",
  githubPages: false,
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  hideGenerator: true,
  entryFileName: "README",
  useCodeBlocks: true,
  treatValidationWarningsAsErrors: false,
};
