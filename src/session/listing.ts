// The sessions of one subject, for a "your devices" page, with the engine's notes decoded; for stores that
// list. It knows no request.
import { ConfigError, isSessionError, StoreError } from "../errors.ts";
import { checkRow } from "../engine/ticketed/row.ts";
import { endingChange } from "../store/change.ts";
import { type SessionStore, type AnySessionStore, isSealed } from "../store/contract.ts";
import { DEVICE_KEY, isReserved } from "../base/reserved.ts";
import { assertText } from "../base/text.ts";

/** One live session of a subject. */
export interface SessionSummary {
  /** The session's handle, as `session.id`; no credential. */
  readonly id: string;
  readonly createdAt: Date;
  /** The instant of its binding to the subject. */
  readonly boundAt: Date;
  /** The session's end unless it is renewed; undefined: never. */
  readonly expiresAt: Date | undefined;
  /** The session's own idle timeout, in seconds; undefined: the configuration's. */
  readonly sessionExpires: number | undefined;
  /** The label given to `bind`; "" if none. */
  readonly label: string;
  /** True if it is bound to a device, by `deviceBinding`. */
  readonly isDeviceBound: boolean;
  /** The session's entries, without the library's own. */
  readonly data: ReadonlyMap<string, string>;
}

/**
 * The live sessions of a subject, in no particular order.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a store that can't list.
 * @throws {StoreError} when the store fails.
 */
export async function* listSessions(
  store: AnySessionStore,
  subject: string,
): AsyncGenerator<SessionSummary> {
  assertText(subject, "subject");
  const rows = atRest(store);
  if (rows.list === undefined) throw cannotList();
  try {
    for await (const { id, stored } of rows.list(subject)) {
      const row = checkRow(stored);
      // Skip rows that aren't ours, and sessions that were bound to another subject meanwhile.
      if (row === undefined || row.notes.subject !== subject) continue;
      const { created, boundAt, label = "", sessionExpires } = row.notes;
      yield {
        id,
        createdAt: new Date(created),
        boundAt: new Date(boundAt),
        expiresAt: row.expires === Infinity ? undefined : new Date(row.expires),
        sessionExpires,
        label,
        isDeviceBound: row.data.has(DEVICE_KEY),
        data: withoutReserved(row.data),
      };
    }
  } catch (error) {
    throw failed("list", error);
  }
}

/**
 * Destroys one session of a subject, for good: law L2.
 * @param id - as `listSessions` gives it; it may come from a client, since it is checked against the
 * subject.
 * @returns true if there was such a session.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a store that can't list.
 * @throws {StoreError} when the store fails; the session may live on.
 */
export async function destroySession(
  store: AnySessionStore,
  subject: string,
  id: string,
): Promise<boolean> {
  assertText(subject, "subject");
  assertText(id, "id");
  const rows = atRest(store);
  try {
    const row = checkRow(await rows.load(id));
    // ORDER: the subject is checked first, so that nobody ends another user's session.
    if (row === undefined || row.notes.subject !== subject) return false;
    await rows.save(id, endingChange());
    return true;
  } catch (error) {
    throw failed("save", error);
  }
}

/** The store, if it keeps rows. */
function atRest(store: AnySessionStore): SessionStore {
  if (isSealed(store)) throw cannotList();
  return store;
}

function withoutReserved(data: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...data].filter(([key]) => !isReserved(key)));
}

function cannotList(): ConfigError {
  const message =
    "can't list the sessions of a subject; memory, SQLite, Redis, PostgreSQL and MySQL can";
  return new ConfigError("ERR_SESSION_CONFIG_STORE", "store", message);
}

function failed(operation: "list" | "save", cause: unknown): unknown {
  if (isSessionError(cause)) return cause;
  const message = `the store failed to ${operation}; its own error is the cause`;
  return new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
}
