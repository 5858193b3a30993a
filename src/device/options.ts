// The options of deviceBinding, and their checks against the configuration.
import { fail, flag, oneOf, option, type Reader, readOptions, text } from "../base/options.ts";
import { MAX_COOKIE_AGE, tooLong } from "../base/time.ts";
import type { CookieAttributes } from "../cookie/attributes.ts";
import type { DerivingRing } from "../crypto/keyring.ts";
import type { DeviceConfig } from "../engine/device.ts";
import { isSealed } from "../store/contract.ts";

/** Options of `deviceBinding`. */
export interface DeviceBindingOptions {
  /**
   * The path at which browsers register and refresh, below the cookie's path. Default "/session/device" below
   * it.
   */
  readonly path?: string | undefined;
  /** The lifetime of a device cookie, in seconds, at least 60; 300 is recommended. Default 600. */
  readonly refreshSeconds?: number | undefined;
  /**
   * A bound session whose request doesn't come from its device: "closed", it reads as empty and is read-only;
   * "report", only observers and `session.device` show it. Default "closed".
   */
  readonly stale?: "closed" | "report" | undefined;
  /** Path prefixes whose requests browsers send without waiting for a refresh: "/assets". Default none. */
  readonly exclude?: readonly string[] | undefined;
  /** The hosts whose pages may start a refresh by a link, "*" for all: `allowed_refresh_initiators`. Default all. */
  readonly refreshFrom?: readonly string[] | undefined;
  /**
   * True: over a cookie store without `revocations`, accepts that a copy of a cookie from before the binding
   * stays usable to its end. Default false.
   */
  readonly acceptUnboundCopies?: boolean | undefined;
}

/** The options, checked by themselves. */
export interface DeviceOptions {
  readonly path: string | undefined;
  readonly refreshSeconds: number;
  readonly stale: "closed" | "report";
  readonly exclude: readonly string[];
  readonly refreshFrom: readonly string[];
  readonly acceptUnboundCopies: boolean;
}

/** The shortest life of a device cookie, in seconds: browsers refresh one at each page in its last two minutes. */
const LEAST_REFRESH = 60;
/** A path as it stands in a request, without what a structured field or a cookie attribute can't hold. */
const PATH = /^\/[!#-:<-[\]-~]*$/;
/** A host as in a URL, with a "*" for any label: the specification's host pattern. */
const HOST = /^(\*|(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?)$/;

/** @throws {ConfigError} ERR_SESSION_CONFIG_FIELD */
export function readDeviceOptions(options: DeviceBindingOptions): DeviceOptions {
  return readOptions(
    "deviceBinding",
    options,
    {
      path: text(undefined),
      refreshSeconds: refresh,
      stale: oneOf(["closed", "report"], "closed"),
      exclude: list("path prefixes that begin with /", isPath, []),
      refreshFrom: list('hosts, or "*" for all', (host) => HOST.test(host), ["*"]),
      acceptUnboundCopies: flag(false),
    },
    "deviceBinding.",
  );
}

/**
 * Checks the options against the configuration; gives the path.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function checkFit(options: DeviceOptions, config: DeviceConfig): string {
  const { cookie, store, revocations } = config;
  if (cookie.partitioned)
    fail(
      "partitioned",
      "and deviceBinding can't both be given: browsers bind no partitioned cookie",
    );
  if (cookie.domain !== undefined) {
    fail("domain", "and deviceBinding can't both be given yet: a session is bound on one host");
  }
  if (cookie.secure === false)
    fail("secure", "must be true with deviceBinding: browsers bind over https only");
  const isOpenToCopies = isSealed(store) && revocations === undefined && options.stale === "closed";
  if (isOpenToCopies && !options.acceptUnboundCopies) {
    fail(
      "deviceBinding",
      "over a cookie store needs revocations, since a copy of a cookie from before the binding stays usable to " +
        "its end; give revocations, or acceptUnboundCopies: true if you accept that",
    );
  }
  return pathWithin(options.path, cookie);
}

/**
 * The ring of the configuration's secrets.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function ringOf({ store, signing }: DeviceConfig): DerivingRing {
  const ring = isSealed(store) ? store.ring : signing;
  return (
    ring ?? fail("deviceBinding", "needs a store with a ring of secrets, and this one has none")
  );
}

function pathWithin(path: string | undefined, cookie: CookieAttributes): string {
  const base = cookie.path.endsWith("/") ? cookie.path : `${cookie.path}/`;
  const own = path ?? `${base}session/device`;
  if (!isPath(own) || !isSentAsIs(own)) {
    fail(
      "deviceBinding.path",
      "must be a path as browsers send it: it begins with one /, and has no query, no space, no quotes, no " +
        'semicolon, no "." or ".." between its slashes, and nothing else that browsers would encode',
    );
  }
  if (own.startsWith(base) && own.length > base.length) return own;
  return fail(
    "deviceBinding.path",
    `must be below the cookie's path ${cookie.path}, or browsers don't send the cookie there`,
  );
}

/** True for a path that URLs have as it is written (WHATWG URL section 4.4): no request is for any other. */
function isSentAsIs(path: string): boolean {
  // Two slashes begin the name of a host.
  return !path.startsWith("//") && new URL(`https://host${path}`).pathname === path;
}

function isPath(path: string): boolean {
  return PATH.test(path);
}

const refresh: Reader<number> = (value, field) => {
  const read = option<number, number>(
    `a whole number of seconds, at least ${LEAST_REFRESH}`,
    (one) => Number.isInteger(one) && (one as number) >= LEAST_REFRESH,
    600,
  );
  const span = read(value, field);
  if (span <= MAX_COOKIE_AGE) return span;
  return fail(field, tooLong(span, MAX_COOKIE_AGE, "400 days, as long as browsers keep a cookie"));
};

function list(
  what: string,
  isRight: (one: string) => boolean,
  fallback: readonly string[],
): Reader<readonly string[]> {
  const isList = (value: unknown): boolean =>
    Array.isArray(value) && value.every((one: unknown) => typeof one === "string" && isRight(one));
  return option(`an array of ${what}`, isList, fallback);
}
