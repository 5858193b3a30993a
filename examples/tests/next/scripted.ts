// What must hold of Next.js in a browser with JavaScript, in a production build. An action's redirect isn't one
// for the browser then: Next asks itself for the page, and answers the action with it.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../../tests/support/browser.ts";
import type { Kind } from "./server.ts";

/** Declares the transcripts. */
export function describeScripted(kind: Kind, url: () => string): void {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test.each([
    // Cookies that are due take the browser's own request, which is a navigation.
    ["counted", "1", kind === "ticketed"],
    ["looked", "", true],
  ])("an action %s by the proxy of its target keeps both writes", async (action, n, isSame) => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const at = (path: string): string => `${url()}/t/${kind}/${path}`;
      await page.goto(at("end"), { waitUntil: "networkidle" });
      await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
      await page.getByRole("button", { name: action }).click();
      const reads = async (): Promise<unknown> => {
        await page.locator("#a", { hasText: action }).waitFor();
        return page.locator("#n").textContent();
      };
      expect(await reads()).toBe(n);
      expect(await page.evaluate(() => "isSame" in globalThis)).toBe(isSame);
      await page.goto(at("read"));
      expect(await reads()).toBe(n);
    } finally {
      await context.close();
    }
  });
}
