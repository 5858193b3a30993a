// TypeDoc's settings: every entry point of the package, read from its sources.
import { readFileSync } from "node:fs";

const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const sources = Object.values(exports)
  .map((entry) => entry["kocha-session-source"])
  .filter((source) => source !== undefined);

export default {
  plugin: ["typedoc-plugin-markdown"],
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
