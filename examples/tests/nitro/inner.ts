// What a page of Nitro 3 and the requests that it makes to its own server do with one session, over HTTP.
import { expect, test } from "vitest";
import { Browsing } from "../lib/browsing.ts";

/** What the reports name. */
export const packages = ["nitro", "h3"];

/** Where a server listens. */
export function listening(port: number): Record<string, string> {
  return { PORT: String(port), HOST: "localhost" };
}

/** Declares the tests for a server of the build with the overlay. */
export function describeInner(url: () => string): void {
  const signedIn = async (name: string): Promise<Browsing> => {
    const someone = new Browsing(url());
    await someone.submit(await someone.open("/"), "Sign in", { name });
    return someone;
  };
  const held = async (someone: Browsing): Promise<unknown> =>
    JSON.parse((await someone.open("/t/api/held")).body);
  const written = { before: "1", one: "1", two: "1", depth1: "1", depth2: "1", depth3: "1" };

  test("what a page and the requests to its own server write is all kept, nested and side by side", async () => {
    const someone = new Browsing(url());
    const page = await someone.open("/t/inner");
    expect(page.body).toBe("one two bottom 0");
    expect(await held(someone)).toEqual({ ...written, after: "" });
  });

  test("two clients at once never mix", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `user${index}`);
    const clients = await Promise.all(names.map((name) => signedIn(name)));
    await Promise.all(clients.map((someone) => someone.open("/t/inner")));
    const all = await Promise.all(clients.map((someone) => held(someone)));
    for (const [index, user] of names.entries())
      expect(all[index]).toMatchObject({ ...written, user, after: user });
  });

  test("the global fetch has the session of the cookies that it is given, and only reads it", async () => {
    const someone = await signedIn("ada");
    const page = await someone.open("/t/global");
    expect(page.body).toBe("nobody ada ERR_SESSION_USAGE_READ_ONLY");
    expect(page.setCookie).toEqual([]);
    expect(await held(someone)).not.toHaveProperty("lost");
  });
}
