// mysql2 behind one call: run this SQL, prepared. Settings of the application for its own queries don't
// change our answers. It knows no session.
import { fail } from "../../base/options.ts";
import { kindOf } from "../../base/text.ts";
import { StoreError, type StoreOperation } from "../../errors.ts";
import { rowsOf, type SqlRow } from "./answer.ts";
import type { SqlFragment } from "./fragment.ts";
import { describeOther } from "./other-clients.ts";
import { retrying } from "./retry.ts";

/** A Pool or a Connection of mysql2/promise. */
export interface MysqlPromiseConnection {
  execute(options: MysqlQuery, values?: never[]): Promise<readonly unknown[]>;
}

/** A Pool or a Connection of mysql2 with callbacks. */
export interface MysqlCallbackConnection {
  promise(): MysqlPromiseConnection;
}

/** A statement as mysql2 takes it. */
export interface MysqlQuery {
  sql: string;
  rowsAsArray: boolean;
  nestTables: boolean;
  typeCast: (field: unknown, next: () => unknown) => unknown;
}

/** A connected Pool or Connection of mysql2, with promises or with callbacks. */
export type MysqlConnection = MysqlPromiseConnection | MysqlCallbackConnection;

/** The answer to a statement without rows. */
export interface MysqlAnswer {
  readonly affectedRows: number;
  /** The argument of LAST_INSERT_ID(expression) as an unsigned 64-bit number; 0 where it wasn't called. */
  readonly insertId: bigint;
}

/** mysql2's form of an OK packet; the id is text with `bigNumberStrings`. */
interface ResultSetHeader {
  readonly affectedRows: number;
  readonly insertId: number | string;
  readonly serverStatus: number;
}

const EXPECTED = "a Pool or a connected Connection of mysql2 or mysql2/promise";
/** ER_LOCK_DEADLOCK, and ER_CHECKREAD under innodb_snapshot_isolation: undone whole. */
const UNDONE: ReadonlySet<unknown> = new Set([1213, 1020]);
/** ER_NO_SUCH_TABLE */
const NO_TABLE = 1146;

/** SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the OK packet's status. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** Runs SQL on a client of the user's. */
export class MysqlClient {
  readonly #client: MysqlPromiseConnection;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is no such client, or is closed. */
  constructor(client: unknown) {
    this.#client = adapt(client);
  }

  /** The rows of a SELECT. */
  async rows(operation: StoreOperation, statement: SqlFragment): Promise<readonly SqlRow[]> {
    return rowsOf(operation, await this.#run(operation, statement));
  }

  /**
   * Runs a statement that writes.
   * @throws {StoreError} ERR_SESSION_STORE_FAILED when the write isn't committed.
   */
  async write(operation: StoreOperation, statement: SqlFragment): Promise<MysqlAnswer> {
    const answer = await this.#run(operation, statement);
    const { affectedRows, insertId, serverStatus } = (answer ?? {}) as Partial<ResultSetHeader>;
    if (typeof affectedRows !== "number" || insertId === undefined) {
      const message = `the client gave ${kindOf(answer)} in place of mysql2's ResultSetHeader`;
      throw new StoreError("ERR_SESSION_STORE_ANSWER", operation, message);
    }
    if (typeof serverStatus === "number") checkCommitted(operation, serverStatus);
    return { affectedRows, insertId: BigInt.asUintN(64, BigInt(String(insertId))) };
  }

  /** The answer to a statement, which is run again at most three times when the server undid it. */
  async #run(operation: StoreOperation, statement: SqlFragment): Promise<unknown> {
    const text = statement.chunks.join("?");
    const answer = await retrying(
      () => this.#execute(text, statement.values),
      (error) => UNDONE.has(numberOf(error)),
    );
    // mysql2 gives the answer and the fields of its columns.
    return rowsOf(operation, answer)[0];
  }

  #execute(text: string, values: readonly unknown[]): Promise<unknown> {
    const options = { sql: text, rowsAsArray: false, nestTables: false, typeCast: asItIs };
    return this.#client.execute(options, [...values] as never[]);
  }

  /** True for the error of a missing table. */
  static isMissingTable(error: unknown): boolean {
    return numberOf(error) === NO_TABLE;
  }
}

/** A `typeCast` that changes nothing; only a function overrides the connection's own. */
function asItIs(_field: unknown, next: () => unknown): unknown {
  return next();
}

/** Throws with autocommit off, too: then nothing is committed, even outside of a transaction. */
function checkCommitted(operation: StoreOperation, status: number): void {
  if ((status & IN_TRANSACTION) === 0 && (status & AUTOCOMMIT) !== 0) return;
  throw uncommitted(operation);
}

/** The error of a connection on which a statement of the store isn't committed by itself. */
export function uncommitted(operation: StoreOperation): StoreError {
  const message =
    "the connection has autocommit off, or a transaction of the application's open, so nothing " +
    "is committed; give the store a Pool or a Connection of its own with autocommit on";
  return new StoreError("ERR_SESSION_STORE_FAILED", operation, message);
}

function adapt(client: unknown): MysqlPromiseConnection {
  const other = describeOther(client);
  if (other !== undefined) refuse(`${other}; it must be ${EXPECTED}`);
  const { execute, promise } = (client ?? {}) as { execute?: unknown; promise?: unknown };
  if (typeof client !== "object" || typeof execute !== "function") {
    const hint = typeof client === "object" && client !== null ? " without a method execute" : "";
    refuse(`must be ${EXPECTED}, not ${kindOf(client)}${hint}`);
  }
  const isCallback = typeof promise === "function";
  const { pool, connection } = client as { pool?: unknown; connection?: unknown };
  const core = (isCallback ? client : (pool ?? connection)) as Readonly<Record<string, unknown>>;
  // mysql2 has no public field for it.
  if (core?.["_closed"] === true || core?.["_closing"] === true) {
    refuse(`is closed; it must be ${EXPECTED}`);
  }
  return isCallback
    ? (client as MysqlCallbackConnection).promise()
    : (client as MysqlPromiseConnection);
}

function numberOf(error: unknown): unknown {
  return (error as { errno?: unknown } | null | undefined)?.errno;
}

function refuse(message: string): never {
  return fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
