// Sessions in a SQLite file: for one machine, also with several processes. The client is one of
// the synchronous ones, so a load and a commit cost no promise; it makes its own table.
import { StoreError, type StoreOperation } from "../errors.ts";
import { encodeInJson, encodePatch } from "./sql/codec.ts";
import { every, raw, sql, type SqlFragment, tableName, tableOption } from "./sql/fragment.ts";
import { SqlSessionStore, type SqlDialect, type SqlRow } from "./sql/session-store.ts";
import { SqliteClient, type SqliteDatabase } from "./sql/sqlite-client.ts";
import type { StoreCapabilities } from "../store/contract.ts";
import { clock, readOptions, unchecked } from "../base/options.ts";

export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sql/sqlite-client.ts";
export { sqliteRevocations, type SqliteRevocationsOptions } from "./sql/sqlite-revocations.ts";

/** The database, the table and the clock of a SQLite store. */
export interface SessionSqliteStoreOptions {
  /** An open database of node:sqlite, better-sqlite3 or libsql; best of its own, not shared. */
  readonly client: SqliteDatabase;
  /** The table's name. Default "kocha_sessions". */
  readonly table?: string | undefined;
  /** The clock, Unix milliseconds; all processes of one file must agree. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/**
 * The SQL that makes the table and its indexes. With rowids: without, a row of 1.3 KB took 4.7 KB,
 * since the tree of an index moves rows over a quarter of a page to overflow pages.
 */
function tableSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS "${table}" (
  id TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  rev INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  meta TEXT NOT NULL,
  subject TEXT
);
CREATE INDEX IF NOT EXISTS "${table}_expires" ON "${table}" (expires);
CREATE INDEX IF NOT EXISTS "${table}_subject" ON "${table}" (subject, id) WHERE subject IS NOT NULL;
`;
}

/** A store in a SQLite database: atomic between processes, durable as the file is. */
export class SessionSqliteStore extends SqlSessionStore {
  readonly capabilities: StoreCapabilities;
  readonly #client: SqliteClient;
  readonly #name: string;

  /**
   * Turns on WAL and makes the table.
   * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
   */
  constructor(options: SessionSqliteStoreOptions) {
    const { client, table, now } = readOptions("SessionSqliteStore", options, {
      client: unchecked,
      table: tableOption("kocha_sessions"),
      now: clock(),
    });
    super(tableName(table, '"'), dialectOf(now));
    this.#client = new SqliteClient(client);
    this.#name = table;
    this.capabilities = { atomic: true, expects: true, durable: this.#client.isFile, lists: true };
    this.#client.make(tableSql(table), table);
  }

  /** Makes the table and its indexes where they aren't there; the constructor has done it. */
  createTable(): void {
    this.#client.exec(tableSql(this.#name));
  }

  protected rows(operation: StoreOperation, statement: SqlFragment): readonly SqlRow[] {
    return this.#try(operation, () => this.#client.rows(statement));
  }

  protected remove(operation: StoreOperation, statement: SqlFragment): number {
    return this.#try(operation, () => this.#client.run(statement));
  }

  protected sweeping(limit: number): SqlFragment {
    return sql`DELETE FROM ${this.table} WHERE id IN (SELECT id FROM ${this.table} WHERE expires <= ${this.dialect.now()} ORDER BY expires LIMIT ${limit})`;
  }

  #try<T>(operation: StoreOperation, call: () => T): T {
    try {
      return call();
    } catch (cause) {
      // SQLite has no code of its own for a table that isn't there.
      if (this.#isTableThere()) throw cause;
      const message = `the table ${this.#name} isn't there; createTable() makes it`;
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    }
  }

  #isTableThere(): boolean {
    try {
      return this.#client.hasTable(this.#name);
    } catch {
      // The database itself fails, and says so.
      return true;
    }
  }
}

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
    holds: (entries) => every([...entries].map(([key, value]) => isHeld(key, encodeInJson(value)))),
    lacks: (keys) => every(keys.map((key) => isHeld(key, null))),
    columns: raw("data, rev, generation, expires, meta"),
  };
}

/** No path: SQLite's compare keys by their text in another encoding of the JSON. null: absent. */
function isHeld(key: string, value: string | null): SqlFragment {
  return sql`(SELECT value FROM json_each(data) WHERE key = ${encodeInJson(key)}) IS ${value}`;
}
