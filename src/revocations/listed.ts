// The common part of revocations with a list in memory: checks of arguments, lifetimes of entries, and
// verdicts. Its two subclasses know the log and the clock.
import { UsageError } from "../errors.ts";
import { chain, type Awaitable } from "../base/awaitable.ts";
import { callback, count, type Checked, fail, type ReadersOf, seconds } from "../base/options.ts";
import { DeadList } from "./dead-list.ts";
import { SECOND } from "../base/time.ts";
import { Revocable } from "./revocable.ts";
import type {
  AppendedRevocation,
  EndingSession,
  RequestRevocations,
  RevocationEntry,
  RevocationList,
  Revocations,
  RevokeSubjectOptions,
  SessionLimits,
} from "./revocations.ts";
import type { StoreCallOptions } from "../store/call.ts";
import type { RevocableSession, RevocationVerdict } from "../store/contract.ts";
import { assertText, kindOf } from "../base/text.ts";

/** How revocations are kept. Times are in seconds. */
export interface RevocationOptions {
  /** The shortest time that an entry is kept. Default: the longest life of a session in the configurations that use it. */
  readonly keepFor?: number | undefined;
  /** With so many entries, the logout of a session without a subject is no longer listed. Default 1000000. */
  readonly maxEntries?: number | undefined;
  /** Called for each logout that wasn't listed for that reason. */
  readonly onFull?: (() => void) | undefined;
}

/** The same, checked; `keepFor` is 0 by default. */
export type RevocationSettings = Checked<RevocationOptions, "onFull">;

const DEFAULT_ENTRIES = 1_000_000;
/**
 * How long an entry is kept past the end of any session that it revokes, in milliseconds: the clock that
 * sealed the session and the one that reads it may each be off by 5 minutes.
 */
const SLACK = 600 * SECOND;
/** The ids of sessions and credentials: base64url of 16 bytes. */
const ID = /^[A-Za-z0-9_-]{22}$/;

/** Revocations whose list is in this process's memory. */
export abstract class ListedRevocations implements Revocations, RevocationList {
  protected dead: DeadList = new DeadList();
  readonly #maxEntries: number;
  readonly #onFull: (() => void) | undefined;
  /** Milliseconds; 0: not known yet. */
  #keepFor: number;

  constructor({ keepFor, maxEntries, onFull }: RevocationSettings) {
    this.#keepFor = keepFor * SECOND;
    this.#maxEntries = maxEntries;
    this.#onFull = onFull;
  }

  abstract close(): void;
  abstract ready(): Awaitable<void>;
  /** How long a revoked session could still live without the list. */
  protected abstract lifeOf(limits: SessionLimits): number;
  protected abstract append(entry: RevocationEntry): Awaitable<AppendedRevocation>;
  /** Throws when the list is too old. */
  protected abstract assertFresh(): void;
  /** Unix milliseconds by the clock of the records, or a little less. */
  protected abstract get now(): number;

  /** How many sessions, credentials and subjects are listed. */
  get size(): number {
    return this.dead.size;
  }

  async revoke(id: string): Promise<void> {
    checkId(id, "the id");
    await this.#add({ kind: "session", id, ttl: this.#life });
  }

  async revokeSubject(subject: string, options: RevokeSubjectOptions = {}): Promise<void> {
    assertText(subject, "subject");
    const { before, except } = options;
    if (except !== undefined) checkId(except, "except");
    if (before !== undefined && !(before instanceof Date && Number.isFinite(before.getTime()))) {
      throw usage(`before must be a valid Date, not ${kindOf(before)}`);
    }
    const until = before === undefined ? undefined : { before: Math.max(0, before.getTime()) };
    await this.#add({ kind: "subject", id: subject, ttl: this.#life, ...until, except });
  }

  cover(limits: SessionLimits): void {
    const life = this.lifeOf(limits);
    if (!Number.isFinite(life)) {
      fail(
        "absoluteExpires",
        "is needed with these revocations: what may live for ever would have to be listed for ever",
      );
    }
    this.#keepFor = Math.max(this.#keepFor, life + SLACK);
  }

  forRequest(options: StoreCallOptions): RequestRevocations {
    return new Revocable(options, this);
  }

  reading(): number {
    this.assertFresh();
    return this.now;
  }

  verdict(session: RevocableSession, at: number = this.reading()): RevocationVerdict | undefined {
    return this.dead.verdict(session, at);
  }

  bindingTime(subject: string): number {
    return Math.max(this.reading(), (this.dead.recordOf(subject)?.before ?? 0) + 1);
  }

  end(session: EndingSession): Awaitable<void> {
    // Anyone can create and end sessions, which must not fill the memory of every process.
    if (session.subject === undefined && this.dead.size >= this.#maxEntries) {
      this.#onFull?.();
      return undefined;
    }
    const added = this.#add({ kind: "session", id: session.id, ttl: this.#lifeOf(session) });
    return chain(added, () => undefined);
  }

  retire(session: EndingSession, successor: string): Awaitable<boolean> {
    const id = session.credential ?? session.id;
    const ttl = this.#lifeOf(session);
    return this.#add({ kind: "credential", id, ttl, nonce: successor });
  }

  /** @returns true for the first entry of its credential, and for other kinds. */
  #add(entry: RevocationEntry): Awaitable<boolean> {
    // ORDER: the log before our list, or a failed append would leave the nodes in disagreement.
    return chain(this.append(entry), ({ record, isFirst }) => {
      this.dead.add(record, this.now);
      return isFirst;
    });
  }

  get #life(): number {
    if (this.#keepFor > 0) return this.#keepFor;
    return fail(
      "keepFor",
      "is needed where these revocations are in no configuration that a host or an engine was given",
    );
  }

  /** The life of a session's entry. It may have been sealed with longer timeouts; its deadline still holds. */
  #lifeOf({ expires, deadline }: EndingSession): number {
    const { now } = this;
    return Math.min(Math.max(this.#life, expires - now + SLACK), deadline - now + SLACK);
  }
}

/** Readers of {@link RevocationOptions}. */
export function revocationReaders(): ReadersOf<RevocationSettings> {
  return {
    keepFor: seconds(0),
    maxEntries: count(DEFAULT_ENTRIES),
    onFull: callback<() => void>(),
  };
}

function checkId(id: unknown, what: string): void {
  if (typeof id === "string" && ID.test(id)) return;
  throw usage(`${what} must be the id of a session, as session.id gives it, not ${kindOf(id)}`);
}

function usage(message: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_TYPE", message);
}
