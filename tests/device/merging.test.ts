// Device-bound sessions over merging cookies, of which a browser can hold several for one session.
import { afterEach, describe, expect, it } from "vitest";
import { nodeServer } from "../../src/testing/store-laws.ts";
import type { CookieBrowser } from "../support/device-browser.ts";
import { type Site, startSite, type StoreParts, stores } from "./site.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(store: string): Promise<Site> {
  const site = await startSite(nodeServer, stores[store] as StoreParts);
  closing.push(site.close);
  return site;
}

describe("over merging cookies", () => {
  const kept = (name: string): boolean => name.startsWith("session.");
  /** Thieves who each send one of a browser's session cookies. */
  const thieves = (browser: CookieBrowser): CookieBrowser[] =>
    browser.names.filter(kept).map((only) => browser.copy(undefined, (name) => name === only));
  const usersOf = (all: readonly CookieBrowser[]): Promise<string[]> =>
    Promise.all(all.map(async (one) => (await one.read()).user));

  it("leaves the cookie from before the binding to the next write", async () => {
    for (const store of ["cookie, merging", "cookie, merging, revocations"]) {
      const site = await open(store);
      const browser = await site.bound();
      expect((await usersOf(thieves(browser))).toSorted()).toEqual(["", "ann"]);
      await browser.visit("/set/x");
      expect(await usersOf(thieves(browser))).toEqual(["", ""]);
      expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    }
  });

  it("ends each cookie that was copied before the session was settled", async () => {
    const site = await open("cookie, merging, revocations");
    const browser = await site.bound();
    const early = thieves(browser);
    site.wait(601);
    await browser.refresh();
    expect(site.events.at(-1)).toBe("settled");
    site.wait(61);
    expect(await usersOf([...early, ...thieves(browser)])).toEqual(["", "", ""]);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
  });
});
