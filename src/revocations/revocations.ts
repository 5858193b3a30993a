// Revocations of sealed sessions: the interfaces of the application, of the engine, and of the log that
// connects processes. It knows no driver, no cookie and no timer.
import { MAX_SKEW } from "../base/time.ts";
import type { StoreCallOptions } from "../store/call.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type {
  OpenedSession,
  RevocableSession,
  RevocationVerdict,
  SealedContext,
} from "../store/contract.ts";

/** Which sessions of a subject end. */
export interface RevokeSubjectOptions {
  /** Only those that were bound until then, by the log's clock; now at the latest. Default now. */
  readonly before?: Date | undefined;
  /** The id of a session that stays: "log out everywhere else". */
  readonly except?: string | undefined;
}

/** How long a session of a configuration can live, in milliseconds; Infinity: without an end. */
export interface SessionLimits {
  /** The idle timeout. */
  readonly idle: number;
  /** The absolute timeout. */
  readonly absolute: number;
  /** How long the log may take for one answer. */
  readonly timeout: number;
}

/** The part of a session that its end needs. */
export type EndingSession = Pick<
  OpenedSession,
  "id" | "credential" | "subject" | "expires" | "deadline"
>;

/**
 * The list of revoked sessions of cookie stores. Each process holds all of it in memory, so no request
 * waits for a look-up. Pass one object to the configuration, and revoke with the same.
 */
export interface Revocations {
  /**
   * Ends a session for good, including copies of its cookie: at once in this process, within a poll
   * interval in others. Resolves when the log has the entry.
   * @param id - `session.id`.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE unless it is a session's id.
   * @throws {StoreError} when the log fails; the session may live on.
   */
  revoke(id: string): Promise<void>;
  /**
   * Ends the sessions of a subject, as `session.bind` named it: "log out everywhere".
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE or _MALFORMED
   * @throws {StoreError} when the log fails; the sessions may live on.
   */
  revokeSubject(subject: string, options?: RevokeSubjectOptions): Promise<void>;
  /**
   * Resolves when the list is loaded and fresh enough. Requests wait for that by themselves; await it
   * before the server listens, and none has to.
   * @throws {StoreError} when it can't be read.
   */
  ready(): Awaitable<void>;
  /** Stops following the log. */
  close(): void;
  /**
   * Called by each configuration with its sessions' limits, which entries must outlive.
   * @throws {ConfigError} when they live without an end.
   * @internal
   */
  cover(limits: SessionLimits): void;
  /**
   * As a store's `shareAs`, for a list that is nowhere except in this process.
   * @internal
   */
  shareAs?(key: string): void;
  /**
   * The list for one request, with the configuration's limits on calls.
   * @internal
   */
  forRequest(options: StoreCallOptions): RequestRevocations;
}

/** The list of revocations for one request. */
export interface RequestRevocations {
  /** The credential that replaces the opened, retired one. */
  successor: string | undefined;
  /** Gives the verdict on a session; all verdicts of an opening use one reading of the list's clock. */
  readonly verdict: SealedContext["verdict"];
  /**
   * Waits until the list is fresh enough for verdicts.
   * @throws {StoreError} when it can't.
   */
  ready(): Awaitable<void>;
  /** True for a session that was opened by a credential in its grace. */
  isInGrace(session: RevocableSession): boolean;
  /**
   * True for a session that was revoked after it was opened; in its grace it is read-only.
   * @throws {StoreError} when the list is too old to say.
   */
  hasDied(opened: OpenedSession): boolean;
  /** The binding time of a login now, Unix milliseconds. */
  bindingTime(subject: string): number;
  /** Retires the opened credential; false: another request has replaced it already. */
  retire(opened: OpenedSession, successor: string): Awaitable<boolean>;
  /** Ends sessions; if one fails, the others still end. */
  end(sessions: readonly OpenedSession[]): Awaitable<unknown>;
}

/** The list as the engine uses it. */
export interface RevocationList {
  ready(): Awaitable<void>;
  /**
   * The list's clock, Unix milliseconds. One reading serves all verdicts of an opening; otherwise the
   * grace could end between two of them.
   * @throws {StoreError} when the list is too old.
   */
  reading(): number;
  /**
   * The verdict on a session; undefined: it lives.
   * @param at - a reading of the clock; absent: a new one.
   * @throws {StoreError} when the list is too old.
   */
  verdict(session: RevocableSession, at?: number): RevocationVerdict | undefined;
  /**
   * The binding time of a login now: after every known revocation of the subject.
   * @throws {StoreError} when the list is too old.
   */
  bindingTime(subject: string): number;
  /** Ends a session, as `revoke` does. */
  end(session: EndingSession): Awaitable<void>;
  /**
   * Ends one credential of a session: the one that opened it.
   * @param successor - the id of the credential that takes its place.
   * @returns false: it has another successor already.
   */
  retire(session: EndingSession, successor: string): Awaitable<boolean>;
}

/** The kind of a revocation: of a session, of one credential of a session, or of a subject's sessions. */
export type RevocationKind = "session" | "credential" | "subject";

/** A revocation on its way to the log. */
export interface RevocationEntry {
  readonly kind: RevocationKind;
  /** The session's id, the credential's, or the subject. */
  readonly id: string;
  /** How long the entry is kept, in milliseconds from the log's own now. */
  readonly ttl: number;
  /** Of a subject: Unix milliseconds by the log's clock; absent or in its future: its now. */
  readonly before?: number;
  /** Of a subject: the id of the session that stays. */
  readonly except?: string | undefined;
  /**
   * Of a credential: identifies this entry when it is sent again, and sets it apart from other entries
   * of the credential; base64url of 16 random bytes. An entry without one is never the first.
   */
  readonly nonce?: string | undefined;
}

/** A log's answer to an entry. */
export interface AppendedRevocation {
  /** The record that the log now keeps. */
  readonly record: RevocationRecord;
  /** Of a credential: true if this entry retired it (R4); true for the other kinds. */
  readonly isFirst: boolean;
}

/**
 * A log's record of one kind and id. Several entries become one record by `mergeRecords`; a credential's
 * record also keeps the first entry's nonce.
 * A subject's session is revoked if it was bound until `exceptBefore`, or if it was bound until `before`
 * and isn't `except`.
 */
export interface RevocationRecord {
  readonly kind: RevocationKind;
  readonly id: string;
  /** The first revocation, Unix milliseconds by the log's clock. */
  readonly at: number;
  /** The end of the record, Unix milliseconds by the log's clock. */
  readonly until: number;
  /** The reach of a subject's revocation, Unix milliseconds (see `reachOf`); 0 for the other kinds. */
  readonly before: number;
  /** The one session that `before` doesn't revoke. */
  readonly except: string | undefined;
  /** Unix milliseconds, at most `before`; 0: none. */
  readonly exceptBefore: number;
}

/** One answer of a log. */
export interface RevocationPage {
  readonly records: readonly RevocationRecord[];
  /** Where the next read begins; opaque to everything except the log. */
  readonly cursor: string;
  /** True: there is more to read at once. */
  readonly more: boolean;
  /** The log's clock, Unix milliseconds. */
  readonly now: number;
}

/**
 * A log of revocations for all processes. Its clauses:
 * R1  when `append` has resolved, the entry is durable, and each `read` that begins later finds it,
 *     whatever cursor it goes on from, also when it became visible after a later one;
 * R2  a read without a cursor finds all that is kept, and so does one whose cursor is no longer
 *     good, such as after a restore;
 * R3  a record is kept until its `until` has passed, and read again after each change;
 * R4  of the entries of one credential the first one is `isFirst`, and so is each later one with
 *     its nonce, which is the same entry sent again; no other is, also of those that come at once.
 */
export interface RevocationLog {
  append(entry: RevocationEntry): Promise<AppendedRevocation>;
  /** @param cursor - of the last answer; undefined: all of it. */
  read(cursor: string | undefined): Promise<RevocationPage>;
  /** Removes at most `limit` records past their end; gives their number. */
  sweep?(limit: number): Promise<number>;
}

/**
 * The record of an entry that is appended now, to be merged with the known one.
 * @param known - the log's record of the same kind and id; undefined: none.
 */
export function toRecord(
  entry: RevocationEntry,
  now: number,
  known?: RevocationRecord,
): RevocationRecord {
  const { kind, id, ttl, before = now, except } = entry;
  return {
    kind,
    id,
    at: now,
    until: now + ttl,
    before: kind === "subject" ? reachOf(before, now, known?.before ?? -Infinity) : 0,
    except: kind === "subject" ? except : undefined,
    exceptBefore: 0,
  };
}

/**
 * A revocation's reach: it ends a subject's sessions that were bound until then, Unix milliseconds.
 *
 * The clock that bound a session may have been five minutes ahead of the log's, and the log's may have
 * been put back: a revocation of now reaches five minutes past it. A login on a node that knows of a
 * revocation is bound one millisecond past its reach. So that the next revocation ends that session
 * too, its reach is at least this millisecond, unless it asks for an instant over five minutes earlier.
 * @param known - the reach of the subject's earlier revocation; -Infinity: there was none.
 */
function reachOf(before: number, now: number, known: number): number {
  const reach = before >= now ? now + MAX_SKEW : before;
  return reach >= known - MAX_SKEW ? Math.max(reach, known + 1) : reach;
}

/**
 * Merges two records of the same kind and id into one that revokes exactly what both revoke. Idempotent,
 * commutative and associative, so the order of arrival doesn't matter.
 */
export function mergeRecords(one: RevocationRecord, other: RevocationRecord): RevocationRecord {
  const [later, earlier] = isLater(one, other) ? [one, other] : [other, one];
  return {
    ...later,
    at: Math.min(one.at, other.at),
    until: Math.max(one.until, other.until),
    // The session that the later record spares may be revoked by the earlier one.
    exceptBefore: Math.max(
      one.exceptBefore,
      other.exceptBefore,
      later.except === earlier.except ? 0 : earlier.before,
    ),
  };
}

function isLater(one: RevocationRecord, other: RevocationRecord): boolean {
  if (one.before !== other.before) return one.before > other.before;
  // Either may be taken: each revokes the session that the other spares.
  return (one.except ?? "") >= (other.except ?? "");
}
