// What a page of Nuxt and the requests that it makes to its own server do with one session, over HTTP.
import { expect, test } from "vitest";
import { Browsing, textOf } from "../lib/browsing.ts";

/** What the reports name. */
export const packages = ["nuxt", "nitropack", "h3"];

/** Where a server listens. */
export function listening(port: number): Record<string, string> {
  return { PORT: String(port), HOST: "localhost" };
}

/** The same browser, signed in. */
export async function signedIn(someone: Browsing, name = "ada"): Promise<Browsing> {
  await someone.submit(await someone.open("/"), "Sign in", { name });
  return someone;
}

/** What a browser's session holds. */
export async function held(someone: Browsing): Promise<unknown> {
  return JSON.parse((await someone.open("/api/t/held")).body);
}

/** Declares the tests for a server of the build with the overlay. */
export function describeTranscripts(url: () => string): void {
  const client = (): Browsing => new Browsing(url());
  /** The names of the session's cookies in a page's answer. */
  const names = (setCookie: readonly string[]): readonly string[] =>
    setCookie.map((cookie) => cookie.split("=", 1)[0] ?? "");

  test("what a page writes and what it fetches from its own server writes are all kept", async () => {
    const someone = client();
    const page = await someone.open("/t/inner");
    expect(textOf(page, "#keys")).toBe("first second");
    expect(new Set(names(page.setCookie)).size).toBe(page.setCookie.length);
    expect(page.headers.get("cache-control")).toContain("no-store");
    const all = { before: "1", first: "1", between: "2", second: "1", after: "3" };
    expect(await held(someone)).toEqual(all);
  });

  test("five requests at once write five keys, and count the same one to five", async () => {
    const someone = client();
    expect(textOf(await someone.open("/t/parallel"), "#answers")).toBe("10");
    const keys = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`key${n}`, "1"]));
    expect(await held(someone)).toEqual({ ...keys, visits: "5" });
  });

  test("requests three deep all write the page's session", async () => {
    const someone = client();
    expect(textOf(await someone.open("/t/nested"), "#depths")).toBe("3 2 1 bottom");
    expect(await held(someone)).toEqual({ depth1: "1", depth2: "1", depth3: "1" });
  });

  test("a page reads the session by useRequestEvent, and two clients at once never mix", async () => {
    const everyone = Array.from({ length: 8 }, (_, index) => `user${index}`);
    const clients = await Promise.all(everyone.map((name) => signedIn(client(), name)));
    const pages = clients.flatMap((someone, index) =>
      [0, 1].map(async (again) => {
        const ms = ((index + again) % 4) * 15;
        return textOf(await someone.open(`/t/who?ms=${ms}`), "#who");
      }),
    );
    const seen = await Promise.all(pages);
    expect(seen).toEqual(everyone.flatMap((name) => Array(2).fill(`${name} ${name} seen`)));
    for (const [index, someone] of clients.entries())
      expect(await held(someone)).toMatchObject({ user: everyone[index], seen: everyone[index] });
  });

  test("the global $fetch has the session of the cookies that it is given, and only reads it", async () => {
    const someone = await signedIn(client());
    const page = await someone.open("/t/global");
    expect(textOf(page, "#answers")).toBe("nobody ada ERR_SESSION_USAGE_READ_ONLY");
    expect(names(page.setCookie)).toEqual([]);
    expect(await held(someone)).not.toHaveProperty("lost");
  });

  test("a request of the page signs in and out, and the page's answer has the credential", async () => {
    const someone = client();
    await someone.open("/visit");
    const before = someone.copy();
    expect(textOf(await someone.open("/t/sign?way=in"), "#signed")).toBe("in ada");
    expect(textOf(await someone.open("/"), "#user")).toBe("ada");
    expect(textOf(await before.open("/"), "#user")).toBeUndefined();
    expect(textOf(await someone.open("/t/sign?way=out"), "#signed")).toBe("out");
    expect(textOf(await someone.open("/"), "#user")).toBeUndefined();
  });

  test("what was written before an error page and before a redirect is kept", async () => {
    for (const [path, status] of [
      ["/t/thrown", 418],
      ["/t/thrown?to=nested", 302],
    ] as const) {
      const someone = client();
      const response = await someone.request(path);
      await response.text();
      expect([path, response.status]).toEqual([path, status]);
      expect(await held(someone)).toEqual({ kept: "1" });
    }
  });
}
