// "Your devices" in a real browser: two browser contexts are two devices of one user, on stores that
// list, opened as `npm run demo -- --store` opens them.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type StartedDemo, startDemo } from "../support/demo.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function submit(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

async function logIn(context: BrowserContext, name: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto("/login");
  await page.fill("input[name=name]", name);
  await submit(page, "main button");
  await page.goto("/devices");
  return page;
}

const rows = (page: Page): Promise<number> => page.locator("#devices tbody tr").count();
const isLoggedIn = async (page: Page): Promise<boolean> => {
  await page.goto("/shop");
  return (await page.locator("header form").count()) === 1;
};

/** In `npm test` the store that most sites list sessions in; `npm run test:demo` has the others, too. */
const stores = process.env["MODE"] === "every-store" ? ["memory", "sqlite", "redis"] : ["redis"];

describe.each(stores)("the devices of a user, on %s", (name) => {
  let demo: StartedDemo;
  const newDevice = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ baseURL: demo.url });
    context.setDefaultTimeout(8000);
    return context;
  };

  beforeAll(async () => {
    demo = await startDemo(name);
  });
  afterAll(() => demo.close());

  test("one signs out another, for good", async () => {
    const [phone, laptop] = await Promise.all([newDevice(), newDevice()]);
    const onPhone = await logIn(phone, "ada");
    const onLaptop = await logIn(laptop, "ada");
    expect(await rows(onLaptop)).toBe(2);
    expect(await onLaptop.textContent("#devices")).toContain("Chrome on Linux");
    expect(await onLaptop.locator("#devices em").count()).toBe(1);
    const [stolen] = await phone.cookies();
    await submit(onLaptop, "#devices form button");
    expect(await onLaptop.textContent(".flash")).toBe("Signed out there.");
    expect(await rows(onLaptop)).toBe(1);
    expect(await isLoggedIn(onPhone)).toBe(false);
    // A copy of its cookie is worth as little.
    await phone.addCookies(stolen === undefined ? [] : [stolen]);
    expect(await isLoggedIn(onPhone)).toBe(false);
    expect(await isLoggedIn(onLaptop)).toBe(true);
    await Promise.all([phone.close(), laptop.close()]);
  });

  test("one signs out all others, and nobody else's", async () => {
    const devices = await Promise.all([newDevice(), newDevice(), newDevice(), newDevice()]);
    const [first, second, third, bobs] = devices;
    const pages = [
      await logIn(first, "carol"),
      await logIn(second, "carol"),
      await logIn(third, "carol"),
    ] as const;
    const bob = await logIn(bobs, "bob");
    expect(await rows(bob)).toBe(1);
    await submit(pages[2], "main > form button");
    expect(await pages[2].textContent(".flash")).toBe("Signed out on 2 other devices.");
    const logged = [];
    for (const page of [...pages, bob]) logged.push(await isLoggedIn(page));
    expect(logged).toEqual([false, false, true, true]);
    await Promise.all(devices.map((device) => device.close()));
  });
});
