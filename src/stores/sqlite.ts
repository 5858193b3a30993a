// Sessions in SQLite: a file of one machine, also with several processes; a database of D1 or libsql that
// many share; the storage of one Durable Object. Each statement is atomic, and carries only what changed.
import { type Awaitable, chain, recover } from "../base/awaitable.ts";
import { clock, readOptions, unchecked } from "../base/options.ts";
import { utf8Length } from "../base/text.ts";
import { LimitError, type StoreOperation } from "../errors.ts";
import { mayEndSooner } from "../store/change.ts";
import type { SavedSession, SessionChange, StoreCapabilities } from "../store/contract.ts";
import { encodeData, encodeKeys, encodePatch } from "./sql/codec.ts";
import { list, raw, sql, type SqlFragment, tableName, tableOption } from "./sql/fragment.ts";
import {
  type NewRow,
  newRow,
  SqlSessionStore,
  type SqlDialect,
  type SqlRow,
} from "./sql/session-store.ts";
import { isTooBig, type SqliteClient, throwFailure } from "./sql/sqlite-client.ts";
import { sqliteClient, type SqliteConnection } from "./sql/sqlite-clients.ts";

export type { SqliteConnection } from "./sql/sqlite-clients.ts";
export type { SqliteD1, SqliteD1Statement } from "./sql/sqlite-d1.ts";
export type { SqliteLibsqlClient } from "./sql/sqlite-libsql.ts";
export type { SqliteObjectStorage } from "./sql/sqlite-object.ts";
export type { SqliteDatabase, SqliteStatement } from "./sql/sqlite-synchronous.ts";
export type { SqliteValue } from "./sql/sqlite-client.ts";
export {
  type SqliteRevocations,
  sqliteRevocations,
  type SqliteRevocationsOptions,
  sqliteRevocationsSql,
} from "./sql/sqlite-revocations.ts";

/** The database, the table and the clock of a SQLite store. */
export interface SessionSqliteStoreOptions {
  /**
   * An open database of node:sqlite, better-sqlite3, libsql or bun:sqlite, best one that nothing else uses;
   * a client of `@libsql/client`; a D1Database, never a session of one; or `ctx.storage.sql` of a
   * Durable Object.
   */
  readonly client: SqliteConnection;
  /** The table's name. Default "kocha_sessions". */
  readonly table?: string | undefined;
  /** The clock, Unix milliseconds; all processes of one database must agree. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

const DEFAULT_TABLE = "kocha_sessions";

/**
 * The statements that make the store's table, for migration tools; `createTable()` runs them. The
 * package has them for the default name in dist/sql/sqlite-sessions.sql.
 *
 * With rowids: without them a row of 1.3 KB took 4.7 KB, since the tree of an index moves rows over a quarter
 * of a page to overflow pages. There is no index on `expires`, which each commit moves: `due` is when a
 * sweep has to look at the row, the end that it had when a sweep last saw it.
 * @param table - as the store's option.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function sqliteSessionsSql(table: string = DEFAULT_TABLE): readonly string[] {
  const name = tableOption(table)(table, "table");
  return [
    `CREATE TABLE IF NOT EXISTS "${name}" (
  id TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  rev INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  meta TEXT NOT NULL,
  subject TEXT,
  due INTEGER NOT NULL
);`,
    `CREATE INDEX IF NOT EXISTS "${name}_due" ON "${name}" (due);`,
    `CREATE INDEX IF NOT EXISTS "${name}_subject" ON "${name}" (subject, id) WHERE subject IS NOT NULL;`,
  ];
}

/** A store in a SQLite database: atomic between processes, durable as the database is. */
export class SessionSqliteStore extends SqlSessionStore {
  readonly capabilities: StoreCapabilities;
  readonly #client: SqliteClient;
  readonly #name: string;
  protected override readonly newRow: NewRow = dueRow;

  /**
   * Takes the client. With a synchronous one it makes the table, and turns on WAL for a file.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
   */
  constructor(options: SessionSqliteStoreOptions) {
    const { client, table, now } = readOptions("SessionSqliteStore", options, {
      client: unchecked,
      table: tableOption(DEFAULT_TABLE),
      now: clock(),
    });
    super(tableName(table, '"'), dialectOf(now));
    this.#client = sqliteClient(client);
    this.#name = table;
    const { isDurable, isSynchronous } = this.#client;
    this.capabilities = { atomic: true, expects: true, durable: isDurable, lists: true };
    if (isSynchronous) void this.#client.make(sqliteSessionsSql(table), table);
  }

  /**
   * Makes the table and its indexes where they aren't there; safe at every start of every process. With a
   * synchronous client the constructor has done it.
   */
  async createTable(): Promise<void> {
    await this.#client.make(sqliteSessionsSql(this.#name), this.#name);
  }

  /** @throws {LimitError} ERR_SESSION_LIMIT_SESSION for a row that the database doesn't take. */
  override save(selector: string, change: SessionChange): Awaitable<SavedSession | undefined> {
    const { maxRowBytes } = this.#client;
    if (maxRowBytes === undefined) return super.save(selector, change);
    return recover(
      () => super.save(selector, change),
      (cause) => {
        if (!isTooBig(cause)) throw cause;
        return this.#refuse(selector, change, maxRowBytes, cause);
      },
    );
  }

  protected rows(operation: StoreOperation, statement: SqlFragment): Awaitable<readonly SqlRow[]> {
    return recover(
      () => this.#client.rows(operation, statement),
      (cause) => throwFailure(operation, this.#name, "sqliteSessionsSql", cause),
    );
  }

  protected remove(operation: StoreOperation, statement: SqlFragment): Awaitable<number> {
    return recover(
      () => this.#client.run(operation, statement),
      (cause) => throwFailure(operation, this.#name, "sqliteSessionsSql", cause),
    );
  }

  protected override created(selector: string, change: SessionChange): SqlFragment {
    return list([super.created(selector, change), this.ends(change) ?? raw("0")]);
  }

  /** `due` follows an end that may come forward, but no renewal. */
  protected override assignments(change: SessionChange): SqlFragment[] {
    const assignments = super.assignments(change);
    const ends = mayEndSooner(change) ? this.ends(change) : undefined;
    if (ends !== undefined) assignments.push(sql`due = ${ends}`);
    return assignments;
  }

  protected sweeping(limit: number): SqlFragment {
    const now = this.dialect.now();
    return sql`DELETE FROM ${this.table} WHERE id IN (SELECT id FROM ${this.table} WHERE due <= ${now} AND expires <= ${now} ORDER BY due LIMIT ${limit})`;
  }

  /** Sets back the rows that were renewed since a sweep saw them, so that the next one passes them by. */
  protected override removeExpired(limit: number): Awaitable<number> {
    const now = this.dialect.now();
    const renewed = sql`UPDATE ${this.table} SET due = expires WHERE id IN (SELECT id FROM ${this.table} WHERE due <= ${now} AND expires > ${now} ORDER BY due LIMIT ${limit})`;
    return chain(this.remove("sweep", renewed), () => super.removeExpired(limit));
  }

  /** Throws for a row that is too large, with its size, which the patch doesn't tell. */
  #refuse(
    selector: string,
    change: SessionChange,
    limit: number,
    cause: unknown,
  ): Awaitable<never> {
    const before =
      change.op === "create" || change.clear === true ? undefined : this.load(selector);
    return chain(before, (stored) => {
      const data = new Map(stored?.data);
      for (const key of change.del) data.delete(key);
      for (const [key, value] of change.set) data.set(key, value);
      const actual = utf8Length(encodeData(data));
      const message =
        `the session needs ${actual} bytes in the database, which takes no row over ${limit}; ` +
        "keep less in the session, or lower maxSessionBytes";
      const error = new LimitError("ERR_SESSION_LIMIT_SESSION", message, { actual, limit });
      error.cause = cause;
      throw error;
    });
  }
}

const dueRow = newRow("due");

function dialectOf(now: () => number): SqlDialect {
  const bound = (value: string | number): SqlFragment => sql`${value}`;
  return {
    now: () => bound(Math.floor(now())),
    least: raw("min"),
    greatest: raw("max"),
    integer: bound,
    text: bound,
    subject: bound,
    json: bound,
    merged: (change) => sql`json_patch(data, ${encodePatch(change)})`,
    // CASE keeps the order: json_type throws for text that isn't JSON.
    isObject: raw("CASE WHEN json_valid(data) THEN json_type(data) = 'object' ELSE 0 END"),
    // No path: SQLite's compare keys by their text in another encoding of the JSON. All entries are one
    // value to bind, since D1 takes no more than 100.
    holds: (entries) =>
      sql`NOT EXISTS (SELECT 1 FROM json_each(${encodeData(entries)}) AS wanted WHERE (SELECT held.value FROM json_each(data) AS held WHERE held.key = wanted.key) IS NOT wanted.value)`,
    lacks: (keys) =>
      sql`NOT EXISTS (SELECT 1 FROM json_each(data) AS held WHERE held.key IN (SELECT value FROM json_each(${encodeKeys(keys)})))`,
    columns: raw("data, rev, generation, expires, meta"),
  };
}
