// Five clicks at once on the demo's shop, each on another product and in a tab of its own: on every
// store, and with merging cookies, the cart has five of five. Where updates are one step, so do five
// clicks on one product.
import { SessionCookieStore } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createShop } from "../../demo/app.ts";
import { products } from "../../demo/catalog.ts";
import { demoKeys, sessionConfig } from "../../demo/config.ts";
import { type OpenedStore, openStore } from "../../demo/stores.ts";
import { launchBrowser } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { startMariadb } from "../support/servers/mariadb.ts";
import { startMemcached } from "../support/servers/memcached.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { startRedis } from "../support/servers/redis.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

interface Server {
  readonly url: string;
  close(): unknown;
}

/** What `npm run demo -- --store` finds by a variable of the environment. */
const servers: Readonly<Record<string, readonly [string, () => Promise<Server>]>> = {
  redis: ["REDIS_URL", startRedis],
  postgres: ["POSTGRES_URL", startPostgres],
  mysql: ["MYSQL_URL", startMariadb],
  memcached: [
    "MEMCACHED_NODE",
    async () => {
      const server = await startMemcached();
      return { url: `127.0.0.1:${server.port}`, close: () => server.close() };
    },
  ],
};

const CLICKS = 5;
const { length: SHELVES } = products.slice(0, CLICKS);

async function submit(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

describe.each(["memory", "sqlite", "redis", "postgres", "mysql", "memcached", "merging cookies"])(
  "on %s",
  (name) => {
    let url: string;
    const closing: (() => unknown)[] = [];

    beforeAll(async () => {
      const keys = demoKeys();
      const [variable = "", start] = servers[name] ?? [];
      const server = await start?.();
      if (server !== undefined) process.env[variable] = server.url;
      const opened: OpenedStore =
        name === "merging cookies"
          ? { store: new SessionCookieStore({ ...keys, merge: mergingCookies() }), close: () => {} }
          : await openStore(name, keys);
      if (variable !== "") delete process.env[variable];
      const shop = await listen(createShop(sessionConfig({}, keys, opened.store)));
      closing.push(
        () => shop.close(),
        () => opened.close(),
        () => server?.close(),
      );
      ({ url } = shop);
    });
    afterAll(async () => {
      for (const close of closing) await close();
    });

    test("five of five", async () => {
      const context = await browser.newContext({ baseURL: url });
      context.setDefaultTimeout(15_000);
      try {
        const tabs = await Promise.all(Array.from({ length: CLICKS }, () => context.newPage()));
        const [first] = tabs as [Page];
        // A session that is there: two first writes of a client would make two.
        await first.goto("/login");
        await first.fill("input[name=name]", "Ada");
        await submit(first, "main button");
        await Promise.all(tabs.map((tab) => tab.goto("/")));
        const addTo = (tab: Page, shelf: number): Promise<void> =>
          submit(tab, `[aria-label="Put ${products[shelf]?.name} in the cart"]`);
        await Promise.all(tabs.map((tab, at) => addTo(tab, at)));
        await first.goto("/cart");
        expect(await first.locator("tbody form").count()).toBe(SHELVES);
        expect(await first.textContent("nav")).toContain(`Cart (${CLICKS})`);
        if (name === "merging cookies") return;
        await Promise.all(tabs.map((tab) => tab.goto("/")));
        await Promise.all(tabs.map((tab) => addTo(tab, 0)));
        await first.goto("/cart");
        expect(await first.textContent("nav")).toContain(`Cart (${2 * CLICKS})`);
      } finally {
        await context.close();
      }
    });
  },
);
