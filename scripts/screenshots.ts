// Takes the README's pictures of the demo (`npm run screenshots`), in a real Chromium: the first page after
// its proofs were tried, and the two framed browsers after one has logged out the other.
import { mkdirSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { launchBrowser } from "../tests/support/browser.ts";
import { startDemo } from "../tests/support/demo.ts";
import { readArguments } from "../trials/lib/arguments.ts";

readArguments("screenshots", {});

const FOLDER = "docs/images";
/** CSS pixels, and those of the pictures: the README shows them somewhat smaller. */
const VIEWPORT = { width: 1080, height: 860 } as const;
/** Of 100. The pictures travel in the package: as PNG they would be most of it. */
const QUALITY = 75;

/** A part of a page, in CSS pixels. */
interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Takes a picture as WebP, which Playwright has no option for, and Chromium itself has. */
async function take(page: Page, name: string, part: Clip): Promise<void> {
  const chromium = await page.context().newCDPSession(page);
  const clip = { ...part, scale: 1 };
  const options = { format: "webp", quality: QUALITY, clip, captureBeyondViewport: true } as const;
  const { data } = await chromium.send("Page.captureScreenshot", options);
  writeFileSync(`${FOLDER}/${name}.webp`, Buffer.from(data, "base64"));
}

/** The part of the page from one element to another, over its whole width. */
async function partOf(page: Page, first: string, last: string): Promise<Clip> {
  const [from, to] = await Promise.all([first, last].map((one) => page.locator(one).boundingBox()));
  const top = from?.y ?? 0;
  const bottom = (to?.y ?? 0) + (to?.height ?? 0);
  return { x: 0, y: top, width: VIEWPORT.width, height: bottom - top };
}

mkdirSync(FOLDER, { recursive: true });
const [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
try {
  const context = await browser.newContext({
    baseURL: demo.url,
    viewport: VIEWPORT,
    colorScheme: "light",
  });
  const page = await context.newPage();
  await page.goto("/");
  for (const proof of ["clicks", "logout", "copy"]) {
    await page.click(`#${proof} form button`);
    for (const column of [0, 1]) {
      await page.locator(`#${proof} output[data-good]`).nth(column).waitFor();
    }
  }
  const [laptop, phone] = ["laptop", "phone"].map((name) => page.frameLocator(`iframe.${name}`));
  for (const frame of [laptop, phone]) {
    await frame?.getByRole("button", { name: "Log in on this" }).click();
    await frame?.getByRole("heading", { name: "Hello" }).waitFor();
  }
  await laptop?.getByRole("button", { name: "Log out everywhere else" }).click();
  await phone?.getByText("Logged out from elsewhere").waitFor();
  await page.locator('[data-list="devices.phone"]', { hasText: "rejected" }).waitFor();
  // The pointer and the focus are nobody's in a picture.
  await page.mouse.move(0, 0);
  await page.evaluate<unknown>("document.activeElement.blur(); scrollTo(0, 0)");
  await take(page, "demo-proofs", await partOf(page, "header", "#logout"));
  await take(page, "demo-devices", await partOf(page, "#devices", "#devices"));
} finally {
  await browser.close();
  await demo.close();
}
