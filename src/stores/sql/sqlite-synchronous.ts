// The synchronous clients of SQLite behind the calls of a SQLite database. It keeps prepared statements, and
// sets the file up for several processes. It knows no session.
import type { StoreOperation } from "../../errors.ts";
import type { SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import {
  isMissingTable,
  messageOf,
  refuseClient,
  type SqliteClient,
  type SqliteValue,
  textOf,
  valuesOf,
} from "./sqlite-client.ts";

/** A prepared statement, as node:sqlite, better-sqlite3, libsql and bun:sqlite have it. */
export interface SqliteStatement {
  all(...values: SqliteValue[]): unknown[];
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
}

/** An open database of node:sqlite (DatabaseSync), better-sqlite3, libsql or bun:sqlite. */
export interface SqliteDatabase {
  exec(text: string): unknown;
  prepare(text: string): SqliteStatement;
}

const EXPECTED = "it must be an open database that can be written to";

/** Between two tries to turn on WAL, at most, in milliseconds. */
const LONGEST_PAUSE = 20;

/** How long a statement waits for another process's write, in milliseconds; a `busy_timeout` that is set already stays. */
const BUSY_TIMEOUT = 5000;

/** Runs SQL on a database of the user's. */
export class SynchronousClient implements SqliteClient {
  readonly isSynchronous = true;
  /** True for a database in a file, which outlives the process. */
  readonly isDurable: boolean;
  readonly #database: SqliteDatabase;
  readonly #prepared = new Map<string, SqliteStatement>();

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE for a closed database, and one that can't be used. */
  constructor(database: SqliteDatabase) {
    const { open, isOpen } = database as { open?: unknown; isOpen?: unknown };
    if (open === false || isOpen === false) refuseClient(`is closed; ${EXPECTED}`);
    this.#database = database;
    try {
      const [file] = database.prepare("PRAGMA database_list").all() as { file?: unknown }[];
      this.isDurable = typeof file?.file === "string" && file.file !== "";
      // ORDER: the wait comes first, as processes that start together all want to turn on WAL.
      const [wait] = database.prepare("PRAGMA busy_timeout").all() as { timeout?: unknown }[];
      if (Number(wait?.timeout) === 0) database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      turnOnWal(database);
    } catch (cause) {
      // libsql's message for a PRAGMA that returns a row, as most do.
      if (messageOf(cause) === "Execute returned rows") {
        refuseClient(
          "is of libsql 0.3 or older, whose exec takes no statement with rows; take 0.4 or later",
        );
      }
      refuseClient(`can't be used (${messageOf(cause)}); ${EXPECTED}`);
    }
  }

  rows(_operation: StoreOperation, statement: SqlFragment): readonly SqlRow[] {
    return this.#prepare(statement).all(...valuesOf(statement)) as SqlRow[];
  }

  run(_operation: StoreOperation, statement: SqlFragment): number {
    return Number(this.#prepare(statement).run(...valuesOf(statement)).changes);
  }

  /** Tries a write, too: with a read-only file, CREATE TABLE IF NOT EXISTS succeeds where the table exists. */
  make(statements: readonly string[], table: string): void {
    const nothing = `DELETE FROM "${table}" WHERE 0`;
    try {
      for (const text of [...statements, nothing]) this.#database.exec(text);
    } catch (cause) {
      const message = messageOf(cause);
      if (/readonly/i.test(message)) refuseClient(`can only be read (${message}); ${EXPECTED}`);
      // Where the table exists, a busy database doesn't prevent the start.
      if (!isBusy(cause) || !this.#has(table)) throw cause;
    }
  }

  #has(table: string): boolean {
    try {
      this.#database.prepare(`SELECT 1 FROM "${table}" WHERE 0`).all();
      return true;
    } catch (error) {
      if (isMissingTable(error)) return false;
      throw error;
    }
  }

  /** Statements have few texts, since everything variable is bound: each is prepared once. */
  #prepare(statement: SqlFragment): SqliteStatement {
    const text = textOf(statement);
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(text);
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

/**
 * SQLite ignores busy_timeout while the journal's mode changes: of processes that start together on a
 * new file, all but one would fail.
 */
function turnOnWal(database: SqliteDatabase): void {
  const until = Date.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() >= until) throw error;
      pause(1 + Math.random() * LONGEST_PAUSE);
    }
  }
}

function isBusy(error: unknown): boolean {
  return /locked|busy/i.test(messageOf(error));
}

/** Blocks the thread, as the synchronous client does. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** True for what has the shape of a synchronous client. */
export function isDatabase(client: object): client is SqliteDatabase {
  const { exec, prepare } = client as Partial<SqliteDatabase>;
  return typeof exec === "function" && typeof prepare === "function";
}
