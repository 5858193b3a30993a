// What device-bound sessions cost a browser's user: how much later a page comes, and how many requests more
// are made, at a login, in an hour of use and at a logout. In Chromium over https on localhost, with keys in
// software. Hours pass by the server's clock and by moving the device cookie's end, since the browser's own
// clock can't be turned.
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
  startDeviceSite,
} from "../../tests/browser/device-site.ts";
import { until } from "../../tests/support/until.ts";
import { spread, type Spread } from "../lib/stats.ts";

const KIND = "fetch, cookie with revocations";
const DEVICE_COOKIE = "session-device";
/** Milliseconds that the server lets each of its answers wait. */
const DELAYS = [0, 50] as const;
const HOUR = 3600;
/** Seconds: the least, the recommended one, the default, a long one. */
const LIVES = [60, 300, 600, 1800] as const;
/** Seconds from page to page: of a busy user, and of a slow one. */
const PACES = [30, 300] as const;
/** In the last two minutes of a device cookie browsers refresh it at each page, which doesn't wait. */
const AHEAD = 120;

/** The time from the start of a page's load to its last byte, in milliseconds. */
interface PageRow {
  readonly delay: number;
  readonly what: string;
  readonly ms: Spread;
  /** Requests of the device's path, for one page. */
  readonly requests: number;
}

/** An hour of use. */
interface HourRow {
  readonly refreshSeconds: number;
  /** Seconds from page to page. */
  readonly pace: number;
  readonly pages: number;
  readonly refreshes: number;
  /** Requests of the device's path. */
  readonly requests: number;
  /** Pages that waited for a refresh. */
  readonly held: number;
}

/** What the browser's part costs. */
export interface BrowserCosts {
  readonly browser: string;
  /** Requests of the device's path at one login and at one logout. */
  readonly login: number;
  readonly logout: number;
  readonly pages: readonly PageRow[];
  readonly hours: readonly HourRow[];
}

interface Visit {
  readonly site: DeviceSite;
  readonly chromium: DeviceChromium;
}

/** Runs with a site and a browser of its own. */
async function visit<T>(
  options: Parameters<typeof startDeviceSite>[1],
  run: (visit: Visit) => Promise<T>,
): Promise<T> {
  const site = await startDeviceSite(KIND, options);
  const profile = makeProfile();
  const chromium = await openChromium(profile.path);
  try {
    return await run({ site, chromium });
  } finally {
    await chromium.close();
    await site.close();
    profile.remove();
  }
}

/** Loads a page of the bound session; gives milliseconds and the requests of the device's path until then. */
async function load({ site, chromium }: Visit): Promise<readonly [ms: number, requests: number]> {
  const { page } = chromium;
  const before = site.endpoint.length;
  await page.goto(`${site.origin}/home`);
  const shown = await seen(page);
  if (shown !== "ann bound") throw new Error(`the page shows ${shown}`);
  const navigation = "performance.getEntriesByType('navigation')[0].responseEnd";
  return [await page.evaluate<number>(navigation), site.endpoint.length - before];
}

/** The ways to a page: what comes before it. */
const ways: Readonly<Record<string, (visit: Visit) => unknown>> = {
  "the device cookie lives": () => undefined,
  "a refresh is due, and its challenge is known": ({ chromium }) =>
    chromium.context.clearCookies({ name: DEVICE_COOKIE }),
  "a refresh is due": ({ chromium, site }) => endDeviceCookie(chromium, site),
};

function measurePages(delay: number, rounds: number): Promise<PageRow[]> {
  return visit({ delay }, async (visited) => {
    await logInBound(visited.chromium, visited.site);
    const measured = new Map(Object.keys(ways).map((what) => [what, [] as number[]]));
    const requests = new Map<string, number>();
    for (let round = 0; round <= rounds; round++) {
      for (const [what, prepare] of Object.entries(ways)) {
        await prepare(visited);
        const [ms, asked] = await load(visited);
        // The first round connects, and replaces the credential once.
        if (round === 0) continue;
        measured.get(what)?.push(ms);
        requests.set(what, (requests.get(what) ?? 0) + asked);
      }
    }
    return [...measured].map(([what, ms]) => {
      return { delay, what, ms: spread(ms), requests: (requests.get(what) ?? 0) / rounds };
    });
  });
}

async function deviceCookie({ chromium, site }: Visit) {
  const cookies = await chromium.context.cookies(site.origin);
  return cookies.find(({ name }) => name === DEVICE_COOKIE);
}

/** Lets time pass for the site and for the device cookie; gives the cookie, if it is still there. */
async function pass(visited: Visit, seconds: number) {
  const { site, chromium } = visited;
  site.wait(seconds);
  const cookie = await deviceCookie(visited);
  if (cookie === undefined) return undefined;
  await chromium.context.clearCookies({ name: DEVICE_COOKIE });
  const left = { ...cookie, expires: cookie.expires - seconds };
  if (left.expires * 1000 <= Date.now()) return undefined;
  await chromium.context.addCookies([left]);
  return left;
}

function measureHour(refreshSeconds: number, pace: number, seconds: number): Promise<HourRow> {
  return visit({ binding: { refreshSeconds } }, async (visited) => {
    const { site, chromium } = visited;
    await logInBound(chromium, site);
    const begun = site.endpoint.length;
    const told = site.events.length;
    let held = 0;
    for (let at = 0; at < seconds; at += pace) {
      const cookie = await pass(visited, pace);
      const [, asked] = await load(visited);
      if (cookie === undefined && asked > 0) held++;
      // A refresh ahead of the end goes on behind the page, and is over before the next one.
      if (cookie === undefined || cookie.expires - Date.now() / 1000 > AHEAD) continue;
      await until("the refresh", async () => (await deviceCookie(visited))?.value !== cookie.value);
    }
    const refreshes = site.events
      .slice(told)
      .filter((event) => event === "refreshed" || event === "settled").length;
    const requests = site.endpoint.length - begun;
    return { refreshSeconds, pace, pages: seconds / pace, refreshes, requests, held };
  });
}

/** The requests of one login, up to the binding, and of one logout, up to the browser's end of its session. */
function countEnds(): Promise<Pick<BrowserCosts, "browser" | "login" | "logout">> {
  return visit({}, async ({ site, chromium }) => {
    const { page, told, context } = chromium;
    await page.goto(`${site.origin}/home`);
    await follow(page, "#in");
    await becomeBound(chromium, site);
    const login = site.endpoint.length;
    await follow(page, "#out");
    const isEnded = (): boolean =>
      told.some((event) => event.terminationEventDetails !== undefined);
    await until("the end of the browser's session", isEnded);
    const browser = `Chromium ${context.browser()?.version()}`;
    return { browser, login, logout: site.endpoint.length - login };
  });
}

/** Measures all of it; `quick`: a look. */
export async function measureBrowser(quick: boolean): Promise<BrowserCosts> {
  const ends = await countEnds();
  const pages: PageRow[] = [];
  for (const delay of DELAYS) pages.push(...(await measurePages(delay, quick ? 2 : 25)));
  const hours: HourRow[] = [];
  for (const life of LIVES) {
    for (const pace of PACES) hours.push(await measureHour(life, pace, quick ? 600 : HOUR));
  }
  return { ...ends, pages, hours };
}
