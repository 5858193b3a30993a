// The rules of one request for the engine: express-session's cookie is the credential, the cookie object of
// the data says how long a session lives, and each request of a stored session renews it.
import { encodeBase64url, randomBytes, sha256 } from "#crypto";
import { DAY } from "../../base/time.ts";
import type { Credential, CredentialFormat, SessionDialect } from "../../engine/dialect.ts";
import { UsageError } from "../../errors.ts";
import { kindOf } from "../../base/text.ts";
import type { RejectedReason } from "../../events.ts";
import { openSid, sealSid, type Signer } from "../express-cookie.ts";
import { bytesOf, parseJson } from "../reader.ts";
import { COOKIE_KEY, idleSecondsOf } from "./row.ts";

/** Random bytes of a sid, as many as express-session takes. */
const SID_BYTES = 24;
const SELECTOR_BYTES = 16;

/** How a store keeps sessions, as far as the rules depend on it. */
export interface Keeping {
  /** The row's id. */
  readonly selectorOf: (sid: string) => string;
  /** The idle timeout of a browser-session cookie, in seconds; undefined: the store's own. */
  readonly browserSession: number | undefined;
}

/** In a store of ours: the row's id tells nobody the sid, and is one whatever `genid` gave. */
export const ourKeeping: Keeping = {
  selectorOf: (sid) => encodeBase64url(sha256(bytesOf(sid)).subarray(0, SELECTOR_BYTES)),
  browserSession: DAY,
};

/** In a store for express-session, whose rows have their sids. */
export const theirKeeping: Keeping = { selectorOf: (sid) => sid, browserSession: undefined };

/** The rules of one request. */
export class SidDialect implements SessionDialect {
  readonly credential: CredentialFormat;
  readonly idleSeconds: (data: ReadonlyMap<string, string>) => number | undefined;
  readonly #sids = new Map<string, string>();
  readonly #keeping: Keeping;
  readonly #secrets: readonly Signer[];

  /**
   * @param secrets - at least one.
   * @param newSid - gives a new session's sid.
   */
  constructor(keeping: Keeping, secrets: readonly Signer[], newSid: () => string) {
    this.#keeping = keeping;
    this.#secrets = secrets;
    this.credential = {
      open: (value) => this.#open(value),
      seal: ({ selector }) => encodeURIComponent(this.signed(this.sidOf(selector))),
      mint: () => this.selectorOf(newSid()),
    };
    this.idleSeconds = (data) => idleSeconds(data, keeping.browserSession);
  }

  renewsNow(): boolean {
    return true;
  }

  /** The sid of a row that this request has opened or minted. */
  sidOf(selector: string): string {
    return this.#sids.get(selector) ?? selector;
  }

  /** A cookie's value for a sid, before its percent-encoding. */
  signed(sid: string): string {
    return sealSid(sid, this.#secrets[0] as Signer);
  }

  #open(value: string): Credential | RejectedReason {
    const opened = openSid(value, this.#secrets);
    if (typeof opened === "string") return opened;
    const selector = this.selectorOf(opened.sid);
    // Whichever secret signed it: express-session sends no cookie anew for that.
    return { selector, generation: 1, issued: 0, current: true };
  }

  /** The row's id of a sid. */
  selectorOf(sid: string): string {
    const selector = this.#keeping.selectorOf(sid);
    this.#sids.set(selector, sid);
    return selector;
  }
}

/** A random sid. */
export function randomSid(): string {
  return encodeBase64url(randomBytes(SID_BYTES));
}

/** @throws {UsageError} ERR_SESSION_USAGE_TYPE when `genid` gave something else. */
export function checkSid(sid: unknown): string {
  if (typeof sid === "string" && sid !== "" && sid.isWellFormed()) return sid;
  const found = typeof sid === "string" ? "this one" : kindOf(sid);
  const message = `genid must give a non-empty, well-formed string at once, not ${found}`;
  throw new UsageError("ERR_SESSION_USAGE_TYPE", message);
}

/** The idle timeout for a session's data. */
function idleSeconds(
  data: ReadonlyMap<string, string>,
  browserSession: number | undefined,
): number | undefined {
  const text = data.get(COOKIE_KEY);
  if (text === undefined) return undefined;
  const { originalMaxAge } = Object(parseJson(text)) as { readonly originalMaxAge?: unknown };
  return idleSecondsOf(originalMaxAge) ?? browserSession;
}
