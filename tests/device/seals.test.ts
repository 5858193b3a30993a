// What the endpoint hands out opens for one thing only: one kind, session, key, name and time. Each test
// differs from what counts in one of them.
import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { SessionCookieStore, SessionMemoryStore, type SessionStore } from "kocha-session";
import { nodeServer } from "../../src/testing/store-laws.ts";
import { challengeIn, type CookieBrowser, DeviceBrowser } from "../support/device-browser.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import {
  isEnd,
  isFresh,
  type Site,
  type SiteOptions,
  startSite,
  type StoreParts,
  stores,
} from "./site.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(parts: StoreParts, options: SiteOptions = {}): Promise<Site> {
  const site = await startSite(nodeServer, parts, options);
  closing.push(site.close);
  return site;
}

/** Another browser with the same key. */
function sameKey(site: Site, { device }: DeviceBrowser): DeviceBrowser {
  return new DeviceBrowser(site.url, site.clock.now, device);
}

/** A thief's copy of the session's cookies with another device cookie. */
function withDevice(browser: CookieBrowser, value: string): CookieBrowser {
  const copy = browser.copy(undefined, (name) => !name.startsWith("session-device"));
  copy.put("session-device", value);
  return copy;
}

async function bind(browser: DeviceBrowser): Promise<void> {
  await browser.register(await browser.visit("/login"));
  expect(isFresh(await browser.refresh())).toBe(true);
}

describe.each(["a store that answers later", "cookie, revocations"])("over %s", (name) => {
  const parts = stores[name] as StoreParts;

  it("a device cookie counts for its key, not for another one of the same session", async () => {
    const site = await open(parts);
    const browser = await site.browser();
    const login = await browser.visit("/login");
    // Before the binding a thief with the offer registers a key, too.
    const thief = await site.browser();
    await thief.register(login);
    await browser.register(login);
    await browser.refresh();
    site.wait(61);
    await thief.register(login, {}, true);
    const value = thief.cookie("session-device") ?? "";
    expect(value).toHaveLength(34);
    expect(await withDevice(browser, value).read()).toMatchObject({ user: "", device: "stale" });
  });

  it("a device cookie counts for its session, not for another one of the same key", async () => {
    const site = await open(parts);
    const one = await site.browser();
    const two = sameKey(site, one);
    for (const browser of [one, two]) await bind(browser);
    site.wait(61);
    const mixed = withDevice(two, one.cookie("session-device") ?? "");
    expect(await mixed.read()).toMatchObject({ user: "", device: "stale" });
    expect(await two.read()).toMatchObject({ user: "ann", device: "bound" });
  });

  it("a challenge counts for its session and its key", async () => {
    const site = await open(parts);
    const one = await site.browser();
    const two = sameKey(site, one);
    for (const browser of [one, two]) await bind(browser);
    const ofTwo = challengeIn(await two.ask(undefined));
    expect((await one.ask(await one.device.proof(ofTwo))).status).toBe(403);
    expect(site.events.at(-1)).toBe("challenged: challenge");
    // Two keys of one session that isn't bound yet.
    const login = await (await site.browser()).visit("/login");
    const [three, four] = [await site.browser(), await site.browser()];
    await three.register(login);
    await four.register(login);
    const ofFour = challengeIn(await four.ask(undefined));
    expect((await three.ask(await three.device.proof(ofFour))).status).toBe(403);
    expect(site.events.at(-1)).toBe("challenged: challenge");
  });

  it("a challenge is no device cookie, and a device cookie is no challenge", async () => {
    const site = await open(parts);
    const browser = await site.bound();
    const challenge = challengeIn(await browser.ask(undefined));
    expect(await withDevice(browser, challenge).read()).toMatchObject({
      user: "",
      device: "stale",
    });
    const proof = await browser.device.proof(browser.cookie("session-device") ?? "");
    expect((await browser.ask(proof)).status).toBe(403);
    expect(site.events.at(-1)).toBe("challenged: challenge");
  });

  it("a good device cookie counts beside others", async () => {
    const site = await open(parts);
    const browser = await site.bound();
    const cookies = browser.header("/").split("; ");
    const good = cookies.find((one) => one.startsWith("session-device="));
    const rest = cookies.filter((one) => one !== good);
    const junk = [`session-device=${"A".repeat(34)}`, "session-device=x"];
    const headers = { cookie: [...rest, ...junk, good].join("; ") };
    const bare = sameKey(site, browser);
    expect(await bare.read("/read", { headers })).toMatchObject({ user: "ann", device: "bound" });
  });

  it("a challenge is answered for five minutes, by clocks that differ by as much", async () => {
    const site = await open(parts);
    const browser = await site.bound();
    const proof = await browser.device.proof(challengeIn(await browser.ask(undefined)));
    for (const [seconds, status] of [
      [299, 200],
      [2, 403],
      // The process that made it was ahead.
      [-600, 200],
      [-2, 403],
    ] as const) {
      site.wait(seconds);
      expect([seconds, (await browser.ask(proof)).status]).toEqual([seconds, status]);
    }
  });
});

describe("the note of an ended session", () => {
  it("ends no other session of its browser, over cookies", async () => {
    const site = await open(() => ({ store: new SessionCookieStore(freshKeys()) }));
    const browser = await site.bound();
    await browser.visit("/logout");
    expect(browser.names).toEqual(["session-device-end"]);
    await browser.register(await browser.visit("/login"));
    // The session's cookie stays behind, the note does not.
    browser.drop("session");
    expect(isFresh(await browser.refresh())).toBe(true);
  });
});

describe("between sites with one store and one ring of secrets", () => {
  it("nothing that is sealed for one name opens for the other", async () => {
    const store = new SessionMemoryStore();
    const signingKey = freshKey();
    const parts: StoreParts = () => ({ store, signingKey });
    const site = await open(parts);
    const browser = await site.bound();
    const other = await open(parts, { config: { name: "other" } });
    const moved = new DeviceBrowser(other.url, other.clock.now, browser.device);
    moved.identifier = browser.identifier;
    expect(isEnd(await moved.ask(undefined))).toBe(true);
    expect(other.events).toEqual(["ended: unknown"]);
  });
});

describe("the mark of a bound session", () => {
  it("is the fingerprint of the key, and the second of the binding", async () => {
    const memory = new SessionMemoryStore();
    const marks: string[] = [];
    const store: SessionStore = {
      capabilities: memory.capabilities,
      load: (id) => memory.load(id),
      save: (id, change) => {
        const mark = change.set.get("_device.key");
        if (mark !== undefined) marks.push(mark);
        return memory.save(id, change);
      },
    };
    const site = await open(() => ({ store, signingKey: freshKey() }));
    const browser = await site.browser();
    await bind(browser);
    const { x, y } = browser.device.jwk as { readonly x: string; readonly y: string };
    const key = [Buffer.of(1), ...[x, y].map((text) => Buffer.from(text, "base64url"))];
    const thumb = createHash("sha256").update(Buffer.concat(key)).digest().subarray(0, 16);
    const second = Math.floor(site.clock.now() / 1000).toString(36);
    expect(marks).toEqual([thumb.toString("base64url") + second]);
  });
});
