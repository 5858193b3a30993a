// Takes the README's pictures of the demo (`npm run screenshots`), in a real Chromium, as a visitor
// sees it after logging in and filling the cart.
import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { createShop } from "../demo/app.ts";
import { sessionConfig } from "../demo/config.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { listen } from "../tests/support/listen.ts";

const FOLDER = "docs/images";
/** Pictures are looked at on screens of twice the density, too. */
const SCALE = 2;

async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

mkdirSync(FOLDER, { recursive: true });
const [browser, shop] = await Promise.all([launchBrowser(), listen(createShop(sessionConfig()))]);
try {
  const context = await browser.newContext({
    baseURL: shop.url,
    viewport: { width: 1080, height: 860 },
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
  await page.screenshot({ path: `${FOLDER}/demo-shop.png` });
  await page.goto("/session");
  // The message was read on the page before: its removal is in the cookie that this page shows.
  await page.goto("/session");
  await page.waitForSelector("#bytes");
  await page.screenshot({ path: `${FOLDER}/demo-session.png` });
} finally {
  await browser.close();
  await shop.close();
}
