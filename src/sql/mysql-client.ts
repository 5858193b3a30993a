// mysql2 behind one call: run this SQL, prepared. What the driver's user has set for his own
// queries doesn't change what we get; it knows no session.
import { kindOf } from "../core/text.ts";
import { ConfigError } from "../errors.ts";
import type { SqlFragment } from "./fragment.ts";
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
  typeCast: (field: unknown, next: () => unknown) => unknown;
}

/** A connected Pool or Connection of mysql2, with promises or with callbacks. */
export type MysqlConnection = MysqlPromiseConnection | MysqlCallbackConnection;

/** What a statement gave. */
export interface MysqlAnswer {
  /** Of a SELECT; else none. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly affectedRows: number;
  /** What LAST_INSERT_ID(expression) was given, 64 bits without a sign; else 0. */
  readonly insertId: bigint;
}

const EXPECTED = "a Pool or a connected Connection of mysql2 or mysql2/promise";
/** ER_LOCK_DEADLOCK, and ER_CHECKREAD under innodb_snapshot_isolation: undone whole. */
const UNDONE: ReadonlySet<unknown> = new Set([1213, 1020]);
/** ER_NO_SUCH_TABLE */
const NO_TABLE = 1146;

/** Runs SQL on a client of the user's. */
export class MysqlClient {
  readonly #client: MysqlPromiseConnection;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is no such client, or is closed. */
  constructor(client: unknown) {
    this.#client = adapt(client);
  }

  /** Runs a statement, again at most three times when the server undid it. */
  async run(statement: SqlFragment): Promise<MysqlAnswer> {
    const text = statement.chunks.join("?");
    const answer = await retrying(
      () => this.#execute(text, statement.values),
      (error) => UNDONE.has(numberOf(error)),
    );
    if (Array.isArray(answer)) return { rows: answer, affectedRows: 0, insertId: 0n };
    const { affectedRows, insertId } = answer as { affectedRows: number; insertId: unknown };
    return { rows: [], affectedRows, insertId: BigInt.asUintN(64, BigInt(String(insertId))) };
  }

  async #execute(text: string, values: readonly unknown[]): Promise<unknown> {
    const options = { sql: text, rowsAsArray: false, typeCast: asItIs };
    const [answer] = await this.#client.execute(options, [...values] as never[]);
    return answer;
  }

  /** Whether an error says that a table isn't there. */
  static isMissingTable(error: unknown): boolean {
    return numberOf(error) === NO_TABLE;
  }
}

/** Only a function takes the place of one that the connection has. */
function asItIs(_field: unknown, next: () => unknown): unknown {
  return next();
}

function adapt(client: unknown): MysqlPromiseConnection {
  const { execute, promise } = (client ?? {}) as { execute?: unknown; promise?: unknown };
  if (typeof client !== "object" || typeof execute !== "function") {
    const hint = typeof client === "object" && client !== null ? " without a method execute" : "";
    fail(`must be ${EXPECTED}, not ${kindOf(client)}${hint}`);
  }
  const isCallback = typeof promise === "function";
  const { pool, connection } = client as { pool?: unknown; connection?: unknown };
  const core = (isCallback ? client : (pool ?? connection)) as Readonly<Record<string, unknown>>;
  // mysql2 has no public word for it.
  if (core?.["_closed"] === true || core?.["_closing"] === true) {
    fail(`is closed; it must be ${EXPECTED}`);
  }
  return isCallback
    ? (client as MysqlCallbackConnection).promise()
    : (client as MysqlPromiseConnection);
}

function numberOf(error: unknown): unknown {
  return (error as { errno?: unknown } | null | undefined)?.errno;
}

function fail(message: string): never {
  throw new ConfigError("ERR_SESSION_CONFIG_STORE", "client", message);
}
