// What must hold on every store, as scenes on one site. Each is run on all stores over node:http.
import { expect } from "vitest";
import { challengeIn, DeviceKeyPair } from "../support/device-browser.ts";
import { isFresh, isEnd, plainBrowser, type Site } from "./site.ts";

/** Has seen nothing: reads as empty, is read-only. */
const stale = { user: "", device: "stale", isNew: true, readOnly: true, keys: [] };
const bound = { user: "ann", device: "bound", isNew: false, readOnly: false };

const longCookie = (name: string): boolean => !name.startsWith("session-device");

/** The scenes by what they show. */
export const scenes: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  "offers only where it is asked, and not once the session is bound": async (site) => {
    const browser = await site.browser();
    const silent = await browser.visit("/plain");
    expect(silent.header("secure-session-registration")).toBeUndefined();
    const login = await browser.visit("/login");
    const offer = login.header("secure-session-registration") ?? "";
    expect(offer).toMatch(/^\(ES256 RS256\);path="\/session\/device";challenge="[\w-]{55}"$/);
    expect(login.header("cache-control")).toBe("no-store");
    const next = await browser.visit("/read");
    expect(next.header("secure-session-registration")).toBeUndefined();
    await browser.register(login);
    await browser.refresh();
    const again = await browser.visit("/enter");
    expect(again.header("secure-session-registration")).toBeUndefined();
    expect(site.events).toEqual(["offered", "registered", "bound"]);
  },

  "has a login page's visitor stored, so that there is something to bind": async (site) => {
    const browser = await site.browser();
    const page = await browser.visit("/enter");
    expect(page.header("secure-session-registration")).toBeDefined();
    await browser.register(page);
    await browser.refresh();
    expect(await browser.read()).toMatchObject({ device: "bound", isNew: false, keys: [] });
  },

  "stores nothing at a registration; the first good refresh binds": async (site) => {
    const browser = await site.browser();
    const registration = await browser.register(await browser.visit("/login"));
    expect(registration.status).toBe(200);
    const [cookie = ""] = registration.setCookie;
    expect(registration.setCookie).toHaveLength(1);
    expect(cookie).toMatch(/^session-device=[\w-]{34}; Max-Age=60; /);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    // A browser that refuses the registration isn't locked out.
    site.wait(700);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    const refreshed = await browser.refresh();
    expect(refreshed.status).toBe(200);
    expect(refreshed.body).toBe("");
    expect(refreshed.setCookie.at(-1)).toMatch(/^session-device=[\w-]{34}; Max-Age=600; /);
    expect(await browser.read()).toMatchObject(bound);
  },

  "binds by RS256, too": async (site) => {
    const browser = await site.bound("RS256");
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject(bound);
  },

  "has the instructions and the cookie agree": async (site) => {
    const browser = await site.browser();
    const { body, setCookie } = await browser.register(await browser.visit("/login"));
    const instructions = JSON.parse(body) as Record<string, unknown>;
    expect(instructions).toMatchObject({
      refresh_url: "/session/device",
      scope: { include_site: false, scope_specification: [] },
      allowed_refresh_initiators: ["*"],
    });
    const [credential] = instructions["credentials"] as { name: string; attributes: string }[];
    const [text = ""] = setCookie;
    const attributes = text.split("; ").slice(1);
    expect(credential?.name).toBe("session-device");
    expect(credential?.attributes.split("; ")).toEqual(
      attributes.filter((one) => !/^(Max-Age|Expires)=/.test(one)),
    );
  },

  "counts requests that were on their way at the binding": async (site) => {
    const browser = await site.browser();
    await browser.register(await browser.visit("/login"));
    await browser.refresh();
    const early = browser.copy(undefined, longCookie);
    site.wait(59);
    expect(await early.read()).toMatchObject(bound);
    site.wait(2);
    expect(await early.read()).toEqual(stale);
  },

  "reads nothing and sets nothing for a copied session cookie": async (site) => {
    const browser = await site.bound();
    const thief = browser.copy(undefined, longCookie);
    for (const path of ["/read", "/set/x", "/clear"]) {
      const page = await thief.visit(path);
      expect(page.setCookie).toEqual([]);
      expect(JSON.parse(page.body)).toMatchObject({ user: "", device: "stale" });
    }
    expect(site.events).toContain("refused: device");
    expect(await browser.read()).toMatchObject({ ...bound, keys: ["user"] });
  },

  "refuses an increment of a stale session": async (site) => {
    const browser = await site.bound();
    const thief = browser.copy(undefined, longCookie);
    expect((await thief.visit("/count")).status).toBe(409);
    expect((await browser.read()).keys).toEqual(["user"]);
  },

  "ends copies of both cookies with the device cookie": async (site) => {
    const browser = await site.bound();
    const thief = browser.copy();
    expect(await thief.read()).toMatchObject(bound);
    site.wait(600);
    expect(await thief.read()).toEqual(stale);
    // The cookie has left the browser as well, which refreshes first.
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject(bound);
    // With revocations its credential has been replaced, too.
    expect(await thief.read()).toMatchObject({ user: "", readOnly: true });
  },

  "counts a device cookie a minute past its end, and not longer": async (site) => {
    const browser = await site.bound();
    // A thief's program doesn't drop what has ended.
    const value = browser.cookie("session-device") ?? "";
    const thief = browser.copy(undefined, longCookie);
    thief.put("session-device", value);
    site.wait(598);
    // A cookie that is known already ends, too.
    for (let sight = 0; sight < 3; sight++) expect(await thief.read()).toMatchObject(bound);
    site.wait(2);
    expect(await thief.read()).toEqual(stale);
    expect(site.events).toContain("stale: expired");
  },

  "takes no device cookie of another session, and no made-up one": async (site) => {
    const [one, other] = [await site.bound(), await site.bound()];
    site.wait(61);
    const foreign = other.cookie("session-device") ?? "";
    // One that is known already belongs to its session only.
    for (let sight = 0; sight < 3; sight++) expect(await other.read()).toMatchObject(bound);
    for (const value of [foreign, "A".repeat(34), "", "x"]) {
      const mixed = one.copy(undefined, longCookie);
      mixed.put("session-device", value);
      expect(await mixed.read()).toEqual(stale);
    }
    expect(site.events).toContain("stale: forged");
  },

  "logs a stale session in, into a new one": async (site) => {
    const browser = await site.bound();
    site.wait(700);
    const login = await browser.visit("/login");
    expect(login.header("secure-session-registration")).toBeDefined();
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none", isNew: false });
    // The old key is of no use any more, and the browser is told so.
    expect(isEnd(await browser.refresh())).toBe(true);
    await browser.register(login);
    await browser.refresh();
    expect(await browser.read()).toMatchObject(bound);
  },

  "logs a stale session out": async (site) => {
    const browser = await site.bound();
    const copy = browser.copy();
    site.wait(700);
    await browser.visit("/logout");
    expect(browser.names).not.toContain("session");
    expect(isEnd(await browser.refresh())).toBe(true);
    expect(await copy.read()).toMatchObject({ user: "" });
  },

  "ends the browser's session at a logout": async (site) => {
    const browser = await site.bound();
    const { setCookie } = await browser.visit("/logout");
    expect(setCookie.some((one) => /^session-device=;.* Max-Age=0(;|$)/.test(one))).toBe(true);
    const end = setCookie.find((one) => one.startsWith("session-device-end="));
    expect(end).toContain("; Path=/session/device;");
    expect(isEnd(await browser.refresh())).toBe(true);
    expect(site.events.at(-1)).toBe("ended: gone");
  },

  "keeps the binding through clear and regenerate": async (site) => {
    const browser = await site.bound();
    expect(await browser.read("/clear")).toMatchObject({ device: "bound", keys: [] });
    expect(await browser.read()).toMatchObject({ device: "bound", user: "" });
    await browser.visit("/regenerate");
    expect(await browser.read()).toMatchObject({ device: "bound" });
    expect(isFresh(await browser.refresh())).toBe(true);
    const thief = browser.copy(undefined, longCookie);
    expect(await thief.read()).toMatchObject({ device: "stale" });
  },

  "refreshes without any cookie, as after a link from another site": async (site) => {
    const browser = await site.bound();
    site.wait(600);
    expect(isFresh(await browser.refresh(true))).toBe(true);
    expect(await browser.read()).toMatchObject(bound);
  },

  "registers without any cookie, as after an OAuth redirect": async (site) => {
    const browser = await site.browser();
    const registration = await browser.register(await browser.visit("/login"), {}, true);
    expect(registration.status).toBe(200);
    // Without the session's cookie nothing is bound.
    expect(isFresh(await browser.refresh(true))).toBe(true);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    expect(isFresh(await browser.refresh())).toBe(true);
    expect(await browser.read()).toMatchObject(bound);
  },

  "lets the first key win": async (site) => {
    const browser = await site.browser();
    const login = await browser.visit("/login");
    const thief = await site.browser();
    const theirs = await thief.register(login);
    expect(theirs.status).toBe(200);
    await browser.register(login);
    await browser.refresh();
    // The same key again is the same answer; another one is refused.
    expect((await browser.register(login)).status).toBe(200);
    const late = await DeviceKeyPair.make();
    const proof = await late.proof(challengeIn(login), { jwk: late.jwk });
    const headers = { "secure-session-response": proof };
    const second = await browser.visit("/session/device", { method: "POST", headers });
    expect(second.status).toBe(409);
    // And so is one that had been registered before, and comes too late.
    const stolen = browser.copy();
    const identifier = { "sec-secure-session-id": thief.identifier };
    const asked = await stolen.visit("/session/device", { method: "POST", headers: identifier });
    expect(isEnd(asked)).toBe(true);
    expect(await browser.read()).toMatchObject(bound);
  },

  "keeps the device's data out of the application's reach": async (site) => {
    const browser = await site.bound();
    expect((await browser.read()).keys).toEqual(["user"]);
  },

  "leaves a browser without it alone": async (site) => {
    const browser = plainBrowser(site);
    await browser.visit("/login");
    site.wait(3000);
    expect(await browser.read()).toMatchObject({ user: "ann", device: "none" });
    await browser.visit("/set/x");
    expect((await browser.read()).keys).toEqual(["note", "user"]);
    expect(site.events).toEqual(["offered"]);
  },
};
