// `secure: "auto"` on every host: plain http on this machine gets a cookie without Secure, and plain
// http that a proxy on this machine passes on doesn't.
import { type SessionConfig, SessionMemoryStore } from "kocha-session";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { hosts } from "../support/hosts.ts";

describe.each(Object.entries(hosts))("on %s", (_, makeServer) => {
  /** Whether the session's cookie is Secure, for a request with these headers. */
  const start = async (): Promise<(headers: Record<string, string>) => Promise<boolean>> => {
    const config: SessionConfig = {
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
      secure: "auto",
    };
    const { url, close } = await makeServer(config, (session) => {
      session.set("user", "alice");
      return { status: 200, body: "" };
    });
    onTestFinished(async () => close());
    return async (headers) => {
      const [cookie = ""] = (await fetch(url, { headers })).headers.getSetCookie();
      expect(cookie).toMatch(/^session=/);
      return cookie.includes("; Secure");
    };
  };

  test("a client on this machine gets a cookie without Secure", async () => {
    const isSecure = await start();
    expect(await isSecure({})).toBe(false);
  });

  test.each([
    ["Forwarded", "for=192.0.2.60;proto=https"],
    ["Via", "1.1 proxy"],
    ["X-Forwarded-For", "192.0.2.60"],
    ["X-Forwarded-Host", "example.com"],
    ["X-Forwarded-Proto", "https"],
    ["X-Real-IP", "192.0.2.60"],
  ])("one that a proxy here passes on with %s gets Secure", async (name, value) => {
    const isSecure = await start();
    expect(await isSecure({ [name]: value })).toBe(true);
  });
});
