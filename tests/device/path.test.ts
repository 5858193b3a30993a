// The path at which the engine answers browsers: its methods and spellings, and where hosts mount it.
import express from "express";
import Fastify from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { SessionMemoryStore } from "kocha-session";
import { sessionMiddleware } from "kocha-session/express";
import { deviceBinding, type DeviceBindingOptions } from "kocha-session/device";
import { sessionPlugin } from "kocha-session/fastify";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { CookieBrowser, DeviceBrowser, DeviceKeyPair } from "../support/device-browser.ts";
import { freshKey } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import { listen } from "../support/listen.ts";
import { type Site, startSite, type StoreParts, stores } from "./site.ts";

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
    expect((await browser.refresh()).status).toBe(200);
    expect(browser.identifier).not.toBe("");
  });

  it("is answered before checks that are mounted behind the sessions", async () => {
    const clock = Date.now();
    const app = express();
    const binding = deviceBinding();
    const config = {
      store: slowly(new SessionMemoryStore()),
      signingKey: freshKey(),
      deviceBinding: binding,
    };
    app.use("/", sessionMiddleware(config));
    app.use((request, response, next) => {
      if (request.method === "POST") response.status(403).send("no token");
      else next();
    });
    app.get("/login", (request, response) => {
      request.session.set("user", "ann");
      request.session.bindDevice();
      response.send("in");
    });
    const server = await listen(app);
    closing.push(server.close);
    const browser = new DeviceBrowser(server.url, () => clock, await DeviceKeyPair.make());
    await browser.register(await browser.visit("/login"));
    expect((await browser.refresh()).status).toBe(200);
    expect((await browser.visit("/form", POST)).status).toBe(403);
  });

  it("is found by its whole path where a router is mounted", async () => {
    const app = express();
    const router = express.Router();
    router.use(
      sessionMiddleware({
        store: new SessionMemoryStore(),
        signingKey: freshKey(),
        path: "/shop",
        deviceBinding: deviceBinding(),
      }),
    );
    app.use("/shop", router);
    const server = await listen(app);
    closing.push(server.close);
    const browser = new CookieBrowser(server.url, Date.now);
    expect((await browser.visit("/shop/session/device", POST)).status).toBe(400);
    expect((await browser.visit("/session/device", POST)).status).toBe(404);
  });

  it("is answered in a Fastify plugin with a prefix, where a route is at it", async () => {
    const app = Fastify();
    const config = { store: slowly(new SessionMemoryStore()), signingKey: freshKey() };
    await app.register(
      async (shop) => {
        await shop.register(sessionPlugin, {
          ...config,
          path: "/shop",
          deviceBinding: deviceBinding(),
        });
        shop.post("/session/device", async () => "not reached");
      },
      { prefix: "/shop" },
    );
    closing.push(() => app.close());
    const browser = new CookieBrowser(await app.listen(), Date.now);
    const { status, header } = await browser.visit("/shop/session/device", POST);
    expect([status, header("cache-control")]).toEqual([400, "no-store"]);
  });
});
