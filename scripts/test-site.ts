// `npm run test:site`: builds the documentation's site and opens every page of it in Chromium, as wide as
// a desk's screen and as a phone's; and finds a word by its search.
import { execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launchBrowser } from "../tests/support/browser.ts";
import { repository } from "../tests/support/cli.ts";
import { freePort } from "../tests/support/servers/process.ts";
import { until } from "../tests/support/until.ts";
import { option, readArguments } from "../trials/lib/arguments.ts";
import { conclude, fault, progress } from "../trials/lib/verdict.ts";

const { built } = readArguments("test:site", { built: option.flag("opens what is built already") });
const site = join(repository, "site");
const dist = join(site, ".vitepress", "dist");
const PHONE = 375;
/** The anchors of each page, and the links to anchors with the page that they are on. */
const anchors = new Map<string, ReadonlySet<string>>();
const links: (readonly [path: string, target: string])[] = [];

if (!built) {
  const script = join(repository, "scripts", "docs.mjs");
  execFileSync(process.execPath, [script, "--build"], { cwd: repository, stdio: "inherit" });
}
const port = await freePort();
const url = `http://localhost:${port}`;
const preview = join(site, "node_modules", "vitepress", "bin", "vitepress.js");
const server = spawn(process.execPath, [preview, "preview", ".", "--port", String(port)], {
  cwd: site,
  stdio: "ignore",
});
const browser = await launchBrowser();
try {
  await until(
    "the site answers",
    async () => (await fetch(url).catch(() => undefined))?.ok === true,
  );
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(`${page.url()}: ${message}`));
  const paths = readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html") && path !== "404.html")
    .map((path) => `/${path.replace(/(?:index)?\.html$/, "")}`);
  for (const path of paths) await look(page, path);
  for (const [path, target] of links) {
    const { pathname, hash } = new URL(target);
    const isThere = anchors.get(pathname)?.has(decodeURIComponent(hash.slice(1)));
    // The reference of the exports has links of its own making.
    if (isThere === false && !path.startsWith("/api/")) fault(`${path}: no ${pathname}${hash}`);
  }
  for (const complaint of complaints) fault(complaint);
  await search(page, "regenerate");
  conclude(`${paths.length} pages`);
} finally {
  await browser.close();
  server.kill();
}

/** A page has a heading, and needs no sideways scroll on a phone; its anchors and its links to some are kept. */
async function look(page: Page, path: string): Promise<void> {
  await page.setViewportSize({ width: PHONE, height: 700 });
  const response = await page.goto(url + path, { waitUntil: "load" });
  if (response?.status() !== 200) fault(`${path}: ${response?.status()}`);
  if ((await page.locator("main h1").count()) !== 1) fault(`${path}: not one heading`);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > PHONE) fault(`${path}: ${width} px wide on a phone`);
  const found = await page.evaluate(() => ({
    ids: Array.from(document.querySelectorAll("[id]"), ({ id }) => id),
    targets: Array.from(
      document.querySelectorAll<HTMLAnchorElement>("main a[href*='#']"),
      ({ href }) => href,
    ),
  }));
  anchors.set(path, new Set(found.ids));
  links.push(
    ...found.targets
      .filter((target) => target.startsWith(url))
      .map((target) => [path, target] as const),
  );
}

async function search(page: Page, word: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(url, { waitUntil: "load" });
  await page
    .getByRole("button", { name: /search/i })
    .first()
    .click();
  await page.getByRole("searchbox").fill(word);
  const found = page.locator(".VPLocalSearchBox .results .result");
  await found.first().waitFor();
  progress(`"${word}" is found ${await found.count()} times`);
}
