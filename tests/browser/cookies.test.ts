// What the library emits, as Chromium takes it: every prefix, the size limit, the lifetime's cap,
// and that a cookie which is expired is gone.
import type { Browser } from "playwright-core";
import { SessionCookieStore, type SessionConfig } from "kocha-session";
import { withSession } from "kocha-session/node";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { listen } from "../support/listen.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const key = (): string => randomBytes(32).toString("base64");

/** Lets Chromium visit a server with these settings: /set?n=bytes, /end; gives its cookies after each. */
async function visit(settings: Partial<SessionConfig>, ...paths: readonly string[]) {
  const store = new SessionCookieStore({ secretKey: key(), signingKey: key(), maxCookies: 4 });
  const server = await listen(
    withSession({ ...settings, store }, async (request, response, session) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (url.pathname === "/set") session.set("v", "x".repeat(Number(url.searchParams.get("n"))));
      if (url.pathname === "/end") await session.destroy();
      response.end(session.get("v").length.toString());
    }),
  );
  const context = await browser.newContext();
  const page = await context.newPage();
  const seen = [];
  for (const path of paths) {
    // Chromium counts http://localhost as trustworthy, so that Secure cookies can be tried there.
    await page.goto(`http://localhost:${server.port}${path}`);
    seen.push(await context.cookies());
  }
  await context.close();
  await server.close();
  return seen;
}

describe("cookies as Chromium takes them", () => {
  test.each(["plain", "__Host-sid", "__Secure-sid", "__Http-sid", "__Host-Http-sid"])(
    "%s is kept with its attributes, and gone when it is ended",
    async (name) => {
      const [kept, gone] = await visit({ name }, "/set?n=5", "/end");
      expect(kept).toMatchObject([
        { name, path: "/", httpOnly: true, secure: true, sameSite: "Lax", expires: -1 },
      ]);
      expect(gone).toEqual([]);
    },
  );

  test("a partitioned cookie is kept, and gone when it is ended", async () => {
    const settings = { name: "__Host-p", partitioned: true, sameSite: "none" } as const;
    const [kept, gone] = await visit(settings, "/set?n=5", "/end");
    expect(kept).toMatchObject([{ name: "__Host-p", sameSite: "None" }]);
    expect(gone).toEqual([]);
  });

  test("persistent is 400 days, the most that the browser keeps", async () => {
    const [kept] = await visit({ cookieExpires: -1 }, "/set?n=5");
    const days = ((kept?.[0]?.expires ?? 0) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(399.9);
    expect(days).toBeLessThan(400.1);
  });

  test("a full cookie is kept, a larger session is split, and shrinking ends the pieces", async () => {
    const cookies = await visit(
      {},
      "/set?n=2975",
      "/set?n=3100",
      "/set?n=9000",
      "/set?n=5",
      "/end",
    );
    const names = cookies.map((kept) =>
      kept.map(({ name }) => name).toSorted((one, other) => (one < other ? -1 : 1)),
    );
    expect(names).toEqual([
      ["session"],
      ["session.split1", "session.split2"],
      ["session.split1", "session.split2", "session.split3", "session.split4"].slice(
        0,
        names[2]?.length,
      ),
      ["session"],
      [],
    ]);
    expect(names[2]?.length).toBeGreaterThan(2);
    const sizes = cookies.flat().map(({ name, value }) => name.length + value.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
    expect(Math.max(...sizes)).toBeGreaterThan(4080);
  });
});
