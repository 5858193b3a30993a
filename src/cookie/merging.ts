// What a cookie store asks of the half that merges cookies. That half is in src/merge, which only a
// user who merges imports: here are its types, and none of its rules.
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

/** What `mergingCookies()` of kocha-session/merge gives. */
export interface Merging {
  /** The most bytes of keys and values in a session. */
  readonly maxSessionBytes: number;
  /**
   * The merging half of one store.
   * @param verifiedBytes - the most bytes of memory that opened cookies may take.
   * @internal
   */
  readonly create: (ring: CookieKeyring, verifiedBytes: number) => MergingHalf;
}

/** Whether a value is what `mergingCookies()` gives. */
export function isMerging(value: unknown): value is Merging {
  return typeof (value as Partial<Merging> | null)?.create === "function";
}

/** The newest sessions of cookies that are no parts: one that lives, and one in its grace. */
export interface WholeSessions {
  readonly best: SessionPayload | undefined;
  readonly inGrace: SessionPayload | undefined;
}

/** The merging half of one store. What it `opens` it gets back; the store doesn't look into it. */
export interface MergingHalf {
  /**
   * Opens a cookie that has the name of a part; undefined for any other name.
   * @param latest - Unix milliseconds; a session that was created later is of the future.
   * @returns why not, when it isn't ours.
   */
  open(cookie: Cookie, context: SealedContext, latest: number): object | RejectedReason | undefined;
  /**
   * The session that the request's cookies say together.
   * @param rejected - gets why cookies of ours don't count.
   */
  join(
    seen: readonly object[],
    whole: WholeSessions,
    names: readonly string[],
    now: number,
    rejected: RejectedReason[],
  ): OpenedSession | undefined;
  /**
   * The sessions of a request that a logout ends, beside the one that it gets.
   * @param wholes - such sessions in cookies that are no parts.
   */
  endable(
    wholes: readonly SessionPayload[],
    seen: readonly object[],
    now: number,
    openedId: string | undefined,
  ): readonly OpenedSession[];
  /** What is left of a request's cookies where no session of them lives. */
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
