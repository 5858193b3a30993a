// Device-bound sessions in a real Chromium, over https on localhost. The browser's own account of its
// device-bound sessions is the proof; a device cookie's end is brought about by taking it from the browser.
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import {
  becomeBound,
  type DeviceChromium,
  type DeviceSite,
  endDeviceCookie,
  follow,
  logInBound,
  makeProfile,
  openChromium,
  seen,
  shownTo,
  type SiteKind,
  startDeviceSite,
} from "./device-site.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(kind: SiteKind): Promise<DeviceSite> {
  const site = await startDeviceSite(kind);
  closing.push(site.close);
  return site;
}

async function browse(binds = true): Promise<DeviceChromium> {
  const profile = makeProfile();
  closing.push(profile.remove);
  const chromium = await openChromium(profile.path, binds);
  closing.push(chromium.close);
  return chromium;
}

/** In `npm test` each scene runs on one of them; `npm run test:demo` runs it on both. */
const kinds = ["Express, a store that answers later", "fetch, cookie with revocations"] as const;
const isWhole = process.env["MODE"] === "every-store";

describe.each(isWhole ? kinds : kinds.slice(0, 1))("on %s", (kind) => {
  test("a session is bound, copies of it die, its browser goes on, and a logout ends it", async () => {
    const site = await start(kind);
    const chromium = await browse();
    const { page, context, told } = chromium;
    await logInBound(chromium, site);
    const cookies = await context.cookies(site.origin);
    const header = (...names: readonly string[]): string =>
      cookies
        .filter(({ name }) => names.includes(name))
        .map(({ name, value }) => `${name}=${value}`)
        .join("; ");
    // A thief with the session's cookie has nothing, one with both has them until the device cookie ends.
    expect(await shownTo(site, header("session"))).toBe("nobody stale");
    expect(await shownTo(site, header("session", "session-device"))).toBe("ann bound");
    await endDeviceCookie(chromium, site);
    expect(await shownTo(site, header("session", "session-device"))).toBe("nobody stale");
    const refreshed = told.length;
    await page.goto(`${site.origin}/home`);
    expect(await seen(page)).toBe("ann bound");
    expect(told.slice(refreshed).map((event) => event.refreshEventDetails?.fetchResult)).toContain(
      "Success",
    );
    await follow(page, "#out");
    expect(await seen(page)).toBe("nobody none");
    const isEnded = (): boolean =>
      told.some((event) => event.terminationEventDetails !== undefined);
    await until("the end of the browser's session", isEnded);
    expect(told.at(-1)?.terminationEventDetails?.deletionReason).toBe("ServerRequested");
  });
});

describe.each(isWhole ? kinds : kinds.slice(1))("on %s", (kind) => {
  test("a link from another site shows the session, and a login by another site is bound", async () => {
    const site = await start(kind);
    const chromium = await browse();
    const { page } = chromium;
    await page.goto(site.other);
    await follow(page, "#sso");
    expect(await seen(page)).toMatch(/^ann /);
    await becomeBound(chromium, site);
    await page.goto(site.other);
    await endDeviceCookie(chromium, site);
    await follow(page, "#link");
    expect(await seen(page)).toBe("ann bound");
    expect(site.events.filter((event) => event.startsWith("stale"))).toEqual([]);
  });
});

test("two tabs and a WebSocket wait for the refresh", async () => {
  const site = await start("Express, a store that answers later");
  const chromium = await browse();
  const { page, context } = chromium;
  await logInBound(chromium, site);
  const second = await context.newPage();
  await second.goto(`${site.origin}/home`);
  await endDeviceCookie(chromium, site);
  const load = `Promise.all([1, 2, 3, 4].map(async () => {
    const text = await (await fetch("/home")).text();
    return /id=seen>([^<]*)</.exec(text)[1];
  }))`;
  const shown = await Promise.all([page.evaluate<string[]>(load), second.evaluate<string[]>(load)]);
  expect(shown.flat()).toEqual(Array.from({ length: 8 }, () => "ann bound"));
  await endDeviceCookie(chromium, site);
  const connect = `new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace("https", "wss"));
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error("no socket"));
  })`;
  expect(await page.evaluate<string>(connect)).toBe("ann bound");
  expect(site.events.filter((event) => event.startsWith("stale"))).toEqual([]);
});

test("a browser that was closed refreshes before its first page", async () => {
  const site = await start("fetch, cookie with revocations");
  const profile = makeProfile();
  closing.push(profile.remove);
  const before = await openChromium(profile.path);
  await logInBound(before, site);
  await endDeviceCookie(before, site);
  await before.close();
  const { page, close } = await openChromium(profile.path);
  closing.push(close);
  await page.goto(`${site.origin}/home`);
  expect(await seen(page)).toBe("ann bound");
  expect(site.events.filter((event) => event.startsWith("stale"))).toEqual([]);
});

test("a browser without it stays logged in", async () => {
  const site = await start("Express, a store that answers later");
  const { page, told } = await browse(false);
  await page.goto(`${site.origin}/home`);
  await follow(page, "#in");
  site.wait(3000);
  await page.goto(`${site.origin}/home`);
  expect(await seen(page)).toBe("ann none");
  expect(told).toEqual([]);
  expect(site.events).toEqual(["offered"]);
});
