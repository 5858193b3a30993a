// What SvelteKit does around a session, on a production build with the overlay: over HTTP, and in Chromium
// where its client matters.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../../tests/support/browser.ts";
import { type RedisServer, startRedis } from "../../../tests/support/servers/redis.ts";
import { environment } from "../lib/app.ts";
import { Browsing, textOf } from "../lib/browsing.ts";
import type { Project, Started } from "../lib/project.ts";

/** How the build is started. */
export const start = {
  command: () => ["node", "proxied.js"] as const,
  env: (port: number): Record<string, string> => ({ PORT: String(port) }),
};

/** Declares the tests over one kind of store. */
export function describeTranscripts(project: () => Project, inRedis: boolean): void {
  let redis: RedisServer | undefined;
  let started: Started;
  let browser: Browser;
  beforeAll(async () => {
    if (inRedis) redis = await startRedis();
    const own = environment(redis);
    const env = (port: number): Record<string, string> => ({ ...own, ...start.env(port) });
    started = await project().start({ ...start, env });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await started?.close();
    await redis?.close();
  });
  const client = (): Browsing => new Browsing(started.url);
  const held = async (someone: Browsing): Promise<unknown> =>
    JSON.parse((await someone.open("/held")).body);
  const ours = (setCookie: readonly string[]): readonly string[] =>
    setCookie.filter((cookie) => cookie.startsWith("session"));
  /** Whether the client has a session already makes a difference: its cookie is new or isn't. */
  const visitor = async (isKnown: boolean): Promise<Browsing> => {
    const someone = client();
    if (isKnown) await someone.open("/write?key=before&value=0");
    return someone;
  };

  test.each([false, true])(
    "what a page writes and what it fetches from its own server writes are both kept (known: %s)",
    async (isKnown) => {
      const someone = await visitor(isKnown);
      const page = await someone.open("/inner");
      expect(textOf(page, "#seen")).toBe("23");
      // The inner answers set none of their own.
      expect(textOf(page, "#cookies")).toBe("0");
      expect(await held(someone)).toEqual({
        outer: "1",
        inner: "2",
        another: "3",
        ...(isKnown && { before: "0" }),
      });
    },
  );

  test("what a universal load fetches on the server sees and keeps the session", async () => {
    const someone = client();
    const page = await someone.open("/universal");
    expect(textOf(page, "#dump")).toContain("universal");
    expect(await held(someone)).toEqual({ universal: "1" });
  });

  test("fetch without credentials has no session, as in a browser", async () => {
    const someone = await visitor(true);
    const page = await someone.open("/omit");
    expect([textOf(page, "#dump"), textOf(page, "#write")]).toEqual(["{}", "500"]);
    expect(await held(someone)).toEqual({ before: "0" });
  });

  test.each([
    ["from a page keeps its own client's session", "/queued?here", "200", { inner: "1" }],
    ["from handleFetch has no other client's session", "/queued", "500", {}],
  ])("what another client's request fetches for a queue %s", async (_, path, status, kept) => {
    for (const isKnown of [false, true]) {
      const [ada, bob] = [await visitor(isKnown), await visitor(isKnown)];
      const before = isKnown ? { before: "0" } : {};
      const [answer] = await Promise.all([bob.request(path), ada.request("/run")]);
      expect(await answer.text()).toBe(status);
      expect(await held(ada)).toEqual({ ...before, page: "run" });
      expect(await held(bob)).toEqual({ ...before, page: "queued", ...kept });
    }
  });

  test("form actions: a failure's answer carries the session beside SvelteKit's own cookie", async () => {
    const someone = client();
    const page = await someone.submit(await someone.open("/broken"), "Fail");
    expect(page.status).toBe(422);
    expect(page.setCookie.some((cookie) => cookie.startsWith("own=1"))).toBe(true);
    expect(ours(page.setCookie).length).toBeGreaterThan(0);
    expect(await held(someone)).toEqual({ failed: "1" });
  });

  test("form actions: an enhanced form's JSON carries it, too", async () => {
    const someone = client();
    const answer = await someone.request("/broken?/fail", {
      method: "POST",
      body: new URLSearchParams(),
      headers: { accept: "application/json", "x-sveltekit-action": "true" },
    });
    expect(await answer.json()).toMatchObject({ type: "failure", status: 422 });
    expect(await held(someone)).toEqual({ failed: "1" });
  });

  test("__data.json reads and writes the same session", async () => {
    const someone = client();
    await someone.open("/visit/__data.json");
    const { body } = await someone.open("/visit/__data.json");
    expect(body).toContain("2");
    expect(textOf(await someone.open("/visit"), "#visits")).toBe("3");
  });

  test.each([
    ["error", 418, "418 a teapot"],
    ["throw", 500, "500 Internal Error"],
  ])("an error page after a write keeps it (%s)", async (how, status, text) => {
    const someone = client();
    const page = await someone.open(`/broken?how=${how}`);
    expect([page.status, textOf(page, "#error")]).toEqual([status, text]);
    expect(await held(someone)).toEqual({ broken: how });
    const data = await someone.request(`/broken/__data.json?how=${how}2`);
    expect(data.status).toBe(200);
    expect(await held(someone)).toEqual({ broken: `${how}2` });
  });

  test.each(["/broken", "/broken/__data.json"])(
    "a load's redirect keeps a write (%s)",
    async (path) => {
      const someone = client();
      await someone.request(`${path}?how=redirect`);
      expect(await held(someone)).toEqual({ broken: "redirect" });
    },
  );

  test.each([
    ["/sequence/thrown", { status: 303, location: "/held" }],
    ["/sequence/returned", { status: 303, location: "/held" }],
  ])("in a sequence, a redirect of another handle keeps a write (%s)", async (path, to) => {
    for (const isKnown of [false, true]) {
      const someone = await visitor(isKnown);
      const answer = await someone.request(path);
      expect({ status: answer.status, location: answer.headers.get("location") }).toEqual(to);
      const hasOwn = answer.headers.getSetCookie().some((cookie) => cookie.startsWith("own=1"));
      expect(hasOwn).toBe(path.endsWith("thrown"));
      expect(await held(someone)).toMatchObject({ guard: path });
    }
  });

  test("in a sequence, a permanent redirect that carries a cookie is one that no cache keeps", async () => {
    const someone = client();
    const { status, headers } = await someone.request("/sequence/moved");
    expect([status, ours(headers.getSetCookie()).length > 0]).toEqual([307, true]);
    expect(await held(someone)).toEqual({ guard: "/sequence/moved" });
  });

  // These are pages for SvelteKit's client only, so that it asks for their data.
  test.each(["thrown", "returned"])("and so it does for a data request (%s)", async (how) => {
    for (const isKnown of [false, true]) {
      const someone = await visitor(isKnown);
      const answer = await someone.request(`/sequence/${how}/__data.json`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ type: "redirect", location: "/held" });
      expect(await held(someone)).toMatchObject({ guard: `/sequence/${how}` });
    }
  });

  test("in a sequence, handles before and behind ours see what they can", async () => {
    const someone = client();
    const early = await someone.request("/sequence/early");
    expect([await early.text(), early.headers.getSetCookie()]).toEqual(["early", []]);
    await someone.open("/write?key=name&value=ada");
    const answer = await someone.request("/held");
    expect(answer.headers.get("x-before")).toBe("ada");
  });

  test("what a handle throws, other than a redirect, is SvelteKit's error page", async () => {
    const someone = await visitor(true);
    const page = await someone.open("/sequence/broken");
    expect(page.status).toBe(500);
    // A server's store has the write; a cookie can't be on that page, so over cookies it is refused.
    const kept = inRedis ? { guard: "/sequence/broken" } : {};
    expect(await held(someone)).toEqual({ before: "0", ...kept });
  });

  test.each(["/streamed", "/streamed/__data.json"])(
    "a streamed promise that writes gets our error (%s)",
    async (path) => {
      for (const [query, texts] of [
        ["", ["ERR_SESSION_USAGE_HEADERS_SENT"]],
        // What it fetches reads the session, and gets the error as well.
        ["?inner", ["ERR_SESSION_USAGE_HEADERS_SENT", "begun"]],
      ] as const) {
        const someone = client();
        const answer = await someone.request(`${path}${query}`);
        expect(ours(answer.headers.getSetCookie()).length).toBeGreaterThan(0);
        await new Browsing(started.url).request("/release");
        const body = await answer.text();
        for (const text of texts) expect(body).toContain(text);
        expect(await held(someone)).toEqual({ begun: "1" });
      }
    },
  );

  test("in Chromium: the client's own navigation, its fetch, and a guard's redirect", async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("pageerror", ({ message }) => errors.push(message));
      await page.goto(`${started.url}/links`, { waitUntil: "networkidle" });
      // By SvelteKit's client: __data.json for one, the browser's own fetch for the other.
      await page.evaluate(() => Object.assign(globalThis, { isSame: true }));
      await page.getByRole("link", { name: "visit" }).click();
      await page.locator("#visits", { hasText: "1" }).waitFor();
      await page.goBack();
      await page.getByRole("link", { name: "universal" }).click();
      await page.locator("#dump", { hasText: "universal" }).waitFor();
      expect(await page.locator("#dump").textContent()).toContain('"visits":"1"');
      expect(await page.evaluate(() => "isSame" in globalThis)).toBe(true);
      expect(errors).toEqual([]);
    } finally {
      await context.close();
    }
  });
}
