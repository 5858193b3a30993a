// Device-bound sessions on h3 1, which Nuxt 4 and Nitro 2 have: its middleware is of another kind than h3 2's.
import { describe, it, vi } from "vitest";
import type { MakeServer } from "kocha-session/testing";
import { olderHosts } from "../support/older-hosts.ts";
import { scenes } from "./scenes.ts";
import { startSite, type StoreParts, stores } from "./site.ts";

// h3 1 prints what it answers with an error.
vi.spyOn(console, "error").mockImplementation(() => undefined);

describe.each(["a store that answers later", "cookie, revocations"])("h3 1, %s", (store) => {
  it.each(Object.entries(scenes))("%s", async (_, scene) => {
    const site = await startSite(olderHosts["h3 1"] as MakeServer, stores[store] as StoreParts);
    try {
      await scene(site);
    } finally {
      await site.close();
    }
  });
});
