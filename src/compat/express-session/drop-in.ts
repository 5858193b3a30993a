// One configured drop-in: its options, and the engine that opens and saves its sessions by express-session's
// rules.
import { createHmacSha256, randomBytes } from "#crypto";
import type { Awaitable } from "../../base/awaitable.ts";
import { UsageError } from "../../errors.ts";
import { notify, type RefusedReason } from "../../events.ts";
import { SessionMiddleware } from "../../session/middleware.ts";
import type { Session as KeptSession } from "../../session/session.ts";
import type { SessionStore } from "../../store/contract.ts";
import type { ExpressSessionStore } from "../../stores/express/calls.ts";
import type { Signer } from "../express-cookie.ts";
import { parseJson } from "../reader.ts";
import type { CookieData, CookieOptions } from "./cookie-options.ts";
import { Cookie } from "./cookie.ts";
import {
  checkSid,
  type Keeping,
  ourKeeping,
  randomSid,
  SidDialect,
  theirKeeping,
} from "./dialect.ts";
import { MemoryStore } from "./memory-store.ts";
import { type CheckedSessionOptions, isOurs, signersOf } from "./options.ts";
import { isSecure, pairOf, parserSecret, type SessionRequest } from "./request.ts";
import { rowStore } from "./row-store.ts";
import { cookieOf } from "./store.ts";

/** Limits that only `maxSessionBytes` is the measure of. */
const NO_LIMIT = 2 ** 32;
const KEY_BYTES = 32;

/** A configured drop-in. */
export class DropIn {
  readonly options: CheckedSessionOptions;
  readonly engine: SessionMiddleware;
  readonly #keeping: Keeping;
  /** Signs what leads from here to here. */
  readonly #signer: Signer = { sign: createHmacSha256(randomBytes(KEY_BYTES)) };
  /** The signers of cookie-parser's secret, as last seen. */
  #parsers: { readonly secret: string; readonly signers: readonly Signer[] } | undefined;

  /** @throws {ConfigError} */
  constructor(options: CheckedSessionOptions) {
    const { genid, name, store, on, maxSessionBytes, storeTimeout } = options;
    this.options = options;
    this.#keeping = isOurs(store) ? ourKeeping : theirKeeping;
    this.engine = new SessionMiddleware({
      name,
      store: engineStore(store, genid === undefined),
      // Signs nothing: the dialect's format of the credential is in its place.
      signingKey: Buffer.from(randomBytes(KEY_BYTES)).toString("base64"),
      sessionExpires: -1,
      secure: false,
      maxKeyBytes: NO_LIMIT,
      maxKeys: NO_LIMIT,
      maxSessionBytes,
      storeTimeout,
      on,
    });
  }

  /**
   * The secrets of a request.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE when there are none.
   */
  secretsOf(request: SessionRequest): readonly Signer[] {
    const { secrets } = this.options;
    if (secrets !== undefined) return secrets;
    const secret = parserSecret(request);
    if (secret === undefined) {
      const message = "secret option required for sessions: a random string, or a list of several";
      throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
    }
    if (this.#parsers?.secret !== secret) {
      this.#parsers = { secret, signers: signersOf(secret, "req.secret") };
    }
    return this.#parsers.signers;
  }

  /** The rules of a request: its cookies by its secrets, new sids by `genid`. */
  dialectFor(request: SessionRequest, secrets: readonly Signer[]): SidDialect {
    return new SidDialect(this.#keeping, secrets, () => this.newSid(request));
  }

  /** @throws {UsageError} ERR_SESSION_USAGE_TYPE when `genid` gives no sid, and what it throws. */
  newSid(request: SessionRequest): string {
    const { genid } = this.options;
    return genid === undefined ? randomSid() : checkSid(genid(request));
  }

  /** The session that a Cookie header stands for. */
  open(header: string, dialect: SidDialect): Awaitable<KeptSession> {
    return this.engine.open(header, undefined, dialect);
  }

  /** The session of a sid; where there is none, a new one that would get this sid. */
  openSid(sid: string): Awaitable<KeptSession> {
    const dialect = new SidDialect(this.#keeping, [this.#signer], () => sid);
    return this.open(pairOf(this.options.name, dialect.signed(sid)), dialect);
  }

  /** Tells observers of a change that isn't saved. */
  refuse({ id }: KeptSession, reason: RefusedReason): void {
    notify(this.options.on ?? {}, "refused", { id, reason });
  }

  /** Tells observers of newer values that a change has overwritten. */
  noteOverwritten({ id }: KeptSession, keys: readonly string[]): void {
    if (keys.length > 0) notify(this.options.on ?? {}, "overwritten", { id, keys });
  }

  /** The attributes of a request's cookie. */
  cookieOptions(request: SessionRequest): CookieOptions {
    const { cookie } = this.options;
    if (typeof cookie !== "function") return cookie;
    const given: unknown = cookie(request);
    if (typeof given === "object" && given !== null) return given;
    const message = "cookie, a function, must give an object with the cookie's attributes at once";
    throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
  }

  /** The cookie of a stored session; a text that is none of a cookie gives a new one. */
  storedCookie(request: SessionRequest, { expiresAt }: KeptSession, text?: string): Cookie {
    const data = parseJson(text);
    if (typeof data !== "object" || data === null) return this.newCookie(request);
    const { originalMaxAge } = data as Partial<CookieData>;
    // The store knows the end better than the text, which a renewal leaves as it is.
    return cookieOf(data, typeof originalMaxAge === "number" ? expiresAt : undefined);
  }

  /** A new session's cookie. */
  newCookie(request: SessionRequest): Cookie {
    const cookie = new Cookie(this.cookieOptions(request));
    const secure = isSecure(request, this.options.proxy);
    if (cookie.secure === "auto") cookie.secure = secure;
    if (cookie.sameSite === "auto") cookie.sameSite = secure ? "none" : "lax";
    return cookie;
  }
}

function engineStore(store: SessionStore | ExpressSessionStore, freshSids: boolean): SessionStore {
  if (isOurs(store)) return store;
  // Nobody else has a memory store's sessions.
  return rowStore(store, { acceptRaces: store instanceof MemoryStore, freshSids });
}
