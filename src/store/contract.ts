// The contract of a store, in numbered clauses that the laws cite. It knows no HTTP, no cookie
// attribute and no framework. A SessionStore sees a selector and a change, never what the client
// holds; what of the clauses a SealedSessionStore keeps is said there.
//
// S1  `load` gives undefined for what is unknown, expired, tampered or malformed; it throws only
//     when the store itself fails.
// S2  `save` refuses or applies the whole change at once: clear, then del, then set.
// S3  `create` never overwrites a live session; `update` never inserts; `destroy` is never refused.
// S4  An update applies only when its `rev` is the stored one.
// S5  clear, bump, meta and subject raise `rev` by one; only bump raises `generation`, also by one.
// S6  `expires = min(max(old, now + ttl), deadline)` by the store's clock; it may shrink only at a
//     barrier (clear, bump) or where the change says `shrinks`: there it is `min(now + ttl, deadline)`.
// S7  An expired session is absent, before any sweep.
// S8  Keys and values come back byte for byte, whatever they hold; no key reaches a prototype.
// S9  An update with `expect` applies only when, in the data before the change and in the same step,
//     each key that it names has the value that it names. No other key matters, and `expect` raises
//     nothing.
// S10 A call that never ends holds up no other for longer than an engine waits, and what comes of it
//     late makes nothing newer undone.
import type { Awaitable } from "../base/awaitable.ts";
import type { RejectedReason } from "../events.ts";

/** What a store keeps for one session. */
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

/** What `save` gives back for a change that was applied; after a destroy all numbers are 0. */
export interface SavedSession {
  readonly rev: number;
  readonly generation: number;
  /** Unix milliseconds; Infinity: never. */
  readonly expires: number;
}

/** What one request changed; never the whole session. */
export interface SessionChange {
  readonly op: "create" | "update" | "destroy";
  /** The fence: the `rev` that the request loaded; absent on create and destroy only. */
  readonly rev?: number;
  /**
   * On update only: what keys must hold in the data before the change; undefined: the key is absent.
   * Compared byte for byte (S9). Absent: nothing is looked at.
   */
  readonly expect?: ReadonlyMap<string, string | undefined>;
  /** Drop all keys first. A barrier. */
  readonly clear?: boolean;
  /** Regenerate: a new generation. A barrier. */
  readonly bump?: boolean;
  /** The session's own lifetime was set, so it may end earlier than before; travels with `meta`. */
  readonly shrinks?: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly del: readonly string[];
  /** Milliseconds from the store's own now; Infinity: no idle timeout; 0: no renewal. */
  readonly ttl: number;
  /** Unix milliseconds, fixed at creation; Infinity: no absolute timeout. */
  readonly deadline: number;
  /**
   * The engine's own notes; they travel with what changes them, such as a binding, and with barriers,
   * which they count. Absent: unchanged.
   */
  readonly meta?: string;
  /** Whose session it is, for the index; null: nobody's any more; absent: unchanged. */
  readonly subject?: string | null;
}

/** What a store can promise; absent means false. */
export interface StoreCapabilities {
  /** Refuse-or-apply is one atomic step, also between processes: laws L1 to L3 hold. */
  readonly atomic?: boolean;
  /** Updates keep S9 in that same step: law L13 holds. Only together with `atomic`. */
  readonly expects?: boolean;
  /** What was saved survives a restart of the store. */
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

/** Where sessions are kept: Kocha's two methods, made safe. A client holds only a ticket. */
export interface SessionStore {
  /**
   * The session of `selector`, a row's id (S1, S7).
   * @returns undefined when it is unknown, expired, tampered or malformed.
   * @throws whatever it likes when the store itself fails; the engine makes it a StoreError.
   */
  load(selector: string): Awaitable<StoredSession | undefined>;
  /**
   * Applies the change (S2 to S6).
   * @param selector - the engine mints it, also on create.
   * @returns undefined when the change is refused.
   */
  save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined>;

  readonly capabilities?: StoreCapabilities;
  /**
   * Each engine that uses the store calls it when it is made, with the milliseconds that it waits for
   * an answer. A store that lets calls wait for each other lets none wait longer for one that doesn't
   * end (S10).
   */
  answerWithin?(ms: number): void;
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

/** What a sealed store's cookies say, joined into one session. */
export interface OpenedSession {
  readonly data: ReadonlyMap<string, string>;
  /** The fence: raised by every barrier and by every change of the subject or the lifetime; from 1. */
  readonly rev: number;
  /** Unix milliseconds; Infinity: never. */
  readonly expires: number;
  /** The session's handle, minted at its construction: base64url of 16 random bytes. */
  readonly id: string;
  /** The id of the credential that opened it; absent: the session's first one, whose id is `id`. */
  readonly credential?: string | undefined;
  /** Unix milliseconds, whole seconds. */
  readonly created: number;
  /** Unix milliseconds of the write that sealed it, where the store knows; else 0. */
  readonly issued: number;
  /** Unix milliseconds; the idle end before the deadline cuts it into `expires`. */
  readonly idleExpires: number;
  /** Unix milliseconds; Infinity: no absolute timeout. */
  readonly deadline: number;
  /** Whose session it is, if it is bound. */
  readonly subject?: string | undefined;
  /** Unix milliseconds of the binding, if it is bound. */
  readonly boundAt?: number | undefined;
  /** The cookie lifetime that this session chose, in seconds as `cookieExpires`. */
  readonly cookieExpires?: number | undefined;
  /** The idle timeout that this session chose, in seconds over 0. */
  readonly sessionExpires?: number | undefined;
  /** The names of the request's cookies that authenticated as ours. */
  readonly names: readonly string[];
  /** Other sessions in the request's cookies that live or are in their grace; absent: none. */
  readonly others?: readonly OpenedSession[];
  /** Another library's session: it has no absolute end of its own yet and is ours at its next write. */
  readonly foreign?: boolean;
  /** What was left out while it was read, such as values that aren't UTF-8; for `skipped`. */
  readonly skipped?: readonly string[];
}

/** Cookies of a request that authenticated as ours, and none of whose sessions lives. */
export interface SealedRemains {
  /** Their names: they are expired when a new session is written, and at a logout. */
  readonly names: readonly string[];
  /** The sessions that were created too far in the future: a logout ends these too. */
  readonly others: readonly OpenedSession[];
}

/** What of a session its revocation looks at. */
export type RevocableSession = Pick<OpenedSession, "id" | "credential" | "subject" | "boundAt">;

/**
 * How a session is dead. `revoked`: it was ended. `retired`: a regenerate took its credential.
 * `grace`: it did so within the last 60 s, law L4.
 */
export type RevocationVerdict = "revoked" | "retired" | "grace";

/** What the engine tells a sealed store about the request. */
export interface SealedContext {
  /** The configured cookie name, without any suffix. */
  readonly name: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Told of every cookie that is not a session, and why. */
  readonly rejected?: (reason: RejectedReason) => void;
  /**
   * Whether a session is dead; absent: nothing is revoked. One that is revoked or retired is no
   * session and is `rejected` as that; one in its grace is opened when there is no other.
   * @throws {StoreError} when nobody can say.
   */
  readonly verdict?: ((session: RevocableSession) => RevocationVerdict | undefined) | undefined;
}

/** A cookie that a sealed store sends. */
export interface SealedCookie extends Cookie {
  /** Its lifetime in seconds, where it is another than the session's. */
  readonly maxAge?: number;
}

/** The cookies to set, and the names to expire: only such as authenticated as ours. */
export interface SealedWrite {
  readonly set: readonly SealedCookie[];
  readonly expire: readonly string[];
  /** The bytes of the Cookie header that were too many, so that one cookie replaces them all. */
  readonly collapsed?: number;
}

/** What a sealed store can promise; absent means false. */
export interface SealedCapabilities {
  /** Its responses merge in the browser: laws L1 and L3 hold there. */
  readonly merges?: boolean;
}

/**
 * A store whose sessions travel in the cookies themselves. Of the clauses S1, S2, S4 and S6 to S8
 * hold for `open` and `write`; nothing is at rest, so a change is refused only for what the request
 * brought.
 */
export interface SealedSessionStore {
  readonly sealed: true;
  readonly capabilities?: SealedCapabilities;
  /** Names of cookies in other formats that `open` wants to see too. */
  readonly foreignNames?: readonly string[];
  /** All keys and values together, in bytes: what `set` takes, if less than the configuration's. */
  readonly maxSessionBytes?: number | undefined;
  /**
   * Joins every cookie named `name` or `name.` + 6 base64url characters into one session.
   * Total: it never throws, whatever the cookies hold, except what `verdict` throws. What it gives
   * may be given again: nobody changes it.
   * @returns undefined when no cookie is ours.
   */
  open(
    cookies: readonly Cookie[],
    context: SealedContext,
  ): OpenedSession | SealedRemains | undefined;
  /**
   * The cookies of the session with the change applied.
   * @param found - what `open` gave; on create, what the new session takes the place of.
   * @returns undefined when the change is refused.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit.
   */
  write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
    context: SealedContext,
  ): SealedWrite | undefined;
}

/** What one request changed, as a sealed store gets it: the notes' fields stand by themselves. */
export interface SealedChange extends Omit<SessionChange, "meta"> {
  /** On create: the handle that the session has already, if it was asked for. */
  readonly id?: string;
  /** The cookie lifetime that this session chose, in seconds; absent: unchanged. */
  readonly cookieExpires?: number;
  /** The idle timeout that this session chose, in seconds; 0: none of its own; absent: unchanged. */
  readonly sessionExpires?: number;
  /** With `subject`: Unix milliseconds of the binding; absent: the store's now. */
  readonly boundAt?: number;
  /** The id of the credential that takes the opened one's place; absent: unchanged. */
  readonly credential?: string;
}

/** A store of either kind, as a configuration takes it. */
export type AnySessionStore = SessionStore | SealedSessionStore;

/** Whether a store seals its sessions into the cookies. */
export function isSealed(store: AnySessionStore): store is SealedSessionStore {
  return (store as Partial<SealedSessionStore>).sealed === true;
}

/** Whether a store's updates are one step of refuse-or-apply that also keeps S9: law L13 holds. */
export function isExact(store: AnySessionStore): boolean {
  if (isSealed(store)) return false;
  return store.capabilities?.atomic === true && store.capabilities.expects === true;
}

/** Whether a sealed store found a session that lives, or one in its grace. */
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
