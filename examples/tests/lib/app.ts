// The small application that every example is, and what must hold of it, over HTTP without scripts and in
// Chromium. What one framework does otherwise is in its own test.
//
//   GET /        <p id="user">ada</p> when signed in; <p role="status">Welcome, ada</p>, once;
//                <ul id="cart"><li>tea: 2</li></ul>; forms with the buttons "Sign in" (name),
//                "Add" (item), "Sign out"
//   GET /visit   counts while it answers: <p id="visits">1</p>
//   GET /late    waits `ms` milliseconds between its read and its write of the key "late"
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../../../tests/support/browser.ts";
import { freshKey } from "../../../tests/support/keys.ts";
import { type RedisServer, startRedis } from "../../../tests/support/servers/redis.ts";
import { Browsing, type Page, textOf, textsOf } from "./browsing.ts";
import type { Project, Started, StartOptions } from "./project.ts";

/** How an example is started, and what it can't do. */
export interface AppOptions extends StartOptions {
  /** Where a form that is sent without JavaScript is refused by the framework. Default true. */
  readonly hasPlainForms?: boolean;
  /** Whether it keeps sessions in Redis where there is one. Default true. */
  readonly inRedis?: boolean;
}

/** What the tests of an example share. */
export interface Stage {
  /** A server with sessions in Redis, unless it can't, and one with them in merging cookies. */
  readonly servers: Readonly<Record<Kind, Started>>;
  readonly redis: RedisServer;
}

type Kind = "redis" | "cookies";

/** The example's environment: its keys, and in Redis its sessions. */
export function environment(redis?: RedisServer): Record<string, string> {
  const keys = { SESSION_SECRET_KEY: freshKey(), SESSION_SIGNING_KEY: freshKey() };
  return { ...keys, ...environmentBeside(redis) };
}

/** The environment without the keys, which an example that is started by its README has in a file. */
function environmentBeside(redis?: RedisServer): Record<string, string> {
  return { NODE_ENV: "production", ...(redis !== undefined && { REDIS_URL: redis.url }) };
}

/** Starts the example twice, with sessions in Redis and in cookies, and declares the common tests. */
export function describeApp(project: () => Project, options: AppOptions): () => Stage {
  const stage: { -readonly [K in keyof Stage]?: Stage[K] } = {};
  const kinds: readonly Kind[] = options.inRedis === false ? ["cookies"] : ["redis", "cookies"];
  let browser: Browser;
  beforeAll(async () => {
    stage.redis = await startRedis();
    const start = async (redis?: RedisServer): Promise<Started> => {
      const own = options.command === undefined ? environmentBeside(redis) : environment(redis);
      const env = (port: number): Record<string, string> => ({ ...own, ...options.env?.(port) });
      return project().start({ ...options, env });
    };
    const servers: Partial<Record<Kind, Started>> = {};
    for (const kind of kinds)
      servers[kind] = await start(kind === "redis" ? stage.redis : undefined);
    stage.servers = servers as Record<Kind, Started>;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(Object.values(stage.servers ?? {}).map(({ close }) => close()));
    await stage.redis?.close();
  });
  const get = (): Stage => stage as Stage;

  describe.each(kinds)("with sessions in %s", (kind) => {
    const client = (): Browsing => new Browsing(get().servers[kind].url);
    if (options.hasPlainForms !== false) plainForms(kind, client);

    test("an anonymous visit sets no cookie", async () => {
      const page = await client().open("/");
      expect(page.status).toBe(200);
      expect(page.setCookie).toEqual([]);
      expect(textOf(page, "#user")).toBeUndefined();
    });

    test("a page counts its visits while it answers", async () => {
      const someone = client();
      for (const count of ["1", "2", "3"])
        expect(textOf(await someone.open("/visit"), "#visits")).toBe(count);
    });

    test("in Chromium", async () => {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const errors: string[] = [];
        page.on("pageerror", ({ message }) => errors.push(message));
        await page.goto(get().servers[kind].url, { waitUntil: "networkidle" });
        await page.getByLabel("Name").fill("ada");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.locator("#user", { hasText: "ada" }).waitFor();
        expect(await page.getByRole("status").textContent()).toContain("Welcome, ada");
        await page.waitForLoadState("networkidle");
        await page.getByLabel("Item").fill("tea");
        await page.getByRole("button", { name: "Add" }).click();
        await page.locator("#cart li", { hasText: "tea: 1" }).waitFor();
        await page.reload({ waitUntil: "networkidle" });
        await page.locator("#cart li", { hasText: "tea: 1" }).waitFor();
        expect(await page.getByRole("status").count()).toBe(0);
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.locator("#user").waitFor({ state: "detached" });
        expect(errors).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });
  return get;
}

function plainForms(kind: Kind, client: () => Browsing): void {
  const signIn = async (someone: Browsing, name = "ada"): Promise<Page> =>
    someone.submit(await someone.open("/"), "Sign in", { name });

  test("signing in, a notice once, signing out", async () => {
    const someone = client();
    const page = await signIn(someone);
    expect(textOf(page, "#user")).toBe("ada");
    expect(textOf(page, "[role=status]")).toBe("Welcome, ada");
    const again = await someone.open("/");
    expect(textOf(again, "#user")).toBe("ada");
    expect(textOf(again, "[role=status]")).toBeUndefined();
    const out = await someone.submit(again, "Sign out");
    expect(textOf(out, "#user")).toBeUndefined();
    expect(textOf(await someone.open("/"), "#user")).toBeUndefined();
  });

  test("signing in changes the credential", async () => {
    const someone = client();
    await someone.open("/visit");
    const before = someone.copy();
    await signIn(someone);
    expect(someone.cookies()).not.toBe(before.cookies());
    expect(textOf(await someone.open("/"), "#user")).toBe("ada");
    expect(textOf(await before.open("/"), "#user")).toBeUndefined();
  });

  test("eight additions to the cart at once are all kept", async () => {
    const someone = client();
    const page = await signIn(someone);
    const items = ["tea", "jam", "nuts", "rice", "salt", "oil", "figs", "oats"];
    await Promise.all(items.map((item) => someone.submit(page, "Add", { item })));
    const lines = textsOf(await someone.open("/"), "#cart li");
    expect(lines.toSorted()).toEqual(items.map((item) => `${item}: 1`).toSorted());
  });

  if (kind === "cookies") return;
  test("five additions of one item at once are all counted", async () => {
    const someone = client();
    const page = await signIn(someone);
    const added = Array.from({ length: 5 }, () => someone.submit(page, "Add", { item: "tea" }));
    await Promise.all(added);
    expect(textsOf(await someone.open("/"), "#cart li")).toEqual(["tea: 5"]);
  });

  test("a late request can't bring back what was signed out", async () => {
    const someone = client();
    await signIn(someone);
    const thief = someone.copy();
    const late = someone.copy().open("/late?ms=500");
    await someone.submit(await someone.open("/"), "Sign out");
    await late;
    expect(textOf(await thief.open("/"), "#user")).toBeUndefined();
  });
}
