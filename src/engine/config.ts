// The configuration: what a user writes, its defaults and units in one table, and the checks that
// run when it is built. It knows no request.
import { type CookieAttributes, checkCookie } from "../cookie/attributes.ts";
import { createSigningKeyring, type SigningKey, type SigningKeyring } from "../crypto/keyring.ts";
import { ConfigError } from "../errors.ts";
import {
  absoluteSeconds,
  cookieSeconds,
  count,
  fail,
  flag,
  fraction,
  idleSeconds,
  oneOf,
  text,
  timeoutSeconds,
} from "./config-fields.ts";
import { SECOND } from "../base/time.ts";
import { eventNames, type SessionObservers } from "../events.ts";
import type { Revocations } from "../revocations/revocations.ts";
import { type CallsInFlight, callsInFlightOf } from "../store/calls-in-flight.ts";
import { isSealed, type SessionStore } from "../store/contract.ts";
import { kindOf } from "../base/text.ts";

/** How sessions are kept and how their cookie looks. Times are in seconds, sizes in bytes. */
export interface SessionConfig {
  /** The cookie's name. Default "session". */
  readonly name?: string | undefined;
  /** Where sessions are kept: `new SessionCookieStore({ … })`, or a server-side store. */
  readonly store: SessionStore;
  /** The cookie's lifetime, seconds from now; -1: persistent; 0: a browser-session cookie. Default 0. */
  readonly cookieExpires?: number | undefined;
  /** The idle timeout, seconds from the last renewal; -1: none; 0: follows `cookieExpires`, else a day. Default 0. */
  readonly sessionExpires?: number | undefined;
  /** Whether scripts in the page are kept from the cookie. Default true. */
  readonly httpOnly?: boolean | undefined;
  /** The absolute timeout, seconds since creation, never extended. Default none. */
  readonly absoluteExpires?: number | undefined;
  /** The part of the idle window that is used up before a renewal, 0 to 1. Default 0.1. */
  readonly renewAfter?: number | undefined;
  /** The list of the revoked, for a cookie store: `redisRevocations({ … })` or another. Default none. */
  readonly revocations?: Revocations | undefined;
  /** Signs the keys of server-side stores: 32 random bytes in base64. */
  readonly signingKey?: string | undefined;
  /** The key ring of server-side stores, instead of `signingKey`: the first that signs signs, all are accepted. */
  readonly keys?: readonly SigningKey[] | undefined;
  /** The cookie's Path. Default "/". */
  readonly path?: string | undefined;
  /** The cookie's Domain. Default none: only this host. */
  readonly domain?: string | undefined;
  /** The cookie's SameSite. Default "lax". */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** Whether the cookie is partitioned by the top-level site (CHIPS). Default false. */
  readonly partitioned?: boolean | undefined;
  /** The cookie's Priority, where browsers know it. Default none. */
  readonly priority?: "low" | "medium" | "high" | undefined;
  /** Whether the cookie is only for https; "auto": not on a plain-http loopback connection. Default true. */
  readonly secure?: boolean | "auto" | undefined;
  /** Which responses get `Vary: Cookie`: "auto", those of requests that looked at the session; "always", all of them. Default "auto". */
  readonly vary?: "auto" | "always" | undefined;
  /** How long the store may take for one answer, in seconds, at most 60. Default 1. */
  readonly storeTimeout?: number | undefined;
  /** What a request gets when the session can't be loaded: "fail", the host's error path with 503, or "anonymous", a read-only session. Default "fail". */
  readonly onStoreError?: "fail" | "anonymous" | undefined;
  /** The longest key, in bytes of UTF-8. Default 256. */
  readonly maxKeyBytes?: number | undefined;
  /** The most keys in a session. Default 1000. */
  readonly maxKeys?: number | undefined;
  /** All keys and values together, in bytes of UTF-8. Default 65536. */
  readonly maxSessionBytes?: number | undefined;
  /** Observers of what happens to sessions. Default none. */
  readonly on?: SessionObservers | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** Every default in one place; the documentation's table is compared with it. */
export const configDefaults = {
  name: "session",
  cookieExpires: 0,
  sessionExpires: 0,
  httpOnly: true,
  renewAfter: 0.1,
  path: "/",
  sameSite: "lax",
  partitioned: false,
  secure: true,
  vary: "auto",
  storeTimeout: 1,
  onStoreError: "fail",
  maxKeyBytes: 256,
  maxKeys: 1000,
  maxSessionBytes: 65_536,
} as const;

const fieldNames = [
  ...Object.keys(configDefaults),
  "store",
  "absoluteExpires",
  "revocations",
  "signingKey",
  "keys",
  "domain",
  "priority",
  "on",
  "now",
];

/** The configuration, checked, complete and frozen. */
export interface ResolvedConfig {
  readonly name: string;
  readonly store: SessionStore;
  readonly cookieExpires: number;
  readonly sessionExpires: number;
  /** Seconds; Infinity: none. */
  readonly absoluteExpires: number;
  readonly renewAfter: number;
  readonly cookie: CookieAttributes;
  /** Absent with a sealed store, which has keys of its own. */
  readonly signing: SigningKeyring | undefined;
  readonly revocations: Revocations | undefined;
  readonly vary: "auto" | "always";
  readonly storeTimeoutMs: number;
  readonly inFlight: CallsInFlight;
  readonly onStoreError: "fail" | "anonymous";
  readonly maxKeyBytes: number;
  readonly maxKeys: number;
  readonly maxSessionBytes: number;
  readonly on: SessionObservers;
  readonly now: () => number;
}

/**
 * Checks a configuration and fills in the defaults.
 * @throws {ConfigError} with the field's name and the way out.
 */
export function resolveConfig(config: SessionConfig): ResolvedConfig {
  if (typeof config !== "object" || config === null) {
    fail("config", `must be an object with at least a store, not ${kindOf(config)}`);
  }
  for (const field of Object.keys(config)) {
    if (!fieldNames.includes(field)) fail(field, unknownField(field));
  }
  const store = checkStore(config.store);
  const name = text(config, "name", configDefaults.name);
  const cookie: CookieAttributes = {
    path: text(config, "path", configDefaults.path),
    domain: config.domain === undefined ? undefined : text(config, "domain", ""),
    sameSite: oneOf(config, "sameSite", ["lax", "strict", "none"], configDefaults.sameSite),
    partitioned: flag(config, "partitioned", configDefaults.partitioned),
    priority:
      config.priority === undefined
        ? undefined
        : oneOf(config, "priority", ["low", "medium", "high"] as const, "medium"),
    httpOnly: flag(config, "httpOnly", configDefaults.httpOnly),
    secure: config.secure === "auto" ? "auto" : flag(config, "secure", configDefaults.secure),
  };
  checkCookie(name, cookie);
  const resolved = Object.freeze({
    name,
    store,
    cookie: Object.freeze(cookie),
    cookieExpires: cookieSeconds(config, configDefaults.cookieExpires),
    sessionExpires: idleSeconds(config, configDefaults.sessionExpires),
    absoluteExpires: absoluteSeconds(config),
    renewAfter: fraction(config, "renewAfter", configDefaults.renewAfter),
    signing: signingRing(config, store),
    revocations: checkRevocations(config.revocations, store),
    vary: oneOf(config, "vary", ["auto", "always"], configDefaults.vary),
    storeTimeoutMs: timeoutSeconds(config, configDefaults.storeTimeout) * 1000,
    inFlight: callsInFlightOf(store),
    onStoreError: oneOf(config, "onStoreError", ["fail", "anonymous"], configDefaults.onStoreError),
    maxKeyBytes: count(config, "maxKeyBytes", configDefaults.maxKeyBytes),
    maxKeys: count(config, "maxKeys", configDefaults.maxKeys),
    maxSessionBytes: sessionBytes(config, store),
    on: checkObservers(config.on),
    now: clock(config.now),
  });
  const { revocations, sessionExpires, absoluteExpires, storeTimeoutMs } = resolved;
  store.answerWithin?.(storeTimeoutMs);
  revocations?.cover({
    // Only a timeout of the configuration's own holds for every session: one may choose its
    // cookie's lifetime, which the idle timeout follows otherwise.
    idle: sessionExpires > 0 ? sessionExpires * SECOND : Infinity,
    absolute: absoluteExpires * SECOND,
    timeout: storeTimeoutMs,
  });
  return resolved;
}

function unknownField(field: string): string {
  const close = fieldNames.find((known) => known.toLowerCase() === field.toLowerCase());
  const hint = close === undefined ? `known are ${fieldNames.join(", ")}` : `did you mean ${close}`;
  return `is not a field of the configuration; ${hint}`;
}

function checkStore(store: unknown): SessionStore {
  const candidate = store as Partial<SessionStore> | null | undefined;
  if (typeof candidate?.load !== "function" || typeof candidate.save !== "function") {
    throw new ConfigError(
      "ERR_SESSION_CONFIG_STORE",
      "store",
      `must have the methods load and save, but is ${kindOf(store)}; ${storeInstead(store)}`,
    );
  }
  return candidate as SessionStore;
}

function storeInstead(given: unknown): string {
  const { get, set } = Object(given) as Record<string, unknown>;
  return typeof get === "function" && typeof set === "function"
    ? "fromExpressStore of kocha-session/express-store takes what was written for express-session"
    : "pass new SessionCookieStore({ secretKey, signingKey }), for example";
}

function signingRing(config: SessionConfig, store: SessionStore): SigningKeyring | undefined {
  if (!isSealed(store)) return createSigningKeyring(config);
  for (const field of ["signingKey", "keys"] as const) {
    if (config[field] !== undefined) {
      fail(field, "belongs to the cookie store, which has keys of its own; pass it there");
    }
  }
  return undefined;
}

function checkRevocations(value: unknown, store: SessionStore): Revocations | undefined {
  if (value === undefined) return undefined;
  if (!isSealed(store)) {
    fail(
      "revocations",
      "belongs with a cookie store; a server-side store ends sessions itself, by destroy and destroyAll",
    );
  }
  const list = value as Revocations | null;
  if (typeof list?.cover === "function") return list;
  return fail("revocations", `must be what memoryRevocations() gives, not ${kindOf(value)}`);
}

/** The store's own limit, where it has one, is the most that may be asked for. */
function sessionBytes(config: SessionConfig, store: SessionStore): number {
  const most = isSealed(store) ? (store.maxSessionBytes ?? Infinity) : Infinity;
  const fallback = Math.min(configDefaults.maxSessionBytes, most);
  const bytes = count(config, "maxSessionBytes", fallback);
  if (bytes > most) fail("maxSessionBytes", `must be at most ${most}, this store's own limit`);
  return bytes;
}

function checkObservers(on: SessionObservers | undefined): SessionObservers {
  if (on === undefined) return {};
  if (typeof on !== "object" || on === null) fail("on", `must be an object, not ${kindOf(on)}`);
  for (const [name, observer] of Object.entries(on)) {
    if (!(eventNames as readonly string[]).includes(name)) {
      fail(`on.${name}`, `is not an event; the events are ${eventNames.join(", ")}`);
    }
    if (observer !== undefined && typeof observer !== "function") {
      fail(`on.${name}`, `must be a function, not ${kindOf(observer)}`);
    }
  }
  return on;
}

function clock(now: unknown): () => number {
  if (now === undefined) return Date.now;
  if (typeof now !== "function") fail("now", `must be a function, not ${kindOf(now)}`);
  return now as () => number;
}
