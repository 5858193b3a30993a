// Five clicks at once on the demo's shop, each on another product: on every store, and with merging
// cookies, the cart has five of five. Where updates are one step, five clicks on one product count, too.
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

const ids = products.slice(0, 5).map(({ id }) => id);

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
        const page = await context.newPage();
        // A session that is there: two first writes of a client would make two.
        await page.goto("/login");
        await page.fill("input[name=name]", "Ada");
        await Promise.all([page.waitForEvent("load"), page.click("main button")]);
        await addAtOnce(page, ids);
        await page.goto("/cart");
        expect(await page.locator("tbody form").count()).toBe(ids.length);
        expect(await page.textContent("nav")).toContain(`Cart (${ids.length})`);
        if (name === "merging cookies") return;
        await addAtOnce(page, Array<string>(ids.length).fill("sencha"));
        await page.goto("/cart");
        expect(await page.textContent("nav")).toContain(`Cart (${2 * ids.length})`);
      } finally {
        await context.close();
      }
    });
  },
);
