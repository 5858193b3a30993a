// `vary: "always"` on every host: also where nobody has looked at the session when the head leaves,
// such as a streamed page that looks at it later.
import { Readable } from "node:stream";
import { SessionCookieStore, type SessionConfig, SessionMemoryStore } from "kocha-session";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { exchangeApps } from "./exchanges.ts";

const stores: Readonly<Record<string, () => SessionConfig>> = {
  "the cookie store": () => ({ store: new SessionCookieStore(freshKeys()) }),
  "a store that takes a while": () => ({
    store: slowly(new SessionMemoryStore()),
    signingKey: freshKey(),
  }),
};

describe.each(Object.entries(exchangeApps))("on %s", (_, makeApp) => {
  test.each(Object.entries(stores))("each response gets Vary: %s", async (__, makeConfig) => {
    for (const vary of ["always", "auto"] as const) {
      const config: SessionConfig = { ...makeConfig(), secure: false, vary };
      const { url, close } = await makeApp(config, ({ path, send, pipe, redirect }) => {
        if (path === "/stream") return pipe(Readable.from([Buffer.from("streamed")]));
        return path === "/redirect" ? redirect("/") : send("sent");
      });
      onTestFinished(close);
      for (const path of ["/", "/stream", "/redirect"]) {
        const response = await fetch(url + path, { redirect: "manual" });
        await response.text();
        // Express adds one of its own to a redirect.
        const named = (response.headers.get("Vary") ?? "").split(", ").includes("Cookie");
        expect([path, named]).toEqual([path, vary === "always"]);
        expect(response.headers.get("Cache-Control")).toBeNull();
      }
    }
  });
});
