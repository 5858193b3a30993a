// The demo's session settings: those of an ordinary application, for each of the demo's sites, which
// share one store and one list of revocations.
import { randomBytes } from "node:crypto";
import {
  type AnySessionStore,
  DAY,
  memoryRevocations,
  type Revocations,
  type SessionConfig,
} from "kocha-session";
import { observers } from "./feed.ts";

/** Both secrets. */
export interface DemoKeys {
  readonly secretKey: string;
  readonly signingKey: string;
}

/** Seconds until an idle login ends that isn't remembered; short, so that a page can show it. */
export const IDLE_TIMEOUT = 30 * 60;
/** Seconds that a remembered visitor may be away; the longest that any session may. */
export const REMEMBERED = 30 * DAY;
/** Seconds until any session ends. */
export const ABSOLUTE_TIMEOUT = 90 * DAY;

/** The secrets of the environment; without them each start makes its own. */
export function demoKeys(): DemoKeys {
  const freshKey = (): string => randomBytes(32).toString("base64");
  return {
    secretKey: process.env["SESSION_SECRET_KEY"] ?? freshKey(),
    signingKey: process.env["SESSION_SIGNING_KEY"] ?? freshKey(),
  };
}

/** What all sites of one demo share. */
export interface DemoSettings {
  readonly keys: DemoKeys;
  readonly store: AnySessionStore;
  /** The store as the pages call it, such as "Redis". */
  readonly storeName: string;
  /** Whether sessions and secrets outlive this process, so that "30 days" can be promised. */
  readonly outlives: boolean;
  /** Where a cookie store's ended sessions are listed; a server-side store ends them itself. */
  readonly revocations: Revocations | undefined;
}

/** The settings of a demo on a store. */
export function demoSettings(
  keys: DemoKeys,
  store: AnySessionStore,
  storeName: string,
  outlives = false,
): DemoSettings {
  // One process; several of them would follow a log in Redis, PostgreSQL or SQLite.
  const revocations = "sealed" in store ? memoryRevocations() : undefined;
  return { keys, store, storeName, outlives, revocations };
}

/** The configuration of one site: its cookie's name, and the path that the cookie is for. */
export function siteConfig(settings: DemoSettings, name: string, path: string): SessionConfig {
  const { keys, revocations, store } = settings;
  return {
    name,
    path,
    store,
    ...("sealed" in store ? { revocations } : { signingKey: keys.signingKey }),
    cookieExpires: 0,
    sessionExpires: REMEMBERED,
    absoluteExpires: ABSOLUTE_TIMEOUT,
    httpOnly: true,
    // Plain http on this machine, https everywhere else.
    secure: "auto",
    on: observers,
  };
}
