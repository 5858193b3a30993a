// The demo in a real browser: the main job, as a person does it.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createShop } from "../../demo/app.ts";
import { sessionConfig } from "../../demo/config.ts";
import { launchBrowser } from "../support/browser.ts";
import { listen, type Listening } from "../support/listen.ts";

const COOKIE = "shop_session";
let browser: Browser;
let shop: Listening;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [browser, shop] = await Promise.all([launchBrowser(), listen(createShop(sessionConfig()))]);
});
afterAll(async () => {
  await browser.close();
  await shop.close();
});
beforeEach(async () => {
  context = await browser.newContext({ baseURL: shop.url });
  context.setDefaultTimeout(8000);
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
});

async function sessionCookie(): Promise<{ value: string; expires: number } | undefined> {
  return (await context.cookies()).find(({ name }) => name === COOKIE);
}

async function logIn(name: string, remember = false): Promise<void> {
  await page.goto("/login");
  await page.fill("input[name=name]", name);
  if (remember) await page.check("input[name=remember]");
  await submit(page, "main button");
}

/** Presses a form's button and waits for the page that comes back. */
async function submit(tab: Page, selector: string): Promise<void> {
  await Promise.all([tab.waitForEvent("load"), tab.click(selector)]);
}

function addToCart(tab: Page, product: string): Promise<void> {
  return submit(tab, `[aria-label="Put ${product} in the cart"]`);
}

async function text(selector: string): Promise<string> {
  return (await page.textContent(selector)) ?? "";
}

describe("the shop", () => {
  test("a visit that changes nothing leaves no cookie", async () => {
    await page.goto("/");
    await page.goto("/cart");
    expect(await context.cookies()).toEqual([]);
  });

  test("a cart filled from two tabs holds what both put in, and logging in keeps it", async () => {
    const other = await context.newPage();
    await page.goto("/");
    await other.goto("/");
    await addToCart(page, "Sencha");
    await addToCart(other, "Chasen");
    await addToCart(page, "Sencha");
    const before = await sessionCookie();
    await logIn("Ada <script>");
    expect(await text(".flash")).toBe("Welcome, Ada <script>.");
    const after = await sessionCookie();
    expect(after?.value).not.toBe(before?.value);
    await page.goto("/cart");
    expect(await text("tbody")).toMatch(/Sencha\s*2[^]*Chasen\s*1/);
    expect(await text("nav")).toContain("Cart (3)");
  });

  test("writes of two tabs at the very same moment leave a session that is whole", async () => {
    const other = await context.newPage();
    await page.goto("/");
    await addToCart(page, "Genmaicha");
    await other.goto("/");
    await Promise.all([addToCart(page, "Sencha"), addToCart(other, "Chasen")]);
    await page.goto("/cart");
    // The plain cookie store: the last response wins, with all that it knew (law L1).
    const cart = await text("tbody");
    expect(cart).toContain("Genmaicha");
    expect(/Sencha|Chasen/.test(cart)).toBe(true);
  });

  test("a flash message is shown once", async () => {
    await page.goto("/");
    await addToCart(page, "Kyūsu");
    expect(await text(".flash")).toBe("Kyūsu is in your cart.");
    await page.reload();
    expect(await page.locator(".flash").count()).toBe(0);
  });

  test("logging out ends it in this browser, also for the page that was open", async () => {
    await logIn("Grace");
    const other = await context.newPage();
    await other.goto("/session");
    await submit(page, "text=Log out Grace");
    expect(await sessionCookie()).toBeUndefined();
    await other.reload();
    expect(await other.textContent("#state")).toContain("new");
    await page.goBack();
    await page.reload();
    expect(await text("header")).toContain("Log in");
  });

  test("logging out everywhere ends the sessions of all browsers, and no one else's", async () => {
    const [elsewhere, stranger] = await Promise.all([
      browser.newContext({ baseURL: shop.url }),
      browser.newContext({ baseURL: shop.url }),
    ]);
    try {
      const logInAt = async (where: BrowserContext, name: string): Promise<Page> => {
        const tab = await where.newPage();
        await tab.goto("/login");
        await tab.fill("input[name=name]", name);
        await submit(tab, "main button");
        return tab;
      };
      await logIn("Hedy");
      const other = await logInAt(elsewhere, "Hedy");
      const strange = await logInAt(stranger, "Joan");
      await page.goto("/session");
      await submit(page, "text=Log out everywhere");
      expect(await text("header")).toContain("Log in");
      expect(await sessionCookie()).toBeUndefined();
      // The other browser still has its cookie, as a thief would have a copy: it is dead.
      expect(await elsewhere.cookies()).toHaveLength(1);
      await other.reload();
      expect(await other.textContent("header")).toContain("Log in");
      await strange.reload();
      expect(await strange.textContent("header")).toContain("Log out Joan");
      // Who logs in again stays.
      await logIn("Hedy");
      await page.reload();
      expect(await text("header")).toContain("Log out Hedy");
    } finally {
      await Promise.all([elsewhere.close(), stranger.close()]);
    }
  });

  test("it works without JavaScript", async () => {
    const plain = await browser.newContext({ baseURL: shop.url, javaScriptEnabled: false });
    const tab = await plain.newPage();
    await tab.goto("/");
    await addToCart(tab, "Hōjicha");
    await tab.goto("/cart");
    expect(await tab.locator("tbody").innerText()).toContain("Hōjicha");
    await plain.close();
  });
});

describe("the page that looks inside", () => {
  test("its size is that of the cookie which the browser keeps", async () => {
    await logIn("Ada");
    // The message's removal has been sent when the first page is there.
    await page.goto("/session");
    await page.goto("/session");
    const cookie = await sessionCookie();
    expect(await text("#bytes")).toBe(String(COOKIE.length + (cookie?.value.length ?? 0)));
    expect(await text("#state")).toContain("stored");
  });

  test("it tells when both timeouts strike", async () => {
    await logIn("Ada");
    await page.goto("/session");
    const end = async (selector: string): Promise<number> =>
      Date.parse((await page.getAttribute(`${selector} time`, "datetime")) ?? "") - Date.now();
    expect(Math.abs((await end("#idle")) - 30 * 60_000)).toBeLessThan(60_000);
    expect(Math.abs((await end("#absolute")) - 90 * 86_400_000)).toBeLessThan(60_000);
  });

  test("remember me gives the cookie a lifetime of its own, which a renewal keeps", async () => {
    await logIn("Ada", true);
    const thirtyDays = Date.now() / 1000 + 30 * 86_400;
    expect(Math.abs(((await sessionCookie())?.expires ?? 0) - thirtyDays)).toBeLessThan(120);
    await page.goto("/session");
    expect(await text("#lifetime")).toBe("30 days");
    // The data lives as long as the cookie that was promised.
    const idleEnd = Date.parse((await page.getAttribute("#idle time", "datetime")) ?? "") / 1000;
    expect(Math.abs(idleEnd - thirtyDays)).toBeLessThan(120);
    await page.goto("/");
    await addToCart(page, "Sencha");
    expect((await sessionCookie())?.expires).toBeGreaterThan(0);
  });

  test("what doesn't fit is said with its bytes and its largest keys, and nothing is lost", async () => {
    await logIn("Ada");
    for (let kilobytes = 0; kilobytes < 2; kilobytes++) {
      await page.goto("/session");
      await submit(page, "text=Put 1 KB into it");
    }
    const before = await sessionCookie();
    await submit(page, "text=Put 1 KB into it");
    expect(await text("h1")).toBe("That doesn't fit");
    expect(Number(await text("#actual"))).toBeGreaterThan(4096);
    expect(await text("tbody")).toContain("filler");
    expect((await sessionCookie())?.value).toBe(before?.value);
    await page.goto("/session");
    expect(await text("header")).toContain("Log out Ada");
    await submit(page, "text=Clear it");
    expect(await text("tbody")).toContain("nothing");
  });
});
