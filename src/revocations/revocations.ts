// The revoked sessions of sealed stores: what the application says, what the engine asks, and the log
// that carries it from process to process. It knows no driver, no cookie and no timer.
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
  /** Those that were bound until then, by the log's clock; at the latest, and by default, now. */
  readonly before?: Date | undefined;
  /** The id of a session that lives on: "log out everywhere else". */
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

/** What is to be known of a session that ends. */
export type EndingSession = Pick<
  OpenedSession,
  "id" | "credential" | "subject" | "expires" | "deadline"
>;

/**
 * The sessions of cookie stores that were ended for good: a list that each process holds whole in
 * memory, so that nothing is looked up while a request waits. Give one object to the configuration
 * and revoke by the same.
 */
export interface Revocations {
  /**
   * Ends a session for good, whoever has a copy of its cookie: at once in this process, in the others
   * within their poll interval. Resolves when the log has it.
   * @param id - `session.id`.
   * @throws {UsageError} ERR_SESSION_USAGE_TYPE for what is no session's id.
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
   * Resolves when the list was loaded and is no older than it may be. Requests wait for it by
   * themselves; a server that awaits it before it listens lets none of them wait.
   * @throws {StoreError} when it can't be read.
   */
  ready(): Awaitable<void>;
  /** Stops following the log. */
  close(): void;
  /**
   * Told by a configuration how long its sessions live, and so how long an entry must.
   * @throws {ConfigError} when they live without an end.
   * @internal
   */
  cover(limits: SessionLimits): void;
  /**
   * The list as one request asks it, through the limits on calls of the configuration.
   * @internal
   */
  forRequest(options: StoreCallOptions): RequestRevocations;
}

/** The list of the revoked, as one request asks it. */
export interface RequestRevocations {
  /** The credential that takes the place of the opened one, which is retired. */
  successor: string | undefined;
  /** Says whether a session is dead, all by one reading of the list's clock. */
  readonly verdict: SealedContext["verdict"];
  /**
   * Waits until the list can say what became of any session.
   * @throws {StoreError} when it can't.
   */
  ready(): Awaitable<void>;
  /** Whether a session was opened by a credential in its grace. */
  isInGrace(session: RevocableSession): boolean;
  /**
   * Whether a session that lived at its opening is dead by now; in its grace it is read-only.
   * @throws {StoreError} when the list is too old to say.
   */
  hasDied(opened: OpenedSession): boolean;
  /** The instant of a login that is made now, Unix milliseconds. */
  bindingTime(subject: string): number;
  /** Ends the opened credential; gives false where another request has replaced it before. */
  retire(opened: OpenedSession, successor: string): Awaitable<boolean>;
  /** Ends sessions; one that fails keeps none of the others from their end. */
  end(sessions: readonly OpenedSession[]): Awaitable<unknown>;
}

/** What one request's session asks of the list, and tells it. */
export interface RevocationList {
  ready(): Awaitable<void>;
  /**
   * The list's clock, Unix milliseconds: one reading serves all looks of one opening, or the grace
   * could end between two of them.
   * @throws {StoreError} when the list is too old to say anything.
   */
  reading(): number;
  /**
   * Whether a session is dead, and how; undefined: it lives.
   * @param at - a reading; absent: a new one.
   * @throws {StoreError} when the list is too old to say.
   */
  verdict(session: RevocableSession, at?: number): RevocationVerdict | undefined;
  /**
   * The instant of a login that is made now: after every revocation of the subject that is known.
   * @throws {StoreError} when the list is too old to say.
   */
  bindingTime(subject: string): number;
  /** Ends a session, as `revoke` does. */
  end(session: EndingSession): Awaitable<void>;
  /**
   * Ends one credential of a session: the one that opened it.
   * @param successor - the id of the credential that takes its place.
   * @returns false when it had another successor before.
   */
  retire(session: EndingSession, successor: string): Awaitable<boolean>;
}

/** What is revoked: a session, one credential of a session, or the sessions of a subject. */
export type RevocationKind = "session" | "credential" | "subject";

/** What is to be revoked, on its way to the log. */
export interface RevocationEntry {
  readonly kind: RevocationKind;
  /** The session's id, the credential's, or the subject. */
  readonly id: string;
  /** How long the entry is kept, in milliseconds from the log's own now. */
  readonly ttl: number;
  /** Of a subject: Unix milliseconds by the log's clock; absent, or not before its now: its now. */
  readonly before?: number;
  /** Of a subject: the id of the session that lives on. */
  readonly except?: string | undefined;
  /**
   * Of a credential: what tells this entry, sent once or again, from another one of the same
   * credential; base64url of 16 random bytes. Without one it is never the first.
   */
  readonly nonce?: string | undefined;
}

/** What a log answers when it has taken an entry in. */
export interface AppendedRevocation {
  /** What the log now keeps. */
  readonly record: RevocationRecord;
  /** Of a credential: whether this entry is the one that retired it (R4); true of the other kinds. */
  readonly isFirst: boolean;
}

/**
 * What a log keeps of one kind and id. Of several entries it keeps one, as `mergeRecords` has it; of
 * a credential it keeps the first entry's nonce beside it.
 * A subject's session is dead when it was bound until `exceptBefore`, or until `before` and isn't
 * `except`.
 */
export interface RevocationRecord {
  readonly kind: RevocationKind;
  readonly id: string;
  /** Unix milliseconds by the log's clock: when it was first revoked. */
  readonly at: number;
  /** Unix milliseconds by the log's clock: from then on nothing needs it. */
  readonly until: number;
  /** Unix milliseconds, as `reachOf` has it; 0 but for a subject. */
  readonly before: number;
  /** The one session that `before` doesn't mean. */
  readonly except: string | undefined;
  /** Unix milliseconds, at most `before`; 0: none. */
  readonly exceptBefore: number;
}

/** One answer of a log. */
export interface RevocationPage {
  readonly records: readonly RevocationRecord[];
  /** Where the next read goes on; opaque to all but the log. */
  readonly cursor: string;
  /** Whether there is more to be had at once. */
  readonly more: boolean;
  /** The log's clock, Unix milliseconds. */
  readonly now: number;
}

/**
 * Where revocations are written down for every process. What it must keep:
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
  /** Removes at most `limit` records that nothing needs any more; gives their number. */
  sweep?(limit: number): Promise<number>;
}

/**
 * The record of an entry that the log takes in now, to be merged with what it knows.
 * @param known - what it keeps of the same kind and id; undefined: nothing.
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
 * One record for two of the same kind and id: it says exactly what both say. Idempotent,
 * commutative and associative, so the order in which they arrive doesn't matter.
 */
export function mergeRecords(one: RevocationRecord, other: RevocationRecord): RevocationRecord {
  const [later, earlier] = isLater(one, other) ? [one, other] : [other, one];
  return {
    ...later,
    at: Math.min(one.at, other.at),
    until: Math.max(one.until, other.until),
    // Whom the later one spares, the earlier one may mean.
    exceptBefore: Math.max(
      one.exceptBefore,
      other.exceptBefore,
      later.except === earlier.except ? 0 : earlier.before,
    ),
  };
}

function isLater(one: RevocationRecord, other: RevocationRecord): boolean {
  if (one.before !== other.before) return one.before > other.before;
  // One of the two is taken, whichever comes first: both mean the session that the other spares.
  return (one.except ?? "") >= (other.except ?? "");
}
