// What must hold of device-bound sessions on every build: the scenes of all hosts, and what a framework's
// router, its redirects and its checks of requests could get in the way of.
import { expect } from "vitest";
import { scenes } from "../../../tests/device/scenes.ts";
import type { Site } from "../../../tests/device/site.ts";

/** A scene on a site of its own. */
export type Scene = (site: Site) => Promise<void>;

/** A store across a network, and cookies whose logout is final. */
export const storeNames = ["a store that answers later", "cookie, revocations"] as const;

/** A login in a framework's own way, by a page or an action of the build. */
export interface Login {
  /** Its path; `at`: the path of a page whose text is the path. */
  readonly path: string | { readonly at: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** A form's fields; without them it is a GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** The status of its answer. */
  readonly status: number;
  /** False: the framework takes the offer away. Default true. */
  readonly offers?: boolean;
}

const PATH = "/session/device";

/** The scenes by what they show. */
export const builtScenes: Readonly<Record<string, Scene>> = {
  ...scenes,

  "refuses every other method": async (site) => {
    const browser = await site.browser();
    for (const method of ["GET", "PUT", "DELETE"]) {
      const { status, header, setCookie } = await browser.visit(PATH, { method });
      expect([method, status, header("allow"), setCookie]).toEqual([method, 405, "POST", []]);
    }
  },

  "refuses a script's registration": async (site) => {
    const browser = await site.browser();
    const login = await browser.visit("/login");
    expect((await browser.register(login, { "sec-fetch-mode": "cors" })).status).toBe(400);
    expect(site.events).toEqual(["offered", "refused: script"]);
  },

  "refuses a registration without a proof": async (site) => {
    const browser = await site.browser();
    const { status, body } = await browser.visit(PATH, { method: "POST" });
    expect([status, body]).toEqual([400, ""]);
    expect(site.events).toEqual(["refused: malformed"]);
  },

  "lets nobody keep its answers": async (site) => {
    const browser = await site.browser();
    const answers = [
      await browser.register(await browser.visit("/login")),
      await browser.refresh(),
    ];
    for (const { header } of answers) {
      expect(header("cache-control")).toBe("no-store");
      expect(header("cross-origin-resource-policy")).toBe("same-origin");
      expect(header("x-content-type-options")).toBe("nosniff");
    }
  },
};

/** Logs in that way, registers, refreshes, and is bound. */
export function loginScene({ path, headers = {}, form, status, offers = true }: Login): Scene {
  return async (site) => {
    const browser = await site.browser();
    const target = typeof path === "string" ? path : (await browser.visit(path.at)).body;
    const asked = { accept: "text/html", ...headers };
    const login = await browser.visit(target, {
      headers: asked,
      ...(form !== undefined && { form }),
    });
    expect(login.status).toBe(status);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    expect(login.header("secure-session-registration") !== undefined).toBe(offers);
    if (!offers) return;
    expect((await browser.register(login)).status).toBe(200);
    expect((await browser.refresh()).status).toBe(200);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "bound" });
    expect(site.events).toEqual(["offered", "registered", "bound"]);
  };
}
