// Takes the README's pictures of the demo (`npm run screenshots`), in a real Chromium, as a visitor
// sees it after logging in and filling the cart.
import { mkdirSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { createShop } from "../demo/app.ts";
import { sessionConfig } from "../demo/config.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { listen } from "../tests/support/listen.ts";
import { readArguments } from "../trials/lib/arguments.ts";

readArguments("screenshots", {});

const FOLDER = "docs/images";
/** CSS pixels. */
const VIEWPORT = { width: 1080, height: 860 } as const;
/** Pictures are looked at on screens of twice the density, too. */
const SCALE = 2;
/** Of 100. The pictures travel in the package: as PNG they would be most of it. */
const QUALITY = 80;

async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

/** Takes a picture as WebP, which Playwright has no option for, and Chromium itself has. */
async function take(page: Page, name: string): Promise<void> {
  const chromium = await page.context().newCDPSession(page);
  const clip = { x: 0, y: 0, ...VIEWPORT, scale: SCALE };
  const options = { format: "webp", quality: QUALITY, clip } as const;
  const { data } = await chromium.send("Page.captureScreenshot", options);
  writeFileSync(`${FOLDER}/${name}.webp`, Buffer.from(data, "base64"));
}

mkdirSync(FOLDER, { recursive: true });
const [browser, shop] = await Promise.all([launchBrowser(), listen(createShop(sessionConfig()))]);
try {
  const context = await browser.newContext({
    baseURL: shop.url,
    viewport: VIEWPORT,
    deviceScaleFactor: SCALE,
    colorScheme: "light",
  });
  const page = await context.newPage();
  await page.goto("/login");
  await page.fill("input[name=name]", "Ada");
  await page.check("input[name=remember]");
  await press(page, "main button");
  for (const product of ["Sencha", "Sencha", "Kyūsu"]) {
    await press(page, `[aria-label="Put ${product} in the cart"]`);
  }
  await page.waitForSelector(".flash");
  await take(page, "demo-shop");
  await page.goto("/session");
  // The message was read on the page before: its removal is in the cookie that this page shows.
  await page.goto("/session");
  await page.waitForSelector("#bytes");
  await take(page, "demo-session");
} finally {
  await browser.close();
  await shop.close();
}
