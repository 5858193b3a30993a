// What the holder of a copied session cookie gets: each way to read or change a session, over every kind of
// store, on a bound session without its device cookie.
import { afterEach, describe, expect, it } from "vitest";
import {
  type Session,
  sessionKey,
  sessionMap,
  SessionMiddleware,
  type StandardSchema,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { nodeServer } from "../../src/testing/store-laws.ts";
import type { CookieBrowser } from "../support/device-browser.ts";
import { type Site, startSite, type StoreParts, stores } from "./site.ts";

const anything: StandardSchema<string> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as string }) },
};
const cart = sessionMap("cart", anything);
const note = sessionKey("note", anything);
const SECRET = "known to the device";

/** All that an application can do with a session, except to end it or to begin another. */
const uses: Readonly<Record<string, (session: Session) => unknown>> = {
  reading: (session) => [
    ...session,
    session.get("user"),
    session.has("user"),
    session.size > 0,
    session.toObject(),
    session.read(note),
    session.flash.peek("notice"),
    [...cart.of(session).entries()],
  ],
  "taking messages": (session) => [session.flash.get("notice"), ...session.flash.readAll()],
  set: (session) => session.set("user", "bob"),
  write: (session) => session.write(note, "bob"),
  delete: (session) => session.delete("user"),
  clear: (session) => session.clear(),
  "a message": (session) => session.flash.set("notice", "bob"),
  "a collection's set": (session) => cart.of(session).set("tea", "9"),
  "a collection's delete": (session) => cart.of(session).delete("tea"),
  "a collection's clear": (session) => cart.of(session).clear(),
  update: (session) => session.update("user", (user) => `${user}, read`),
  increment: (session) => session.increment("user"),
  take: (session) => session.take("user"),
  "a collection's update": (session) => cart.of(session).update("tea", (tea) => `${tea}, read`),
  "a collection's take": (session) => cart.of(session).take("tea"),
  commit: async (session) => {
    session.set("user", "bob");
    await session.commit();
  },
  start: (session) => session.start(),
  bind: (session) => session.bind("bob"),
  bindDevice: (session) => session.bindDevice(),
  "a cookie's lifetime": (session) => void (session.cookieExpires = 60),
  "a timeout": (session) => void (session.sessionExpires = 60),
  discard: (session) => session.discard(),
};

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A site, and an engine over the same store. */
async function open(makeParts: StoreParts): Promise<readonly [Site, SessionMiddleware]> {
  let parts: ReturnType<StoreParts> | undefined;
  const site = await startSite(nodeServer, (now) => (parts ??= makeParts(now)));
  closing.push(site.close);
  const engine = new SessionMiddleware({
    cookieExpires: 86_400,
    ...(parts as ReturnType<StoreParts>),
    now: site.clock.now,
    deviceBinding: deviceBinding({ acceptUnboundCopies: true }),
  });
  return [site, engine];
}

/** Keeps a secret in every place of the browser's session. */
async function hide(engine: SessionMiddleware, browser: CookieBrowser): Promise<void> {
  const session = await engine.open(browser.header("/"));
  for (const key of ["user", "plain"]) session.set(key, SECRET);
  session.write(note, SECRET);
  session.flash.set("notice", SECRET);
  cart.of(session).set("tea", SECRET);
  const { cookies } = await engine.commit(session);
  for (const { name, value, maxAge } of cookies) {
    if (maxAge === 0) browser.drop(name);
    else browser.put(name, value);
  }
}

describe.each(Object.entries(stores))("a stale session, over %s", (_, makeParts) => {
  it("is neither read nor changed by any method", async () => {
    const [site, engine] = await open(makeParts);
    const browser = await site.bound();
    await hide(engine, browser);
    const own = async (): Promise<unknown> => {
      const session = await engine.open(browser.header("/"));
      return [
        session.device,
        [...session],
        session.flash.peek("notice"),
        cart.of(session).get("tea"),
      ];
    };
    const before = await own();
    expect(before).toMatchObject(["bound", expect.anything(), SECRET, SECRET]);
    const copy = browser.copy(undefined, (name) => name !== "session-device");
    for (const [what, use] of Object.entries(uses)) {
      const session = await engine.open(copy.header("/"));
      let seen: unknown;
      try {
        seen = await use(session);
      } catch (error) {
        seen = error;
      }
      expect([what, JSON.stringify([seen]).includes(SECRET)]).toEqual([what, false]);
      const { setCookie, headers } = await engine.commit(session);
      expect([what, session.device, setCookie, headers]).toEqual([what, "stale", [], []]);
      expect([what, await own()]).toEqual([what, before]);
    }
  });

  it("is none that was proven when its request came, however late the handler looks", async () => {
    const [site, engine] = await open(makeParts);
    const browser = await site.browser();
    await browser.register(await browser.visit("/login"));
    await browser.refresh();
    const onItsWay = browser.copy(undefined, (name) => name !== "session-device").header("/");
    const late: [Session, string][] = [];
    for (const [cookie, seconds] of [
      [onItsWay, 61],
      [browser.header("/"), 700],
    ] as const) {
      late.push([await engine.open(cookie), cookie]);
      site.wait(seconds);
    }
    for (const [session, cookie] of late) {
      expect([session.get("user"), session.device]).toEqual(["ann", "bound"]);
      expect((await engine.open(cookie)).device).toBe("stale");
    }
  });

  it("carries nothing into the session that regenerate begins", async () => {
    const [site, engine] = await open(makeParts);
    const browser = await site.bound();
    await hide(engine, browser);
    const copy = browser.copy(undefined, (name) => name !== "session-device");
    const session = await engine.open(copy.header("/"));
    const { id } = session;
    session.set("user", "bob");
    await session.regenerate();
    expect([session.size, session.device, session.readOnly]).toEqual([0, "none", false]);
    expect(session.id).not.toBe(id);
    session.set("user", "eve");
    await engine.commit(session);
    const kept = await engine.open(browser.header("/"));
    expect([kept.get("user"), kept.device, kept.id]).toEqual([SECRET, "bound", id]);
  });
});
