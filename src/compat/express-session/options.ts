// The options of express-session 1.19 under their names, checked, and a few of ours.
import { createHmacSha256 } from "#crypto";
import {
  callback,
  count,
  flag,
  hasMethods,
  fail,
  mustBe,
  oneOf,
  type Reader,
  readOptions,
  seconds,
  text,
  unchecked,
} from "../../base/options.ts";
import { warnOnce } from "../../base/warning.ts";
import { isCookieName } from "../../cookie/attributes.ts";
import type { SessionObservers } from "../../events.ts";
import type { SessionStore } from "../../store/contract.ts";
import { DEFAULT_NAME, type Signer } from "../express-cookie.ts";
import { checkSecrets } from "../options.ts";
import type { CookieOptions } from "./cookie-options.ts";
import { Cookie } from "./cookie.ts";
import { MemoryStore } from "./memory-store.ts";
import type { ExpressSessionStore } from "../../stores/express/calls.ts";

/** A secret, or several: the first signs, all are accepted. */
type Secrets = string | Uint8Array | readonly (string | Uint8Array)[];

// A method's parameter may be narrower than the declared one, as Express' own request is.
/** Gives the cookie's attributes for a request. */
type AskCookie = { ask(request: object): CookieOptions }["ask"];

/** The options of express-session, and `on`, `maxSessionBytes` and `storeTimeout`. */
export interface SessionOptions {
  /** The cookie's attributes, or a function that gives them for a request. */
  cookie?: CookieOptions | AskCookie | undefined;
  /** Gives a new session's id. Default: 24 random bytes in base64url. */
  genid?(request: object): string;
  /** The cookie's name. Default "connect.sid". */
  name?: string | undefined;
  /** The older name of `name`. */
  key?: string | undefined;
  /** True: X-Forwarded-Proto counts; false: only a socket with TLS is secure. Default: `req.secure`. */
  proxy?: boolean | undefined;
  /** Accepted and of no effect: an unchanged session is renewed, and never written. */
  resave?: boolean | undefined;
  /** True: each response of a session carries its cookie. Default false. */
  rolling?: boolean | undefined;
  /** True: a new session is stored even if nothing is in it. Default true. */
  saveUninitialized?: boolean | undefined;
  /** The secret, or a list: the first signs, all are accepted. Default: what cookie-parser was given. */
  secret?: Secrets | undefined;
  /** A store of ours, or one for express-session. Default: a `MemoryStore`. */
  store?: SessionStore | ExpressSessionStore | undefined;
  /** The consequence of `req.session = null` and `delete req.session`. Default "keep". */
  unset?: "destroy" | "keep" | undefined;
  /** Observers of the sessions' events. Default none. */
  on?: SessionObservers | undefined;
  /** All keys and values together, in bytes of UTF-8. Default 1048576, 1 MiB. */
  maxSessionBytes?: number | undefined;
  /** The time limit of one call of the store, in seconds, at most 60. Default 10. */
  storeTimeout?: number | undefined;
}

const MAX_BYTES = 1_048_576;
const STORE_TIMEOUT = 10;
const MOST_SECONDS = 60;
/** express-session asks for this much entropy. */
const LONG_SECRET = 32;

/** The options, checked and complete. */
export interface CheckedSessionOptions {
  readonly cookie: CookieOptions | AskCookie;
  readonly genid: ((request: object) => string) | undefined;
  readonly name: string;
  readonly proxy: boolean | undefined;
  readonly rolling: boolean;
  readonly saveUninitialized: boolean;
  /** Undefined: cookie-parser's secret of each request. */
  readonly secrets: readonly Signer[] | undefined;
  readonly store: SessionStore | ExpressSessionStore;
  readonly unset: "destroy" | "keep";
  readonly on: SessionObservers | undefined;
  readonly maxSessionBytes: number;
  readonly storeTimeout: number;
}

/**
 * The options, read as express-session reads them: what is falsy is absent.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD, _KEY, _COOKIE or _STORE
 */
export function checkSessionOptions(options: SessionOptions): CheckedSessionOptions {
  const read = readOptions("session", options, {
    cookie: falsy(checkCookie),
    genid: falsy(callback<NonNullable<SessionOptions["genid"]>>()),
    name: falsy(cookieName),
    key: falsy(cookieName),
    proxy: nullish(oneOf([true, false], undefined)),
    resave: nullish(flag(true)),
    rolling: nullish(flag(false)),
    saveUninitialized: nullish(flag(true)),
    secret: falsy(readSecrets),
    store: falsy(checkStore),
    unset: falsy(oneOf(["destroy", "keep"], "keep")),
    // The engine checks them.
    on: unchecked,
    maxSessionBytes: count(MAX_BYTES),
    storeTimeout: seconds(STORE_TIMEOUT, MOST_SECONDS, "a minute, since no client waits longer"),
  });
  return {
    ...read,
    name: read.name ?? read.key ?? DEFAULT_NAME,
    secrets: read.secret,
    store: read.store ?? new MemoryStore(),
    on: options.on,
  };
}

/** As express-session, which takes each falsy value for an absent one. */
function falsy<Value>(read: Reader<Value>): Reader<Value> {
  return (value, field) => read(value || undefined, field);
}

function nullish<Value>(read: Reader<Value>): Reader<Value> {
  return (value, field) => read(value ?? undefined, field);
}

const string: Reader<string | undefined> = text(undefined);

function cookieName(value: unknown, field: string): string | undefined {
  const name = string(value, field);
  if (name === undefined || isCookieName(name)) return name;
  return mustBe(
    field,
    "a cookie name: letters, digits, - and _",
    name,
    "ERR_SESSION_CONFIG_COOKIE",
  );
}

function checkCookie(value: unknown, field: string): CookieOptions | AskCookie {
  if (typeof value === "function") return value as AskCookie;
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) {
    return mustBe(field, "an object with the cookie's attributes, or a function", value);
  }
  try {
    // What no cookie can have is told now, not at the first request.
    const cookie = new Cookie(value);
    if (cookie.sameSite === "auto") cookie.sameSite = "lax";
    cookie.serialize(DEFAULT_NAME, "");
  } catch (error) {
    // The page of the new error takes the place of this one's.
    fail(field, (error as Error).message.replace(/ \(see [^)]+\)$/, ""));
  }
  return value;
}

function checkStore(value: unknown, field: string): SessionStore | ExpressSessionStore | undefined {
  if (value === undefined) return undefined;
  if (isOurs(value) || hasMethods(value, "get", "set", "destroy")) return value as SessionStore;
  const what = "a server-side store of ours, or one for express-session";
  return mustBe(field, what, value, "ERR_SESSION_CONFIG_STORE");
}

/** True for a server-side store of ours. */
export function isOurs(store: unknown): store is SessionStore {
  return hasMethods(store, "load", "save");
}

/** The secrets, ready to sign; undefined: none is configured. */
function readSecrets(value: unknown, field: string): readonly Signer[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length === 0) {
    fail(field, "the secret option array must hold at least one secret", "ERR_SESSION_CONFIG_KEY");
  }
  return signersOf(value, field);
}

/** Secrets, ready to sign. */
export function signersOf(value: unknown, field: string): readonly Signer[] {
  const secrets = checkSecrets(value, field);
  if (secrets.some(({ length }) => length < LONG_SECRET)) {
    warnOnce(
      "KOCHA_SESSION_SHORT_SECRET",
      "express-session",
      `a secret of the session is shorter than ${LONG_SECRET} bytes, so its signatures can be guessed: ` +
        "take 32 random bytes, and keep the old one behind the new one in a list for a while",
    );
  }
  return secrets.map((secret) => ({ sign: createHmacSha256(secret) }));
}
