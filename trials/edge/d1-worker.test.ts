// Workers with their sessions in D1, in two isolates of real workerd: login, read, write, flash, logout, and
// racing writes, each request to the isolate that comes next.
import { afterAll, describe, expect, test } from "vitest";
import { sqliteRevocationsSql, sqliteSessionsSql } from "../../src/stores/sqlite.ts";
import { freshKey } from "../../tests/support/keys.ts";
import { until } from "../../tests/support/until.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const bindings = { SIGNING_KEY: freshKey(), SECRET_KEY: freshKey() };
const script = await bundle("d1.mjs");
const isolates = ["one", "other"];
const miniflare = await start(
  isolates.map((name) => ({
    name,
    modules: true,
    script,
    bindings,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ["nodejs_compat"],
    d1Databases: { DB: "sessions" },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  })),
);
afterAll(() => miniflare.dispose());
const urls = await Promise.all(isolates.map((name) => miniflare.unsafeGetDirectURL(name)));
const database = await miniflare.getD1Database("DB", "one");
// As a migration does.
for (const text of [...sqliteSessionsSql(), ...sqliteRevocationsSql()]) {
  await database.prepare(text).run();
}

interface Page {
  readonly name: string;
  readonly welcome: string;
  readonly cart: readonly string[];
}

/** A browser with one cookie; its requests go to the isolates by turns. */
class Browser {
  cookie: string;
  readonly #path: string;
  #requests = 0;

  constructor(path: string, cookie = "") {
    this.#path = path;
    this.cookie = cookie;
  }

  async ask(query = ""): Promise<unknown> {
    const url = new URL(`${this.#path}?${query}`, urls[this.#requests++ % urls.length]);
    const response = await fetch(url, {
      headers: this.cookie === "" ? {} : { cookie: this.cookie },
    });
    if (!response.ok) throw new Error(await response.text());
    for (const one of response.headers.getSetCookie()) {
      const [pair = ""] = one.split(";", 1);
      this.cookie = pair.endsWith("=") ? "" : pair;
    }
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  }

  /** The page. */
  async see(query = ""): Promise<Page> {
    return (await this.ask(query)) as Page;
  }
}

describe.each(["/env", "/module"])("sessions in D1, %s", (path) => {
  test("login, read, write, flash and logout", async () => {
    const browser = new Browser(path);
    expect(await browser.see()).toEqual({ name: "", welcome: "", cart: [] });
    expect(browser.cookie).toBe("");
    await browser.ask("do=login");
    const stolen = new Browser(path, browser.cookie);
    expect(await browser.see()).toMatchObject({ name: "alice", welcome: "hello" });
    expect(await browser.see()).toMatchObject({ name: "alice", welcome: "" });
    await browser.ask("do=set&key=a");
    await browser.ask("do=logout");
    expect(browser.cookie).toBe("");
    expect(await stolen.see()).toMatchObject({ name: "" });
  });

  test("ten adds to a cart at once, in two isolates, are all kept", async () => {
    const browser = new Browser(path);
    await browser.ask("do=login");
    const items = Array.from({ length: 10 }, (_, index) => `item${index}`);
    await Promise.all(items.map((item) => browser.ask(`do=add&item=${item}`)));
    expect(new Set((await browser.see()).cart)).toEqual(new Set(items));
  });

  test("twenty increments at once count to twenty, and one of ten takes gets it", async () => {
    const browser = new Browser(path);
    await browser.ask("do=login");
    const counts = await Promise.all(Array.from({ length: 20 }, () => browser.ask("do=count")));
    expect(counts.toSorted((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    const taken = await Promise.all(Array.from({ length: 10 }, () => browser.ask("do=take")));
    expect(taken.filter((one) => one === "alice")).toHaveLength(1);
  });
});

test("a cookie's logout is known in the other isolate", async () => {
  const browser = new Browser("/cookie");
  await browser.ask("do=login");
  const copies = urls.map(() => new Browser("/cookie", browser.cookie));
  for (const copy of copies) expect(await copy.see()).toMatchObject({ name: "alice" });
  await browser.ask("do=logout");
  await until("both isolates know of the logout", async () => {
    const seen: Page[] = [];
    for (const copy of copies) {
      const { cookie } = copy;
      seen.push(await copy.see(), await copy.see());
      copy.cookie = cookie;
    }
    return seen.every(({ name }) => name === "");
  });
});
