// The demo's three proofs in Chromium, on the default store and on each `--store`: what the usual way
// loses is lost, and what this library keeps is kept. And five clicks at once in the shop.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { products } from "../../demo/catalog.ts";
import { launchBrowser } from "../support/browser.ts";
import { type StartedDemo, startDemo } from "../support/demo.ts";

/** In `npm test` the default store; `npm run test:demo` has them all. */
const stores =
  process.env["MODE"] === "every-store"
    ? ["cookie", "memory", "sqlite", "redis", "postgres", "mysql", "memcached"]
    : ["cookie"];

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const ids = products.slice(0, 5).map(({ id }) => id);

/** Presses a proof's button; gives what its two columns say, the usual way first. */
async function prove(page: Page, proof: string): Promise<string[]> {
  const outcomes = page.locator(`#${proof} output[data-good]`);
  await page.click(`#${proof} form button`);
  await expect.poll(() => outcomes.count(), { timeout: 15_000 }).toBe(2);
  return outcomes.allInnerTexts();
}

/** The lines of a list of events, once one of them is there. */
async function eventsOf(page: Page, list: string, awaited: string): Promise<string> {
  const lines = page.locator(`[data-list="${list}"]`);
  await lines.filter({ hasText: awaited }).waitFor();
  return (await lines.textContent()) ?? "";
}

/** What clicks at once send, each of which gets its page. */
function addAtOnce(page: Page, clicked: readonly string[]): Promise<unknown> {
  return page.evaluate(
    (all) =>
      Promise.all(
        all.map(async (id) => {
          const answer = await fetch("/cart/add", {
            method: "POST",
            body: new URLSearchParams({ id }),
          });
          if (!answer.ok) throw new Error(`status ${answer.status}`);
        }),
      ),
    clicked,
  );
}

describe.each(stores)("on %s", (name) => {
  const isSealed = name === "cookie";
  let demo: StartedDemo;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    demo = await startDemo(name);
    context = await browser.newContext({ baseURL: demo.url });
    context.setDefaultTimeout(15_000);
    page = await context.newPage();
  });
  afterAll(async () => {
    await context.close();
    await demo.close();
  });

  test("five clicks at once: the usual way loses some, this library none", async () => {
    const sent: number[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/add?")) sent.push(Date.now());
    });
    await page.goto("/");
    const [usual, ours] = await prove(page, "clicks");
    expect(usual).toMatch(/^[1-4] of 5 kept/);
    expect(ours).toBe(isSealed ? "5 of 5 kept" : "5 of 5 kept and the counter says 5");
    // The browser itself has sent them, five for each column.
    expect(sent).toHaveLength(10);
    expect(await eventsOf(page, "clicks.ours", "committed")).toContain("opened");
  });

  test("five clicks one after the other: the usual way keeps them all, too", async () => {
    const way = `/proofs/${isSealed ? "sealed" : "usual"}`;
    await context.request.post(`${way}/begin`);
    for (const item of ["item-1", "item-2", "item-3", "item-4", "item-5"]) {
      await context.request.post(`${way}/add`, { form: { item } });
    }
    const answer = await context.request.post(`${way}/cart`);
    expect(await answer.json()).toEqual(isSealed ? { kept: 5 } : { kept: 5, counted: 5 });
  });

  test("a slow request, then a logout: the usual way is logged in again", async () => {
    await page.goto("/");
    expect(await prove(page, "logout")).toEqual(["logged in again", "stays logged out"]);
    expect(await eventsOf(page, "logout.ours", "destroyed")).toContain(": stale");
  });

  test("a copied cookie after the logout: the usual way takes it", async () => {
    // As much as the shop's cookies can be: a copy of them all would be too long for a cookie.
    const value = "x".repeat(3500);
    await context.addCookies([{ name: "others", value, url: demo.url }]);
    await page.goto("/");
    const [usual, ours] = await prove(page, "copy");
    expect(usual).toBe("still logged in");
    expect(ours).toBe(isSealed ? "refused: revoked" : "refused: unknown");
    await eventsOf(page, "copy.ours", "rejected: ");
  });

  test("five clicks at once in the shop are five in the cart", async () => {
    // A session that is there: two first writes of a client would make two.
    await page.goto("/login");
    await page.fill("input[name=name]", "Ada");
    await Promise.all([page.waitForEvent("load"), page.click("main button")]);
    await page.goto("/cart");
    const before = await page.locator("nav").textContent();
    expect(before).toContain("Cart (0)");
    await addAtOnce(page, ids);
    await page.goto("/cart");
    expect(await page.locator("tbody form").count()).toBe(ids.length);
    expect(await page.textContent("nav")).toContain(`Cart (${ids.length})`);
    // Cookies have no exact step: of five clicks on one product the last one counts.
    if (isSealed) return;
    await addAtOnce(page, Array<string>(ids.length).fill("sencha"));
    await page.goto("/cart");
    expect(await page.textContent("nav")).toContain(`Cart (${2 * ids.length})`);
  });
});
