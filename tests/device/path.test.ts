// The path at which the engine answers browsers: its methods and spellings.
import { afterEach, describe, expect, it } from "vitest";
import type { DeviceBindingOptions } from "kocha-session/device";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { isFresh, type Site, startSite, type StoreParts, stores } from "./site.ts";

const POST = { method: "POST" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(device: DeviceBindingOptions = {}): Promise<Site> {
  const site = await startSite(nodeServer, stores["memory"] as StoreParts, { device });
  closing.push(site.close);
  return site;
}

describe("the path", () => {
  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])("doesn't take %s", async (method) => {
    const browser = await (await open()).browser();
    const reply = await browser.visit("/session/device", { method });
    expect([reply.status, reply.header("allow")]).toEqual([405, "POST"]);
    expect(reply.header("cache-control")).toBe("no-store");
  });

  it("takes a query, and nothing beside it", async () => {
    const browser = await (await open()).browser();
    expect((await browser.visit("/session/device?x", POST)).status).toBe(400);
    expect((await browser.visit("/session/device/", POST)).status).toBe(200);
    expect((await browser.visit("/session/devices", POST)).status).toBe(200);
  });

  it("is the application's own choice, below the cookie's path", async () => {
    const site = await open({ path: "/bind" });
    const browser = await site.bound();
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(browser.identifier).not.toBe("");
  });
});
