// A site whose sessions are bound to devices: on any host and store, by a clock that tests turn.
import {
  type DeviceEvent,
  memoryRevocations,
  type SessionConfig,
  SessionCookieStore,
  SessionMemoryStore,
} from "kocha-session";
import { deviceBinding, type DeviceBindingOptions } from "kocha-session/device";
import { mergingCookies } from "kocha-session/merge";
import {
  fakeClock,
  type MakeServer,
  type ProbeHandler,
  type TestClock,
} from "kocha-session/testing";
import { Gate } from "../../src/testing/probe.ts";
import { freshKey, freshKeys } from "../support/keys.ts";
import { slowly } from "../support/latency.ts";
import {
  CookieBrowser,
  DeviceBrowser,
  DeviceKeyPair,
  type Reply,
} from "../support/device-browser.ts";

/** The store's part of a configuration, on a clock. */
export type StoreParts = (
  now: () => number,
) => Pick<SessionConfig, "store"> & Partial<SessionConfig> & { readonly isSealed?: boolean };

const DAY = 86_400;

/** The stores that need no server. */
export const stores: Readonly<Record<string, StoreParts>> = {
  memory: (now) => ({ store: new SessionMemoryStore({ now }), signingKey: freshKey() }),
  "a store that answers later": (now) => ({
    store: slowly(new SessionMemoryStore({ now })),
    signingKey: freshKey(),
  }),
  "cookie, revocations": (now) => ({
    store: new SessionCookieStore(freshKeys()),
    revocations: memoryRevocations({ now }),
    sessionExpires: DAY,
  }),
  "cookie, merging": () => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
  }),
  "cookie, merging, revocations": (now) => ({
    store: new SessionCookieStore({ ...freshKeys(), merge: mergingCookies() }),
    revocations: memoryRevocations({ now }),
    sessionExpires: DAY,
  }),
};

/** A site that listens. */
export interface Site {
  readonly url: string;
  readonly clock: TestClock;
  readonly events: string[];
  /** Lets a request to /slow go on. */
  readonly gate: Gate;
  /** Turns the clock. */
  readonly wait: (seconds: number) => void;
  readonly browser: (alg?: "ES256" | "RS256") => Promise<DeviceBrowser>;
  /** A browser that is logged in and bound, past the minute in which requests without proof count. */
  readonly bound: (alg?: "ES256" | "RS256") => Promise<DeviceBrowser>;
  readonly close: () => Promise<void>;
}

/** What the pages do. */
function pages(gate: Gate): ProbeHandler {
  return async (session, url) => {
    const [, word = "", value = ""] = url.pathname.split("/");
    if (word === "login") {
      await session.regenerate();
      session.set("user", "ann");
      session.bindDevice();
    }
    if (word === "enter") session.bindDevice();
    if (word === "bind") session.bind("ann");
    if (word === "plain") session.set("user", "bob");
    if (word === "set") session.set("note", value);
    if (word === "clear") session.clear();
    if (word === "regenerate") await session.regenerate();
    if (word === "logout") await session.destroy();
    if (word === "count") await session.increment("count");
    if (word === "slow") {
      session.get("user");
      await gate.pass();
      session.set("slow", "yes");
    }
    const { device, isNew, readOnly } = session;
    const seen = {
      user: session.get("user"),
      device,
      isNew,
      readOnly,
      keys: [...session.keys()].toSorted(),
    };
    return { status: 200, body: JSON.stringify(seen) };
  };
}

/** Options of a site. */
export interface SiteOptions {
  readonly device?: DeviceBindingOptions;
  readonly config?: Partial<SessionConfig>;
  /** `deviceBinding` of the server's own copy of the library. */
  readonly bind?: typeof deviceBinding;
}

/** Starts a site. */
export async function startSite(
  makeServer: MakeServer,
  makeStore: StoreParts,
  { device = {}, config = {}, bind = deviceBinding }: SiteOptions = {},
): Promise<Site> {
  // Redis ends its rows by the clock of its machine.
  const clock = fakeClock(Math.floor(Date.now() / 1000) * 1000);
  const events: string[] = [];
  const gate = new Gate();
  const { isSealed: _, ...parts } = makeStore(clock.now);
  const server = await makeServer(
    {
      cookieExpires: DAY,
      ...parts,
      now: clock.now,
      deviceBinding: bind({ acceptUnboundCopies: true, ...device }),
      on: {
        device: ({ what, why }: DeviceEvent) =>
          void events.push(why === undefined ? what : `${what}: ${why}`),
        rejected: ({ reason }) => void events.push(`rejected: ${reason}`),
        refused: ({ reason }) => void events.push(`refused: ${reason}`),
      },
      ...config,
    },
    pages(gate),
  );
  const site: Site = {
    url: server.url,
    clock,
    events,
    gate,
    wait: (seconds) => void clock.advance(seconds * 1000),
    browser: async (alg) =>
      new DeviceBrowser(server.url, clock.now, await DeviceKeyPair.make(alg), device.path),
    bound: async (alg) => {
      const browser = await site.browser(alg);
      await browser.register(await browser.visit("/login"));
      await browser.refresh();
      site.wait(61);
      events.length = 0;
      return browser;
    },
    close: async () => server.close(),
  };
  return site;
}

/** A browser without device-bound sessions. */
export function plainBrowser({ url, clock }: Site): CookieBrowser {
  return new CookieBrowser(url, clock.now);
}

/** True for an answer that has a browser forget its key. */
export function isEnd({ status, body }: Reply): boolean {
  return status === 200 && (JSON.parse(body || "{}") as { continue?: boolean }).continue === false;
}

/** True for an answer that has renewed the device cookie: an end is a 200, too. */
export function isFresh({ status, setCookie }: Reply): boolean {
  return status === 200 && setCookie.some((one) => /^[\w-]+-device=[\w-]{34}; /.test(one));
}
