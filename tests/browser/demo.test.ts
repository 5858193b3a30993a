// The demo in a real browser, on its default store: the shop as a person uses it, and every page's own
// promises: it works without JavaScript, by keyboard and on a phone, and can be read.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type StartedDemo, startDemo } from "../support/demo.ts";
import { faintTexts } from "./faint-texts.mjs";

const COOKIE = "shop_session";
/** `npm test` looks at the ways through the shop, `npm run test:demo` at every page. */
const isWhole = process.env["MODE"] === "every-store";
let browser: Browser;
let demo: StartedDemo;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
});
afterAll(async () => {
  await browser.close();
  await demo.close();
});
beforeEach(async () => {
  context = await browser.newContext({ baseURL: demo.url });
  context.setDefaultTimeout(8000);
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
});

/** The shop's cookies: each write is one of its own, until the next one joins them. */
async function shopCookies() {
  return (await context.cookies()).filter(({ name }) => name.startsWith(`${COOKIE}.`));
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

/** Whether somebody is logged in, as the header of a page says. */
async function isLoggedIn(tab: Page): Promise<boolean> {
  await tab.goto("/shop");
  return (await tab.locator("header form").count()) === 1;
}

describe("the shop", () => {
  test("a visit that changes nothing leaves no cookie", async () => {
    for (const path of ["/", "/shop", "/cart", "/nowhere"]) await page.goto(path);
    expect(await context.cookies()).toEqual([]);
  });

  test("a cart filled from two tabs holds what both put in, and logging in keeps it", async () => {
    const other = await context.newPage();
    await page.goto("/shop");
    await other.goto("/shop");
    await addToCart(page, "Sencha");
    await addToCart(other, "Chasen");
    await addToCart(page, "Sencha");
    const before = await shopCookies();
    await logIn("Ada <script>");
    expect(await text(".flash")).toBe("Welcome, Ada <script>.");
    const values = new Set((await shopCookies()).map(({ value }) => value));
    for (const { value } of before) expect(values).not.toContain(value);
    await page.goto("/cart");
    expect(await text("tbody")).toMatch(/Sencha\s*2[^]*Chasen\s*1/);
    expect(await text("nav")).toContain("Cart (3)");
  });

  test("a flash message is shown once", async () => {
    await page.goto("/shop");
    await addToCart(page, "Kyūsu");
    expect(await text(".flash")).toBe("Kyūsu is in your cart.");
    await page.reload();
    expect(await page.locator(".flash").count()).toBe(0);
  });

  test("logging out ends it in this browser, says so, and holds for a page that was open", async () => {
    await logIn("Grace");
    const stolen = await shopCookies();
    const other = await context.newPage();
    await other.goto("/session");
    await submit(page, "text=Log out Grace");
    expect(await text(".flash")).toBe("You are logged out.");
    await other.reload();
    expect(await other.textContent("#state")).toContain("new");
    await page.goBack();
    await page.reload();
    expect(await text("header")).toContain("Log in");
    // A copy of its cookies is worth nothing.
    await context.clearCookies();
    await context.addCookies(stolen);
    expect(await isLoggedIn(page)).toBe(false);
    // Nobody who is logged in is told otherwise.
    await logIn("Grace");
    await page.goto("/logged-out");
    expect(await text("main")).not.toContain("You are logged out.");
  });

  test("logging out everywhere ends the sessions of all browsers, and no one else's", async () => {
    const [elsewhere, stranger] = await Promise.all([
      browser.newContext({ baseURL: demo.url }),
      browser.newContext({ baseURL: demo.url }),
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
      // The other browser still has its cookies, as a thief would have a copy: they are dead.
      expect(await elsewhere.cookies()).not.toEqual([]);
      expect(await isLoggedIn(other)).toBe(false);
      expect(await isLoggedIn(strange)).toBe(true);
      // Who logs in again stays.
      await logIn("Hedy");
      expect(await isLoggedIn(page)).toBe(true);
    } finally {
      await Promise.all([elsewhere.close(), stranger.close()]);
    }
  });

  test("remember me gives the cookie a lifetime of its own, which a write keeps", async () => {
    await logIn("Ada", true);
    const thirtyDays = Date.now() / 1000 + 30 * 86_400;
    const ends = async () => (await shopCookies()).map(({ expires }) => expires);
    for (const end of await ends()) expect(Math.abs(end - thirtyDays)).toBeLessThan(120);
    await page.goto("/session");
    expect(await text("#lifetime")).toBe("30 days");
    // The data live as long as the cookie that was promised.
    const idleEnd = Date.parse((await page.getAttribute("#idle time", "datetime")) ?? "") / 1000;
    expect(Math.abs(idleEnd - thirtyDays)).toBeLessThan(120);
    await page.goto("/shop");
    await addToCart(page, "Sencha");
    for (const end of await ends()) expect(end).toBeGreaterThan(0);
    // This demo makes its keys at each start, and promises no more than it keeps.
    await page.goto("/login");
    expect(await text("main")).toContain("and when this demo is stopped");
    await logIn("Ada");
    expect(await ends()).toContain(-1);
  });
});

describe.each(isWhole ? ["every page"] : [])("on %s", () => {
  describe("the page that looks inside", () => {
    test("its size is that of the cookies which the browser keeps", async () => {
      await logIn("Ada");
      // The message's removal has been sent when the first page is there.
      await page.goto("/session");
      await page.goto("/session");
      const cookies = await shopCookies();
      const bytes = cookies.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
      expect(await text("#bytes")).toBe(String(bytes));
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
  });

  describe("the framed browsers", () => {
    test("one logs out the other, which shows it at once, and no one else", async () => {
      await logIn("somebody else");
      await page.goto("/");
      const laptop = page.frameLocator("iframe.laptop");
      const phone = page.frameLocator("iframe.phone");
      for (const frame of [laptop, phone]) {
        await frame.getByRole("button", { name: "Log in on this" }).click();
        await frame.getByRole("heading", { name: "Hello, ada-" }).waitFor();
      }
      await laptop.getByRole("button", { name: "Log out everywhere else" }).click();
      await phone.getByText("the cookie was refused (revoked)").waitFor();
      await laptop.getByText("Logged out everywhere else.").waitFor();
      await laptop.getByRole("heading", { name: "Hello, ada-" }).waitFor();
      const events = page.locator('[data-list="devices.phone"]');
      await events.filter({ hasText: "rejected: revoked" }).waitFor();
      expect(await isLoggedIn(page)).toBe(true);
    });
  });

  test("an address that leads nowhere is a page with status 404, on every site", async () => {
    for (const path of ["/nowhere", "/laptop/nowhere", "/__proto__", "/cart/add"]) {
      const answer = await page.goto(path);
      expect(answer?.status()).toBe(404);
      expect(await text("h1")).toBe("There is no such page");
    }
    expect((await page.goto("/proofs/usual/nowhere"))?.status()).toBe(404);
    await page.goto("/nowhere");
    await page.click("text=To the three proofs");
    await page.waitForURL("**/");
  });
});

test("without JavaScript the forms do it: the shop, the proofs and the framed browsers", async () => {
  const plain = await browser.newContext({ baseURL: demo.url, javaScriptEnabled: false });
  plain.setDefaultTimeout(15_000);
  const tab = await plain.newPage();
  await tab.goto("/shop");
  await addToCart(tab, "Hōjicha");
  await tab.goto("/cart");
  expect(await tab.locator("tbody").innerText()).toContain("Hōjicha");
  await tab.goto("/");
  const wanted = {
    clicks: [/^[1-4] of 5 kept$/, /^5 of 5 kept$/],
    logout: [/^logged in again$/, /^stays logged out$/],
    copy: [/^still logged in$/, /^refused: revoked$/],
  };
  for (const [proof, patterns] of Object.entries(wanted)) {
    expect(await tab.locator(`#${proof} .sent`).innerText()).toBe("");
    await submit(tab, `#${proof} form button`);
    const outcomes = await tab.locator(`#${proof} output`).allInnerTexts();
    for (const [index, pattern] of patterns.entries()) expect(outcomes[index]).toMatch(pattern);
    expect(await tab.locator(`#${proof} .sent`).innerText()).toContain("by this server");
  }
  // The last events, too, and the outcomes of all three.
  expect(await tab.locator('[data-list="copy.ours"]').innerText()).toContain("rejected: revoked");
  expect(await tab.locator("output[data-good]").count()).toBe(6);
  const laptop = tab.frameLocator("iframe.laptop");
  await laptop.getByRole("button", { name: "Log in on this" }).click();
  await laptop.getByRole("heading", { name: "Hello, ada-" }).waitFor();
  await plain.close();
});

test("a form of another site changes nothing", async () => {
  await logIn("Ada");
  const headers = { "Sec-Fetch-Site": "cross-site" };
  for (const path of ["/logout", "/laptop/login", "/proofs/ours/login"]) {
    const answer = await context.request.post(path, { headers, maxRedirects: 0 });
    expect(answer.status()).toBe(403);
  }
  expect(await isLoggedIn(page)).toBe(true);
});

test("the pages keep to their own content security policy, and buttons to the keyboard", async () => {
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", ({ message }) => complaints.push(message));
  const answer = await page.goto("/");
  expect(answer?.headers()["content-security-policy"]).toContain("default-src 'none'");
  await page.focus("#copy form button");
  await page.keyboard.press("Enter");
  await page.locator("#copy output[data-good]").nth(1).waitFor();
  for (const path of ["/shop", "/session", "/login"]) await page.goto(path);
  expect(complaints).toEqual([]);
});

const proofs = ["clicks", "logout", "copy"];

/** Looks at every page, as a visitor with a long name and a full cart, who then tries the proofs. */
async function visitAll(tab: Page, look: (path: string) => Promise<void>): Promise<void> {
  const visit = async (path: string): Promise<void> => {
    await tab.goto(path);
    await look(path);
  };
  for (const path of ["/login", "/cart", "/logged-out", "/nowhere", "/laptop"]) await visit(path);
  await tab.goto("/login");
  await tab.fill("input[name=name]", "W".repeat(40));
  await submit(tab, "main button");
  for (const product of ["Genmaicha", "Kyūsu", "Kyūsu"]) await addToCart(tab, product);
  const isListing = (await tab.locator('nav a[href="/devices"]').count()) === 1;
  const paths = ["/shop", "/cart", "/session", "/laptop", ...(isListing ? ["/devices"] : []), "/"];
  for (const path of paths) await visit(path);
  const outcomes = tab.locator("output[data-good]");
  for (const [index, proof] of proofs.entries()) {
    await tab.click(`#${proof} form button`);
    await expect.poll(() => outcomes.count(), { timeout: 15_000 }).toBe(2 * (index + 1));
  }
  await look("/, with outcomes");
}

// On one that lists devices; `npm run test:demo` has the default store, too.
const looks = [
  ["memory", "dark"],
  ["cookie", "light"],
] as const;
test.each(isWhole ? looks : looks.slice(0, 1))(
  "on %s every page fits a phone of 375 pixels, and can be read in %s by WCAG AA",
  async (store, colorScheme) => {
    const own = await startDemo(store);
    const viewport = { width: 375, height: 700 };
    const phone = await browser.newContext({
      baseURL: own.url,
      colorScheme,
      viewport,
      isMobile: true,
      hasTouch: true,
    });
    phone.setDefaultTimeout(15_000);
    const tab = await phone.newPage();
    const faults: string[] = [];
    await visitAll(tab, async (path) => {
      const width = await tab.evaluate<number>("document.documentElement.scrollWidth");
      if (width > viewport.width) faults.push(`${path} is ${width} wide`);
      for (const faint of await tab.evaluate(faintTexts)) faults.push(`${path}: ${faint}`);
    });
    expect(faults).toEqual([]);
    await phone.close();
    await own.close();
  },
);
