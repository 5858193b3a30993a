// Merging cookies in Chromium: two tabs and parallel fetches through a proxy that delays, reorders,
// cuts off and drops responses. Whatever response arrived whole, its change is kept.
import { request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { mergingCookies } from "kocha-session/merge";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SessionCookieStore } from "kocha-session";
import { type SessionListener, withSession } from "kocha-session/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { SeededRandom } from "../../trials/fuzz/random.ts";
import { launchBrowser } from "../support/browser.ts";
import { freshKeys } from "../support/keys.ts";
import { listen } from "../support/listen.ts";

const TABS = 2;
/** In each tab: Chromium has six connections to a server for all of them. */
const AT_ONCE = 3;
/** What the documentation promises for that many. */
const MAX_HEADER = 8192;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** What the server and the proxy saw. */
interface Seen {
  /** Requests that the handler has opened a session for. */
  opened: number;
  mostBytes: number;
  cut: number;
  dropped: number;
  /** Responses that overtook one that was sent before. */
  overtaken: number;
}

let seen: Seen;
let origin: string;
let context: BrowserContext;
let tabs: Page[];
let close: () => Promise<void>;

/** Sets ?key=value, ends the session, or shows all of it as JSON; dawdles between load and commit. */
async function startServer(dice: SeededRandom) {
  const config = {
    name: "__Host-merging",
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
  };
  const serve: SessionListener = async (request, response, session) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    seen.mostBytes = Math.max(seen.mostBytes, request.headers.cookie?.length ?? 0);
    // Looked at now, so that what others write from here on isn't in it.
    const all = session.toObject();
    seen.opened++;
    if (pathname === "/set") {
      await delay(dice.below(30));
      for (const [key, value] of searchParams) session.set(key, value);
    }
    if (pathname === "/logout") await session.destroy();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(all));
  };
  return listen(withSession(config, serve));
}

/** Between the browser and the server: calm for paths with "calm" in them, else as the dice fall. */
async function startProxy(port: number, dice: SeededRandom) {
  let sent = 0;
  let latest = 0;
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { headers, method, url } = request;
    const isCalm = url?.includes("calm") === true;
    const fate = dice.below(10);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forward({ port, path: url, method, headers }, resolve).on("error", reject).end();
    });
    const body = await buffer(answer);
    const turn = ++sent;
    if (!isCalm) await delay(dice.below(200));
    if (turn < latest) seen.overtaken++;
    latest = Math.max(latest, turn);
    if (!isCalm && fate === 0) {
      seen.dropped++;
      request.socket.destroy();
      return;
    }
    // Chromium sends a request again by itself when a connection that it used before is reset.
    response.shouldKeepAlive = false;
    for (const [name, value] of Object.entries(answer.headers)) {
      if (name !== "connection" && value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(answer.statusCode ?? 500);
    if (isCalm || fate > 2) {
      response.end(body);
      return;
    }
    // The head arrives, and with it the cookies; the body doesn't.
    seen.cut++;
    response.write(body.subarray(0, 1), () => request.socket.destroy());
  };
  return listen((request, response) => void relay(request, response));
}

beforeEach(async () => {
  const dice = new SeededRandom(Number(process.env["FC_SEED"] ?? 42));
  seen = { opened: 0, mostBytes: 0, cut: 0, dropped: 0, overtaken: 0 };
  const server = await startServer(dice);
  const proxy = await startProxy(server.port, dice);
  // Chromium counts http://localhost as trustworthy, so that Secure cookies can be tried there.
  origin = `http://localhost:${proxy.port}`;
  context = await browser.newContext();
  tabs = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
  for (const tab of tabs) await tab.goto(`${origin}/calm`);
  close = async () => {
    await context.close();
    await proxy.close();
    await server.close();
  };
});
afterEach(() => close());

/** Fetches them all at once in a tab; gives for each whether its response arrived whole. */
function fetchAll(tab: Page, paths: readonly string[]): Promise<boolean[]> {
  return tab.evaluate(
    (urls) =>
      Promise.all(
        urls.map(async (url) => {
          try {
            // A POST: Chromium asks for nothing twice by itself.
            await (await fetch(url, { method: "POST" })).json();
            return true;
          } catch {
            return false;
          }
        }),
      ),
    [...paths],
  );
}

/** The session as the next request of the first tab sees it. */
async function readAll(): Promise<Record<string, string>> {
  const [tab] = tabs;
  return (await tab?.evaluate(async () => (await fetch("/calm")).json())) as Record<string, string>;
}

/** Every tab writes keys of its own, all at once, with the round as their value. */
async function writeAtOnce(round: number): Promise<{ key: string; arrived: boolean }[]> {
  const written = tabs.map(async (tab, number) => {
    const keys = Array.from({ length: AT_ONCE }, (_, place) => `${number}${place}`);
    const paths = keys.map((key) => `/set?${key}=${round}`);
    const arrived = await fetchAll(tab, paths);
    return keys.map((key, place) => ({ key, arrived: arrived[place] === true }));
  });
  return (await Promise.all(written)).flat();
}

test("of two tabs' parallel writes none that arrived is lost, whatever became of the others", async () => {
  const [tab] = tabs;
  // The law is of a session that exists: those that begin at once are several, and one is kept.
  expect(tab && (await fetchAll(tab, ["/set?calm=1"]))).toEqual([true]);
  let before = await readAll();
  let arrivals = 0;
  for (let round = 0; round < 12; round++) {
    const writes = await writeAtOnce(round);
    const all = await readAll();
    for (const { arrived, key } of writes) {
      if (arrived) arrivals++;
      // What was cut or dropped may have come as far as the browser's jar.
      expect(arrived ? [`${round}`] : [before[key], `${round}`]).toContain(all[key]);
    }
    before = all;
  }
  expect(arrivals).toBeGreaterThan(36);
  expect(Math.min(seen.cut, seen.dropped, seen.overtaken)).toBeGreaterThan(0);
  expect(seen.mostBytes).toBeLessThanOrEqual(MAX_HEADER);
  for (const key of ["calm1", "calm2"]) {
    expect(tab && (await fetchAll(tab, [`/set?${key}=1`]))).toEqual([true]);
  }
  expect(await context.cookies()).toHaveLength(2);
});

test("what was under way at a logout can't bring the session back into this browser", async () => {
  const [first] = tabs;
  for (let round = 0; round < 6; round++) {
    expect(first && (await fetchAll(first, ["/set?calm=1"]))).toEqual([true]);
    const underWay = seen.opened + TABS * AT_ONCE;
    const writes = writeAtOnce(round);
    await expect.poll(() => seen.opened).toBeGreaterThanOrEqual(underWay);
    expect(first && (await fetchAll(first, ["/logout?calm=1"]))).toEqual([true]);
    await writes;
    expect(await readAll()).toEqual({});
  }
  expect(Math.min(seen.cut, seen.dropped, seen.overtaken)).toBeGreaterThan(0);
});
