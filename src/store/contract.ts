// The contract of a store, in numbered clauses that the laws cite. It knows no HTTP, no cookie attribute and
// no framework. A SessionStore gets a selector and a change, never the client's ticket. SealedSessionStore
// names the clauses that hold for it.
//
// S1  `load` gives undefined for an unknown, expired, tampered or malformed session; it throws only when
//     the store itself fails.
// S2  `save` refuses or applies the whole change at once: clear, then del, then set.
// S3  `create` never overwrites a live session; `update` never inserts; `destroy` is never refused.
// S4  An update applies only if its `rev` is the stored one.
// S5  clear, bump, meta and subject raise `rev` by one; only bump raises `generation`, also by one.
// S6  `expires = min(max(old, now + ttl), deadline)` by the store's clock; it may shrink only at a
//     barrier (clear, bump) or with `shrinks`: then it is `min(now + ttl, deadline)`.
// S7  An expired session is absent, before any sweep.
// S8  Keys and values come back byte for byte, whatever their content; no key reaches a prototype.
// S9  An update with `expect` applies only if, in the data before the change and in the same step, each key
//     that it names has the value that it names. No other key matters, and `expect` raises nothing.
// S10 A call that never ends delays no other for longer than an engine waits, and its late effect undoes
//     nothing newer.
import type { Awaitable } from "../base/awaitable.ts";
import type { DerivingRing } from "../crypto/keyring.ts";
import type { RejectedReason } from "../events.ts";

/** A stored session. */
export interface StoredSession {
  readonly data: ReadonlyMap<string, string>;
  /** The fence: raised by every barrier and by every change of `meta` or `subject`; from 1. */
  readonly rev: number;
  /** Raised only by `bump`; the ticket names it; from 1. */
  readonly generation: number;
  /** Unix milliseconds by the store's clock; Infinity: never. */
  readonly expires: number;
  /** The engine's own notes, opaque to the store. */
  readonly meta: string;
}

/** The answer of `save` for an applied change; after a destroy all numbers are 0. */
export interface SavedSession {
  readonly rev: number;
  readonly generation: number;
  /** Unix milliseconds; Infinity: never. */
  readonly expires: number;
}

/** The changes of one request; never the whole session. */
export interface SessionChange {
  readonly op: "create" | "update" | "destroy";
  /** The fence: the `rev` that the request loaded; absent only on create and destroy. */
  readonly rev?: number;
  /**
   * Only on update: the values that keys must have in the data before the change; undefined: the key must
   * be absent. Compared byte for byte (S9). Without this field nothing is compared.
   */
  readonly expect?: ReadonlyMap<string, string | undefined>;
  /** Remove all keys first. A barrier. */
  readonly clear?: boolean;
  /** Regenerate: a new generation. A barrier. */
  readonly bump?: boolean;
  /** The session's own lifetime was set, so its end may move forward; always together with `meta`. */
  readonly shrinks?: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly del: readonly string[];
  /** Milliseconds from the store's own now; Infinity: no idle timeout; 0: no renewal. */
  readonly ttl: number;
  /** Unix milliseconds, fixed at creation; Infinity: no absolute timeout. */
  readonly deadline: number;
  /**
   * The engine's own notes, sent only if they have changed, as by a binding or by a barrier, since they
   * count barriers. Absent: unchanged.
   */
  readonly meta?: string;
  /** The session's subject, for the index; null: none any more; absent: unchanged. */
  readonly subject?: string | null;
}

/** The promises of a store; absent means false. */
export interface StoreCapabilities {
  /** Refuse-or-apply is one atomic step, even between processes: laws L1 to L3 hold. */
  readonly atomic?: boolean;
  /** Updates also check `expect` (S9) in that step: law L13 holds. Only together with `atomic`. */
  readonly expects?: boolean;
  /** Saved sessions survive a restart of the store. */
  readonly durable?: boolean;
  /** `list` and `destroyAll` exist, and their index never misses a live session. */
  readonly lists?: boolean;
}

/** A session in a subject's list. */
export interface ListedSession {
  /** The session's handle, no credential: safe to show and to log. */
  readonly id: string;
  readonly stored: StoredSession;
}

/** A server-side store of sessions: Kocha's two methods, made safe. A client holds only a ticket. */
export interface SessionStore {
  /**
   * The session of `selector`, a row's id (S1, S7).
   * @returns undefined for an unknown, expired, tampered or malformed session.
   * @throws any error when the store itself fails; the engine makes a StoreError of it.
   */
  load(selector: string): Awaitable<StoredSession | undefined>;
  /**
   * Applies the change (S2 to S6).
   * @param selector - minted by the engine, even on create.
   * @returns undefined when the change is refused.
   */
  save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined>;

  readonly capabilities?: StoreCapabilities;
  /**
   * Each engine that uses the store calls this at its creation, with the milliseconds that it waits for an
   * answer. In a store whose calls wait for each other, none waits longer than that for a hanging one
   * (S10).
   */
  answerWithin?(ms: number): void;
  /**
   * A host calls this where a bundler puts several copies of one module into a process, each with a store of
   * its own: all stores of the process that got the same key have the same sessions from then on. Absent:
   * the sessions are outside the process anyway.
   */
  shareAs?(key: string): void;
  /**
   * The store of one request, for stores that can't serve several; absent: the store itself. An engine
   * asks when a request first needs its store, and asks only the answer for `capabilities`.
   * `perRequest(…)` has it.
   * @param env - what the host calls the request's environment; undefined where it has none.
   * @throws whatever it likes; the request fails with that.
   */
  forRequest?(env: unknown): SessionStore;
  /** The live sessions of a subject. */
  list?(subject: string): AsyncIterable<ListedSession>;
  /** Ends the sessions of a subject, except the one whose id is `except`; gives their number. */
  destroyAll?(subject: string, options?: { except?: string }): Promise<number>;
  /** Removes at most `limit` expired sessions; gives their number. */
  sweep?(limit: number): Promise<number>;
}

/** One cookie of a request or a response: a full name and a raw value. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
}

/** A session opened from a sealed store's cookies. */
export interface OpenedSession {
  readonly data: ReadonlyMap<string, string>;
  /** The fence: raised by every barrier and by every change of the subject or the lifetime; from 1. */
  readonly rev: number;
  /** Unix milliseconds; Infinity: never. */
  readonly expires: number;
  /** The session's handle, minted at its creation: base64url of 16 random bytes. */
  readonly id: string;
  /** The id of the credential that opened it; absent: the session's first one, whose id is `id`. */
  readonly credential?: string | undefined;
  /** Unix milliseconds, whole seconds. */
  readonly created: number;
  /** Unix milliseconds of the write that sealed it, if the store knows; else 0. */
  readonly issued: number;
  /** Unix milliseconds; the idle end, while `expires` is the earlier of it and the deadline. */
  readonly idleExpires: number;
  /** Unix milliseconds; Infinity: no absolute timeout. */
  readonly deadline: number;
  /** The subject, if the session is bound. */
  readonly subject?: string | undefined;
  /** Unix milliseconds of the binding, if the session is bound. */
  readonly boundAt?: number | undefined;
  /** The cookie lifetime that this session chose, in seconds as `cookieExpires`. */
  readonly cookieExpires?: number | undefined;
  /** The idle timeout that this session chose, in seconds over 0. */
  readonly sessionExpires?: number | undefined;
  /** The names of the request's cookies that authenticated as ours. */
  readonly names: readonly string[];
  /** Other sessions in the request's cookies that are live or in their grace; absent: none. */
  readonly others?: readonly OpenedSession[];
  /** True for another library's session: it has no absolute end yet and becomes ours at its next write. */
  readonly foreign?: boolean;
  /** The keys of entries that were left out, such as values that aren't UTF-8; for `skipped`. */
  readonly skipped?: readonly string[];
}

/** Cookies of a request that authenticated as ours, without a live session. */
export interface SealedRemains {
  /** Their names; a new session's write and a logout expire them. */
  readonly names: readonly string[];
  /** Sessions that were created too far in the future; a logout ends them, too. */
  readonly others: readonly OpenedSession[];
}

/** The part of a session that its revocation depends on. */
export type RevocableSession = Pick<OpenedSession, "id" | "credential" | "subject" | "boundAt">;

/**
 * The verdict on a dead session. `revoked`: it was ended. `retired`: a regenerate replaced its credential.
 * `grace`: it did so within the last 60 s, law L4.
 */
export type RevocationVerdict = "revoked" | "retired" | "grace";

/** The engine's context of a request, for a sealed store. */
export interface SealedContext {
  /** The configured cookie name, without any suffix. */
  readonly name: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Called with the reason for every cookie that is no session. */
  readonly rejected?: (reason: RejectedReason) => void;
  /**
   * The verdict on a session; absent: nothing is revoked. A revoked or retired one is no session and is
   * `rejected` with that reason; one in its grace is opened only if there is no other.
   * @throws {StoreError} when the list can't be read.
   */
  readonly verdict?: ((session: RevocableSession) => RevocationVerdict | undefined) | undefined;
}

/** A cookie that a sealed store sends. */
export interface SealedCookie extends Cookie {
  /** Its lifetime in seconds, if it differs from the session's. */
  readonly maxAge?: number;
}

/** The cookies to set, and the names to expire: only those of cookies that authenticated as ours. */
export interface SealedWrite {
  readonly set: readonly SealedCookie[];
  readonly expire: readonly string[];
  /** The bytes of the Cookie header, if they were too many and one cookie replaces them all. */
  readonly collapsed?: number;
}

/** The promises of a sealed store; absent means false. */
export interface SealedCapabilities {
  /** Concurrent responses merge in the browser: laws L1 and L3 hold there. */
  readonly merges?: boolean;
}

/**
 * A store whose sessions travel in the cookies themselves. The clauses S1, S2, S4 and S6 to S8 hold for
 * `open` and `write`; nothing is at rest, so a refusal depends only on the request's own cookies.
 */
export interface SealedSessionStore {
  readonly sealed: true;
  readonly capabilities?: SealedCapabilities;
  /** Names of cookies in other formats that `open` takes, too. */
  readonly foreignNames?: readonly string[];
  /** The limit of all keys and values together, in bytes; the configuration's may be lower. */
  readonly maxSessionBytes?: number | undefined;
  /** The ring of its secrets, for the keys of `deviceBinding`; absent: its sessions can't be bound. */
  readonly ring?: DerivingRing;
  /**
   * Joins every cookie named `name` or `name.` + 6 base64url characters into one session. Total: it throws
   * only the errors of `verdict`, whatever the cookies hold. The result may be returned again, so callers
   * don't change it.
   * @returns undefined if no cookie is ours.
   */
  open(
    cookies: readonly Cookie[],
    context: SealedContext,
  ): OpenedSession | SealedRemains | undefined;
  /**
   * The cookies of the session with the change applied.
   * @param found - the result of `open`; on create, the one that the new session replaces.
   * @returns undefined when the change is refused.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit.
   */
  write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
    context: SealedContext,
  ): SealedWrite | undefined;
}

/** The changes of one request for a sealed store, with the notes as fields of their own. */
export interface SealedChange extends Omit<SessionChange, "meta"> {
  /** On create: the handle, if the request has read it already. */
  readonly id?: string;
  /** The cookie lifetime that this session chose, in seconds; absent: unchanged. */
  readonly cookieExpires?: number;
  /** The idle timeout that this session chose, in seconds; 0: none of its own; absent: unchanged. */
  readonly sessionExpires?: number;
  /** With `subject`: Unix milliseconds of the binding; absent: the store's now. */
  readonly boundAt?: number;
  /** The id of the credential that replaces the opened one; absent: unchanged. */
  readonly credential?: string;
}

/** A store of either kind, as a configuration takes it. */
export type AnySessionStore = SessionStore | SealedSessionStore;

/** True for a store that seals its sessions into the cookies. */
export function isSealed(store: AnySessionStore): store is SealedSessionStore {
  return (store as Partial<SealedSessionStore>).sealed === true;
}

/** True if a store's updates are one atomic step that also keeps S9: law L13 holds. */
export function isExact(store: AnySessionStore): boolean {
  if (isSealed(store)) return false;
  return store.capabilities?.atomic === true && store.capabilities.expects === true;
}

/** True if a sealed store found a live session, or one in its grace. */
export function isOpened(found: OpenedSession | SealedRemains | undefined): found is OpenedSession {
  return found !== undefined && "id" in found;
}

/** The sessions that a logout ends. */
export function sessionsOf(
  found: OpenedSession | SealedRemains | undefined,
): readonly OpenedSession[] {
  if (found === undefined) return [];
  return isOpened(found) ? [found, ...(found.others ?? [])] : found.others;
}
