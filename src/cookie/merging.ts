// The interface between a cookie store and its merging half. That half is in src/merge, an entry point
// of its own; only its types are here.
import type {
  Cookie,
  OpenedSession,
  SealedChange,
  SealedContext,
  SealedRemains,
  SealedWrite,
} from "../store/contract.ts";
import type { RejectedReason } from "../events.ts";
import type { CookieKeyring } from "../crypto/keyring.ts";
import type { SessionPayload } from "../crypto/payload.ts";

/** The merging half of cookie stores, made by `mergingCookies()` of kocha-session/merge. */
export interface Merging {
  /** The most bytes of keys and values in a session. */
  readonly maxSessionBytes: number;
  /**
   * The merging half of one store.
   * @param verifiedBytes - the most bytes of memory for remembered cookies.
   * @internal
   */
  readonly create: (ring: CookieKeyring, verifiedBytes: number) => MergingHalf;
}

/** True for a value of `mergingCookies()`. */
export function isMerging(value: unknown): value is Merging {
  return typeof (value as Partial<Merging> | null)?.create === "function";
}

/** The newest sessions in whole cookies, as opposed to parts: a live one, and one in its grace. */
export interface WholeSessions {
  readonly best: SessionPayload | undefined;
  readonly inGrace: SessionPayload | undefined;
}

/** The merging half of one store. Parts that it opens are opaque to the store. */
export interface MergingHalf {
  /**
   * Opens a cookie that has the name of a part; undefined for any other name.
   * @param latest - Unix milliseconds; a session that was created later is of the future.
   * @returns the part, or the reason of its rejection.
   */
  open(cookie: Cookie, context: SealedContext, latest: number): object | RejectedReason | undefined;
  /**
   * The session that the request's cookies make together.
   * @param rejected - gets the reasons for cookies of ours that don't count.
   */
  join(
    seen: readonly object[],
    whole: WholeSessions,
    names: readonly string[],
    now: number,
    rejected: RejectedReason[],
  ): OpenedSession | undefined;
  /**
   * The request's other sessions, which a logout ends too.
   * @param wholes - those in whole cookies.
   */
  endable(
    wholes: readonly SessionPayload[],
    seen: readonly object[],
    now: number,
    openedId: string | undefined,
  ): readonly OpenedSession[];
  /** The remains of a request's cookies without a live session. */
  remains(remains: SealedRemains, seen: readonly object[]): SealedRemains;
  /**
   * The cookies of the session with the change applied; undefined: it is refused.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE
   */
  write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
    context: SealedContext,
  ): SealedWrite | undefined;
}
