// What the SQLite store and its log of revocations ask of a database. Each kind of client has a file of its
// own, which answers it: at once or later. It knows no session.
import type { Awaitable } from "../../base/awaitable.ts";
import { fail } from "../../base/options.ts";
import { StoreError, type StoreOperation } from "../../errors.ts";
import type { SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";

/** A value bound to a statement. */
export type SqliteValue = string | number | null;

/** A SQLite database, whichever client leads to it. Each statement is a transaction of its own. */
export interface SqliteClient {
  /** True where statements are answered at once; then the store makes its table when it is made. */
  readonly isSynchronous: boolean;
  /** False for a database in the process's memory. */
  readonly isDurable: boolean;
  /** The most bytes that a row may have; undefined: more than any session has. */
  readonly maxRowBytes?: number;

  /** The rows of a statement. */
  rows(operation: StoreOperation, statement: SqlFragment): Awaitable<readonly SqlRow[]>;

  /** Runs a statement without rows, and gives the number of changed ones. */
  run(operation: StoreOperation, statement: SqlFragment): Awaitable<number>;

  /**
   * Runs the statements that make a table, where they haven't been run already.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when the database can't be written to, as far as the
   * client tells.
   */
  make(statements: readonly string[], table: string): Awaitable<void>;
}

/** A statement's text; all of SQLite's clients take question marks. */
export function textOf({ chunks }: SqlFragment): string {
  return chunks.join("?");
}

/** A statement's values; the SQLite store binds no bytes. */
export function valuesOf({ values }: SqlFragment): SqliteValue[] {
  return values as SqliteValue[];
}

/** The message of an error, which is all that most clients tell of SQLite's own. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for the error of a table that isn't there; SQLite has no code for it. */
export function isMissingTable(error: unknown): boolean {
  return /no such table/i.test(messageOf(error));
}

/** True for the error of a row that is larger than the database takes (SQLITE_TOOBIG). */
export function isTooBig(error: unknown): boolean {
  return /string or blob too big/i.test(messageOf(error));
}

/**
 * Throws a statement's error: that of a missing table with the way to make it.
 * @param maker - the function that gives the table's SQL.
 */
export function throwFailure(
  operation: StoreOperation,
  table: string,
  maker: string,
  cause: unknown,
): never {
  if (!isMissingTable(cause)) throw cause;
  const message = `the table ${table} isn't there; createTable() makes it, or what ${maker}() gives`;
  throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
}

/** @throws {ConfigError} ERR_SESSION_CONFIG_STORE: the client is none that the store takes. */
export function refuseClient(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
