// The configuration: its fields, its defaults in one table, and the checks that run when it is built. It
// knows no request.
import { type CookieAttributes, checkCookie } from "../cookie/attributes.ts";
import { createSigningKeyring, type SigningKey, type SigningKeyring } from "../crypto/keyring.ts";
import {
  clock,
  count,
  fail,
  flag,
  hasMethods,
  mustBe,
  oneOf,
  option,
  readOptions,
  text,
  unchecked,
} from "../base/options.ts";
import {
  absoluteSeconds,
  cookieSeconds,
  fraction,
  idleSeconds,
  timeoutSeconds,
} from "./config-fields.ts";
import type { DeviceBinding } from "./device.ts";
import type { ForeignSessions } from "./foreign.ts";
import { disown, isThenable } from "../base/awaitable.ts";
import { SECOND } from "../base/time.ts";
import type { SessionObservers } from "../events.ts";
import { resolveObservers } from "./observers.ts";
import type { Revocations } from "../revocations/revocations.ts";
import { type CallsInFlight, callsInFlightOf } from "../store/calls-in-flight.ts";
import { isSealed, type SessionStore, type AnySessionStore } from "../store/contract.ts";

/** The configuration of sessions and their cookie. Times are in seconds, sizes in bytes. */
export interface SessionConfig {
  /** The cookie's name. Default "session". */
  readonly name?: string | undefined;
  /** The store of the sessions: `new SessionCookieStore({ … })`, or a server-side store. */
  readonly store: AnySessionStore;
  /** The cookie's lifetime, seconds from now; -1: persistent; 0: a browser-session cookie. Default 0. */
  readonly cookieExpires?: number | undefined;
  /** The idle timeout, seconds from the last renewal; -1: none; 0: follows `cookieExpires`, else a day. Default 0. */
  readonly sessionExpires?: number | undefined;
  /** True: scripts in the page can't read the cookie. Default true. */
  readonly httpOnly?: boolean | undefined;
  /** The absolute timeout, seconds since creation, never extended. Default none. */
  readonly absoluteExpires?: number | undefined;
  /** The part of the idle timeout that passes before a renewal, 0 to 1. Default 0.1. */
  readonly renewAfter?: number | undefined;
  /** The list of revocations, for a cookie store: `redisRevocations({ … })` or another. Default none. */
  readonly revocations?: Revocations | undefined;
  /**
   * Another library's sessions on a server, which become rows of a server-side store: `expressSessions({ … })`.
   * A cookie store has an option of this name for cookies. Default none.
   */
  readonly migrateFrom?: ForeignSessions | undefined;
  /** Binds sessions to the devices of their browsers: `deviceBinding({ … })`. Default none. */
  readonly deviceBinding?: DeviceBinding | undefined;
  /** Signs the tickets of server-side stores: 32 random bytes in base64. */
  readonly signingKey?: string | undefined;
  /** The ring of server-side stores, in place of `signingKey`: the first secret that may sign does, all are accepted. */
  readonly keys?: readonly SigningKey[] | undefined;
  /** The cookie's Path. Default "/". */
  readonly path?: string | undefined;
  /** The cookie's Domain. Default none: only this host. */
  readonly domain?: string | undefined;
  /** The cookie's SameSite. Default "lax". */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** True: the cookie is partitioned by the top-level site (CHIPS). Default false. */
  readonly partitioned?: boolean | undefined;
  /** The cookie's Priority, for browsers that know it. Default none. */
  readonly priority?: "low" | "medium" | "high" | undefined;
  /** True: the cookie is only for https; "auto": except on a plain-http loopback connection. Default true. */
  readonly secure?: boolean | "auto" | undefined;
  /** The responses with `Vary: Cookie`: "auto", those of requests that looked at the session; "always", all. Default "auto". */
  readonly vary?: "auto" | "always" | undefined;
  /** The time limit of one call of the store, in seconds, at most 60. Default 1. */
  readonly storeTimeout?: number | undefined;
  /** The result of a load that failed: "fail", the host's error path with 503, or "anonymous", a read-only session. Default "fail". */
  readonly onStoreError?: "fail" | "anonymous" | undefined;
  /** The longest key, in bytes of UTF-8. Default 256. */
  readonly maxKeyBytes?: number | undefined;
  /** The most keys in a session. Default 1000. */
  readonly maxKeys?: number | undefined;
  /** All keys and values together, in bytes of UTF-8. Default 65536. */
  readonly maxSessionBytes?: number | undefined;
  /** The observers of the sessions' events, one or several. Default none. */
  readonly on?: SessionObservers | readonly (SessionObservers | undefined)[] | undefined;
  /** The clock, for tests: Unix milliseconds. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

// A method's parameter may be narrower than `unknown`: the function declares the type that it expects.
/**
 * Returns a configuration, not a promise, at the first request, so that a module can be imported where
 * secrets and clients aren't known yet.
 *
 * The argument is the host's environment of the request (`env` on Workers); undefined where the host has
 * none.
 */
export type SessionConfigFunction = { ask(env: unknown): SessionConfig }["ask"];

/**
 * The configuration that a function gives.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD for a promise or nothing; and what the function throws.
 */
export function askForConfig(ask: SessionConfigFunction, env: unknown): SessionConfig {
  const config: unknown = ask(env);
  const isLater = isThenable(config);
  if (config !== undefined && !isLater) return config as SessionConfig;
  if (isLater) disown(config);
  const what = isLater ? "a promise: await what it needs before" : "nothing";
  return fail("config", `must be given at once, and the function gave ${what}`);
}

/** All defaults; a test compares the documentation's table with them. */
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

/** The configuration, checked, complete and frozen. */
export interface ResolvedConfig {
  readonly name: string;
  readonly store: AnySessionStore;
  readonly cookieExpires: number;
  readonly sessionExpires: number;
  /** Seconds; Infinity: none. */
  readonly absoluteExpires: number;
  readonly renewAfter: number;
  readonly cookie: CookieAttributes;
  /** Undefined with a sealed store, which has secrets of its own. */
  readonly signing: SigningKeyring | undefined;
  readonly revocations: Revocations | undefined;
  readonly migrateFrom: ForeignSessions | undefined;
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

/** The configuration of a server-side store. */
export interface TicketedConfig extends ResolvedConfig {
  readonly store: SessionStore;
  readonly signing: SigningKeyring;
}

/**
 * Checks a configuration and fills in the defaults.
 * @throws {ConfigError} with the field's name and the way out.
 */
export function resolveConfig(config: SessionConfig): ResolvedConfig {
  const read = readOptions("the configuration", config, {
    store: checkStore,
    name: text(configDefaults.name),
    cookieExpires: cookieSeconds(configDefaults.cookieExpires),
    sessionExpires: idleSeconds(configDefaults.sessionExpires),
    absoluteExpires: absoluteSeconds(),
    renewAfter: fraction(configDefaults.renewAfter),
    revocations: unchecked,
    migrateFrom: unchecked,
    deviceBinding: option<DeviceBinding, undefined>(
      "what deviceBinding({ … }) gives",
      (value) => hasMethods(value, "bindTo"),
      undefined,
    ),
    signingKey: unchecked,
    keys: unchecked,
    path: text(configDefaults.path),
    domain: text(undefined),
    httpOnly: flag(configDefaults.httpOnly),
    secure: oneOf([true, false, "auto"], configDefaults.secure),
    sameSite: oneOf(["lax", "strict", "none"], configDefaults.sameSite),
    partitioned: flag(configDefaults.partitioned),
    priority: oneOf(["low", "medium", "high"], undefined),
    vary: oneOf(["auto", "always"], configDefaults.vary),
    storeTimeout: timeoutSeconds(configDefaults.storeTimeout),
    onStoreError: oneOf(["fail", "anonymous"], configDefaults.onStoreError),
    maxKeyBytes: count(configDefaults.maxKeyBytes),
    maxKeys: count(configDefaults.maxKeys),
    maxSessionBytes: unchecked,
    on: resolveObservers,
    now: clock(),
  });
  const { store, name, cookieExpires, sessionExpires, absoluteExpires } = read;
  const { path, domain, httpOnly, secure, sameSite, partitioned, priority } = read;
  const cookie = { path, domain, httpOnly, secure, sameSite, partitioned, priority };
  checkCookie(name, cookie);
  const storeTimeoutMs = read.storeTimeout * SECOND;
  const resolved = Object.freeze({
    name,
    store,
    cookie: Object.freeze(cookie),
    cookieExpires,
    sessionExpires,
    absoluteExpires,
    renewAfter: read.renewAfter,
    signing: signingRing(config, store),
    revocations: checkRevocations(config.revocations, store),
    migrateFrom: checkMigration(config.migrateFrom, store),
    vary: read.vary,
    storeTimeoutMs,
    inFlight: callsInFlightOf(store),
    onStoreError: read.onStoreError,
    maxKeyBytes: read.maxKeyBytes,
    maxKeys: read.maxKeys,
    maxSessionBytes: sessionBytes(config, store),
    on: read.on,
    now: read.now,
  });
  const { revocations } = resolved;
  if (!isSealed(store)) store.answerWithin?.(storeTimeoutMs);
  revocations?.cover({
    // Only a configured timeout holds for every session; otherwise it follows the cookie's lifetime, which
    // a session may choose.
    idle: sessionExpires > 0 ? sessionExpires * SECOND : Infinity,
    absolute: absoluteExpires * SECOND,
    timeout: storeTimeoutMs,
  });
  return resolved;
}

function checkStore(store: unknown): AnySessionStore {
  const isSealing = Object(store).sealed === true;
  const methods = isSealing ? (["open", "write"] as const) : (["load", "save"] as const);
  if (hasMethods(store, ...methods)) return store as AnySessionStore;
  const what = `a store with the methods ${methods.join(" and ")}, such as ${storeInstead(store)}`;
  return mustBe("store", what, store, "ERR_SESSION_CONFIG_STORE");
}

function storeInstead(given: unknown): string {
  return hasMethods(given, "get", "set")
    ? "fromExpressStore(…) of kocha-session/express-store makes of one for express-session"
    : "new SessionCookieStore({ secretKey, signingKey })";
}

function signingRing(config: SessionConfig, store: AnySessionStore): SigningKeyring | undefined {
  if (!isSealed(store)) return createSigningKeyring(config);
  for (const field of ["signingKey", "keys"] as const) {
    if (config[field] !== undefined) {
      fail(field, "belongs to the cookie store, which has keys of its own; pass it there");
    }
  }
  return undefined;
}

function checkRevocations(value: unknown, store: AnySessionStore): Revocations | undefined {
  if (value === undefined) return undefined;
  if (!isSealed(store)) {
    fail(
      "revocations",
      "belongs with a cookie store; a server-side store ends sessions itself, by destroy and destroyAll",
    );
  }
  if (hasMethods(value, "cover")) return value as Revocations;
  return mustBe("revocations", "what memoryRevocations() gives", value);
}

function checkMigration(value: unknown, store: AnySessionStore): ForeignSessions | undefined {
  if (value === undefined) return undefined;
  if (isSealed(store)) fail("migrateFrom", "of cookies belongs to the cookie store; pass it there");
  if (store.forRequest !== undefined) {
    fail(
      "migrateFrom",
      "needs a store that serves all requests, and perRequest makes one for each",
    );
  }
  if (hasMethods(value, "takeOver")) return value as ForeignSessions;
  return mustBe("migrateFrom", "what expressSessions({ … }) gives", value);
}

/** The store's own limit, where it has one, is the most that may be asked for. */
function sessionBytes(config: SessionConfig, store: AnySessionStore): number {
  const most = isSealed(store) ? (store.maxSessionBytes ?? Infinity) : Infinity;
  const read = count(Math.min(configDefaults.maxSessionBytes, most));
  const bytes = read(config.maxSessionBytes, "maxSessionBytes");
  if (bytes > most) fail("maxSessionBytes", `must be at most ${most}, this store's own limit`);
  return bytes;
}
