// The synchronous SQLite clients behind one call: run this SQL. It keeps prepared statements and sets
// a database up for several processes. It knows no session.
import { kindOf } from "../../base/text.ts";
import { fail } from "../../base/options.ts";
import type { SqlFragment } from "./fragment.ts";
import { describeOther } from "./other-clients.ts";

/** A prepared statement, as node:sqlite, better-sqlite3 and libsql have it. */
export interface SqliteStatement {
  all(...values: SqliteValue[]): unknown[];
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
}

/** A value bound to a statement. */
export type SqliteValue = string | number | null;

/** An open database of node:sqlite (DatabaseSync), better-sqlite3 or libsql. */
export interface SqliteDatabase {
  exec(text: string): unknown;
  prepare(text: string): SqliteStatement;
}

const EXPECTED =
  "an open database of node:sqlite (new DatabaseSync(path)), better-sqlite3 or libsql " +
  "(new Database(path))";

/** Between two tries to turn on WAL, at most, in milliseconds. */
const LONGEST_PAUSE = 20;

/** How long a statement waits for another process's write, in milliseconds; a `busy_timeout` that is set already stays. */
const BUSY_TIMEOUT = 5000;

/** Runs SQL on a database of the user's. */
export class SqliteClient {
  readonly #database: SqliteDatabase;
  readonly #prepared = new Map<string, SqliteStatement>();
  /** True for a database in a file, which outlives the process. */
  readonly isFile: boolean;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is no open database. */
  constructor(database: unknown) {
    const other = describeOther(database);
    if (other !== undefined) refuse(`${other}; it must be ${EXPECTED}`);
    if (!isDatabase(database)) {
      refuse(`must be ${EXPECTED}, not ${kindOf(database)}${hintFor(database)}`);
    }
    const { open, isOpen } = database as { open?: unknown; isOpen?: unknown };
    if (open === false || isOpen === false) refuse(`is closed; it must be ${EXPECTED}`);
    this.#database = database;
    try {
      const [file] = database.prepare("PRAGMA database_list").all() as { file?: unknown }[];
      this.isFile = typeof file?.file === "string" && file.file !== "";
      // ORDER: the wait comes first, as processes that start together all want to turn on WAL.
      const [wait] = database.prepare("PRAGMA busy_timeout").all() as { timeout?: unknown }[];
      if (Number(wait?.timeout) === 0) database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      turnOnWal(database);
    } catch (cause) {
      // libsql's message for a PRAGMA that returns a row, as most do.
      if (messageOf(cause) === "Execute returned rows") {
        refuse(
          "is of libsql 0.3 or older, whose exec takes no statement with rows; take 0.4 or later",
        );
      }
      refuse(`can't be used (${messageOf(cause)}); it must be ${EXPECTED} that can be written to`);
    }
  }

  /** The rows of a statement. */
  rows(statement: SqlFragment): Record<string, unknown>[] {
    const values = statement.values as SqliteValue[];
    return this.#prepare(statement).all(...values) as Record<string, unknown>[];
  }

  /** Runs a statement without rows, and gives the number of changed ones. */
  run(statement: SqlFragment): number {
    return Number(this.#prepare(statement).run(...(statement.values as SqliteValue[])).changes);
  }

  /** Runs statements without values. */
  exec(text: string): void {
    this.#database.exec(text);
  }

  /**
   * Makes a table, and tries a write that changes nothing: with a read-only file or `query_only`, CREATE
   * TABLE IF NOT EXISTS succeeds where the table exists.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when the database can't be written to.
   */
  make(text: string, table: string): void {
    try {
      this.exec(text);
      this.exec(`DELETE FROM "${table}" WHERE 0`);
    } catch (cause) {
      const message = messageOf(cause);
      if (/readonly/i.test(message)) {
        refuse(`can only be read (${message}); it must be ${EXPECTED} that can be written to`);
      }
      // Where the table exists, a busy database doesn't prevent the start.
      if (!isBusy(cause) || !this.hasTable(table)) throw cause;
    }
  }

  /** True where the table exists. */
  hasTable(name: string): boolean {
    const text = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
    return this.#database.prepare(text).all(name).length > 0;
  }

  /** Statements have few texts, since everything variable is bound: each is prepared once. */
  #prepare(statement: SqlFragment): SqliteStatement {
    const text = statement.chunks.join("?");
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

function isDatabase(value: unknown): value is SqliteDatabase {
  const { exec, prepare } = (value ?? {}) as Partial<SqliteDatabase>;
  return typeof value === "object" && typeof exec === "function" && typeof prepare === "function";
}

function hintFor(value: unknown): string {
  if (typeof value === "string") return "; open the file first";
  if (typeof value === "function") return "; call it with new and the file's path";
  return "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
