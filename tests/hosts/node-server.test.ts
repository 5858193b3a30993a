// The Fetch API's host behind @hono/node-server, as `init --host fetch` writes it: `secure: "auto"` knows
// the client by what the server gives beside the request.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { withSession } from "kocha-session/fetch";
import { expect, test } from "vitest";
import { freshKey } from "../support/keys.ts";
import { slowStore } from "../support/slow-store.ts";

test.each([
  ["a client on this machine", {}, false],
  ["one behind a proxy", { "x-forwarded-for": "192.0.2.1" }, true],
])('the cookie of "auto" for %s', async (_, headers, isSecure) => {
  const config = { store: slowStore().store, signingKey: freshKey(), secure: "auto" } as const;
  const handler = withSession(config, (_request, session) => {
    session.set("name", "alice");
    return new Response("hello");
  });
  const server = serve({ fetch: handler, port: 0, hostname: "127.0.0.1" });
  if (!server.listening) await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
    const [cookie = ""] = response.headers.getSetCookie();
    expect(cookie).toContain("session=");
    expect(/; Secure;/.test(cookie)).toBe(isSecure);
  } finally {
    server.close();
  }
});
