// The documentation as a site. scripts/docs.mjs lays out its pages in `pages`: copies of the repository's
// documents, and the reference of the exports in `pages/api`.
import { readFileSync } from "node:fs";
import { type DefaultTheme, defineConfig } from "vitepress";
import { anchorOf } from "../../scripts/anchor.ts";

const contents = new URL("../pages/docs/README.md", import.meta.url);

/** The sidebar: the groups and their pages as docs/README.md lists them. */
function sidebar(): DefaultTheme.SidebarItem[] {
  const groups: { text: string; items: { text: string; link: string }[] }[] = [];
  for (const line of readFileSync(contents, "utf8").split("\n")) {
    const heading = /^## (.*)$/.exec(line)?.[1];
    if (heading !== undefined) groups.push({ text: heading, items: [] });
    for (const [, text = "", path = ""] of line.startsWith("- ")
      ? line.matchAll(/\[([^\]]+)\]\(([^)]+\.md)\)/g)
      : []) {
      const { pathname } = new URL(path, "http://site/docs/");
      groups
        .at(-1)
        ?.items.push({ text, link: pathname.replace(/README\.md$/, "").replace(/\.md$/, "") });
    }
  }
  const api = { text: "Every export", link: "/api/" };
  return [...groups, { text: "API", items: [api] }].map((group) => ({
    ...group,
    collapsed: false,
  }));
}

export default defineConfig({
  title: "kocha-session",
  description: "Web sessions for every JavaScript server: a plain string map for each client.",
  srcDir: "pages",
  cleanUrls: true,
  lastUpdated: false,
  // A folder's README is its front page.
  rewrites: (id) => id.replace(/README\.md$/, "index.md"),
  // Results, vectors and sources are files of the repository and no pages; tests/docs checks all links.
  ignoreDeadLinks: [/\.(?:json|ts|mjs|sql)$/, /LICENSE$/, /(?:vectors|examples)/],
  markdown: { anchor: { slugify: anchorOf } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Getting started", link: "/docs/getting-started" },
      { text: "Stores", link: "/docs/stores" },
      { text: "Hosts", link: "/docs/hosts" },
      { text: "API", link: "/api/" },
      { text: "Changelog", link: "/CHANGELOG" },
    ],
    sidebar: sidebar(),
  },
});
