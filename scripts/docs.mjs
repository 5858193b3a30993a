// `npm run docs`: the documentation as a site with search and a reference of every export, built in
// site/ with a package.json of its own, and served. The pages are copies of the repository's documents
// under their own paths, so that their links lead to each other there, too.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const site = join(root, "site");
const pages = join(site, "pages");
/** No pages: documents of single examples, and texts that a page is made of. */
const left = /^(?:examples\/[^/]+\/|tests\/|site\/|bench\/notes\.md)/;

const inherit = { cwd: site, stdio: "inherit" };
const npx = (...args) => execFileSync("npx", ["--no-install", ...args], inherit);

function install() {
  const lock = readFileSync(join(site, "package-lock.json"), "utf8");
  const mark = join(site, "node_modules", "installed-lock.json");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  execFileSync("npm", ["ci"], inherit);
  writeFileSync(mark, lock);
}

function stage() {
  rmSync(pages, { recursive: true, force: true });
  const listed = execFileSync("git", ["ls-files", "-z", "*.md", "*.svg", "*.webp"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const path of listed.split("\0").filter((one) => one !== "" && !left.test(one))) {
    cpSync(join(root, path), join(pages, path), { recursive: true });
  }
}

install();
stage();
npx("typedoc", "--options", "typedoc.mjs");
npx("vitepress", "build", ".");
if (!process.argv.includes("--build"))
  spawnSync("npx", ["--no-install", "vitepress", "preview", "."], inherit);
