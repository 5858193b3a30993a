// `SessionObject`: one object holds one session. Each call is one step, since an object runs one at a time
// between its awaits; the object's own clock decides about the session's end, and its alarm removes it then.
import { applyChange, toSaved } from "../../store/change.ts";
import type { SessionChange, StoredSession } from "../../store/contract.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import { type DurableState, type DurableStorage, isTooBig, storedBytes } from "./platform.ts";
import {
  type Claim,
  fromWire,
  type GoneClaim,
  readChange,
  type SaveAnswer,
  type SessionCalls,
  toWire,
  type WireRow,
} from "./protocol.ts";
import { type Answers, serve, sqliteStorageOf } from "./serve.ts";

/** The one key of an object's storage. */
const KEY = "session";

/** The session as it is kept. */
interface Row {
  readonly stored: StoredSession;
  readonly subject: string | undefined;
  /** Its place in the subject's list; undefined: none, as where the store has no subjects. */
  readonly claim: Claim | undefined;
}

/** The same, as the storage has it. */
interface KeptRow {
  readonly record: string;
  readonly subject?: string | undefined;
  readonly claim?: Claim | undefined;
}

/**
 * The Durable Object class of a session, for `SessionDurableStore`: export it from the worker's module, and list it
 * in `new_sqlite_classes` of a migration.
 */
export class SessionObject {
  /** What the platform's types know a Durable Object class by. */
  declare readonly __DURABLE_OBJECT_BRAND: never;
  readonly #state: DurableState;
  /** Its storage, once it was looked at. */
  #checked: DurableStorage | undefined;
  readonly #answers: Answers<SessionCalls> = {
    load: { fields: [], answer: () => this.#load() },
    save: {
      fields: ["change", "claim", "lists"],
      answer: ({ change, claim, lists }) => this.#save(readChange(change), claim, lists),
    },
    end: { fields: ["subject"], answer: ({ subject }) => this.#endOf(subject) },
  };

  /** The platform calls it. */
  constructor(state: DurableState, _env?: unknown) {
    this.#state = state;
  }

  /** Answers a call of `SessionDurableStore`; nothing else calls it. */
  fetch(request: Request): Promise<Response> {
    return serve("SessionObject", request, this.#answers);
  }

  /** Removes the session at its end; of a renewed one it sets the alarm again. The platform calls it. */
  async alarm(): Promise<void> {
    const row = this.#read();
    if (row === undefined || !isLive(row)) await this.#remove();
    else if (row.stored.expires < Infinity) await this.#storage.setAlarm(row.stored.expires);
  }

  get #storage(): DurableStorage {
    return (this.#checked ??= sqliteStorageOf(this.#state));
  }

  #load(): WireRow | null {
    const row = this.#read();
    if (row === undefined || !isLive(row)) return null;
    const { stored, subject, claim } = row;
    return { record: encodeRecord(stored), subject, claim: claim?.claim };
  }

  async #save(
    change: SessionChange,
    claimed: Claim | undefined,
    lists: boolean,
  ): Promise<SaveAnswer> {
    const alarm = await this.#storage.getAlarm();
    // ORDER: nothing is awaited from here to the writes, which are then one step and one transaction.
    const row = this.#read();
    const before = row !== undefined && isLive(row) ? row : undefined;
    const { refused, stored } = applyChange(before?.stored, change, Date.now());
    if (refused) return { outcome: "refused" };
    if (stored === undefined) {
      if (row !== undefined) await this.#remove();
      return { outcome: "applied", ...toSaved(undefined), gone: goneOf(row, undefined) };
    }
    const { expires } = stored;
    const subject = change.subject === undefined ? before?.subject : (change.subject ?? undefined);
    const claim = [claimed, before?.claim].find((one) => one?.subject === subject);
    if (
      lists &&
      subject !== undefined &&
      (claim === undefined || fromWire(claim.until) < expires)
    ) {
      return { outcome: "unclaimed", subject, expires: toWire(expires) };
    }
    const record = encodeRecord(stored);
    if (!this.#keep({ record, subject, claim })) {
      return { outcome: "too large", bytes: storedBytes(record) };
    }
    if (expires < (alarm ?? Infinity)) await this.#storage.setAlarm(expires);
    const { rev, generation } = stored;
    const gone = goneOf(row, claim);
    return { outcome: "applied", rev, generation, expires: toWire(expires), gone };
  }

  async #endOf(subject: string): Promise<ReturnType<SessionCalls["end"]>> {
    const row = this.#read();
    if (row === undefined || !isLive(row) || row.subject !== subject) return { ended: false };
    await this.#remove();
    return { ended: true, claim: row.claim?.claim };
  }

  #read(): Row | undefined {
    const kept = this.#storage.kv.get(KEY) as KeptRow | undefined;
    const stored = decodeRecord(kept?.record);
    return stored && { stored, subject: kept?.subject, claim: kept?.claim };
  }

  /** @returns false: it is too large, and the row before it stays. */
  #keep(row: KeptRow): boolean {
    try {
      this.#storage.kv.put(KEY, row);
      return true;
    } catch (error) {
      if (isTooBig(error)) return false;
      throw error;
    }
  }

  /** Leaves nothing behind: an object without storage ceases to exist. */
  async #remove(): Promise<void> {
    const storage = this.#storage;
    // ORDER: both begin at once. deleteAll() by itself leaves the alarm before compatibility date 2026-02-24.
    await Promise.all([storage.deleteAlarm(), storage.deleteAll()]);
  }
}

function isLive({ stored }: Row): boolean {
  return stored.expires > Date.now();
}

/** The place that the row had, unless the session still has it. */
function goneOf(before: Row | undefined, claim: Claim | undefined): GoneClaim | undefined {
  const had = before?.claim;
  return had === undefined || had.claim === claim?.claim
    ? undefined
    : { subject: had.subject, claim: had.claim };
}
