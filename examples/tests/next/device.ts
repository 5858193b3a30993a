// Device-bound sessions on a build of Next.js: the endpoint is a route handler, the login a server action.
import { createServer, type RequestListener } from "node:http";
import type { DeviceBindingOptions } from "kocha-session/device";
import type { NextSessions } from "kocha-session/next";
import type { MakeServer } from "kocha-session/testing";
import { parse } from "node-html-parser";
import { describe, expect, test } from "vitest";
import { type Site, startSite, type StoreParts, stores } from "../../../tests/device/site.ts";
import type { DeviceBrowser, Reply } from "../../../tests/support/device-browser.ts";
import { listen } from "../../../tests/support/listen.ts";
import { builtScenes, type Scene, storeNames } from "../device/scenes.ts";
import { answerError, probeOf } from "./laws.ts";
import type { Lab } from "./server.ts";

/** The build as it runs. */
interface Running {
  readonly lab: Lab;
  readonly listener: RequestListener;
}

/** What the build has at its own path; the rest is the probe's. */
const OWN = /^\/(session\/device|proxied\/device|form)\b/;

/** Serves a site by the build; one at a time. The build has several copies of the library. */
function serverOf({ lab, listener }: Running, device: DeviceBindingOptions): MakeServer {
  return (config, handler) => {
    const copies = new Map<unknown, NextSessions>();
    lab.site = ({ sessions, deviceBinding }) => {
      const own =
        copies.get(sessions) ??
        sessions({ ...config, deviceBinding: deviceBinding(device) }, { onError: answerError });
      copies.set(sessions, own);
      return own;
    };
    lab.probe = (build) => probeOf(lab.site(build), handler);
    return listen(
      createServer((request, response) => {
        const { url = "/" } = request;
        request.url = OWN.test(url) ? url : `/probe${url}`;
        listener(request, response);
      }),
    );
  };
}

/** Sends the login's form, as a browser without scripts. */
async function submitLogin(browser: DeviceBrowser): Promise<Reply> {
  const page = parse((await browser.visit("/form")).body);
  const fields = page.querySelectorAll("form input").map((one): [string, string] => {
    return [one.getAttribute("name") ?? "", one.getAttribute("value") ?? ""];
  });
  return browser.visit("/form", { parts: Object.fromEntries(fields) });
}

const offerIn = ({ header }: Reply): string | undefined => header("secure-session-registration");

/** Next.js itself refuses the methods that a route doesn't export. */
const methods: Scene = async (site) => {
  const browser = await site.browser();
  for (const method of ["GET", "PUT", "DELETE"]) {
    expect((await browser.visit("/session/device", { method })).status).toBe(405);
  }
};

const scenes: Readonly<Record<string, Scene>> = {
  ...builtScenes,
  "refuses every other method": methods,
  "a server action's answer carries no offer, and proxy.ts offers at the next page": async (
    site: Site,
  ) => {
    const browser = await site.browser();
    const login = await submitLogin(browser);
    expect([login.status, login.header("location"), offerIn(login)]).toEqual([
      303,
      "/form",
      undefined,
    ]);
    const page = await browser.visit("/form");
    expect(page.body).toContain("<p>ann</p>");
    expect(offerIn(page)).toBeDefined();
    expect(offerIn(await browser.visit("/form"))).toBeUndefined();
    expect((await browser.register(page)).status).toBe(200);
    expect((await browser.refresh()).status).toBe(200);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
  },
};

/** Where proxy.ts answers, and no route is. */
const PROXIED = "/proxied/device";
const registration = builtScenes[
  "stores nothing at a registration; the first good refresh binds"
] as Scene;

/** Declares the tests. */
export function describeDevice(running: () => Running): void {
  describe.each(storeNames)("device-bound sessions over %s", (store) => {
    const play = async (scene: Scene, device: DeviceBindingOptions = {}): Promise<void> => {
      const parts = stores[store] as StoreParts;
      const site = await startSite(serverOf(running(), device), parts, { device });
      try {
        await scene(site);
      } finally {
        await site.close();
      }
    };
    test.each(Object.entries(scenes))("%s", (_, scene) => play(scene));

    test("proxy.ts answers the endpoint, too", () => play(registration, { path: PROXIED }));
  });
}
