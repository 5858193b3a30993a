// `sqliteRevocations`: revocations in a SQLite database, followed by every process. A changed record gets a
// new number, and a database has one writer at a time, so numbers appear in order.
import { type FollowOptions, followReaders } from "../../revocations/follower.ts";
import {
  type AppendedRevocation,
  type RevocationEntry,
  type RevocationLog,
  type RevocationPage,
  toRecord,
} from "../../revocations/revocations.ts";
import { type Awaitable, recover } from "../../base/awaitable.ts";
import { clock, readOptions, unchecked } from "../../base/options.ts";
import type { StoreOperation } from "../../errors.ts";
import type { SqlRow } from "./answer.ts";
import { encodeText } from "./codec.ts";
import { raw, sql, type SqlFragment, tableName, tableOption } from "./fragment.ts";
import {
  appendedColumns,
  mergedColumns,
  readAppended,
  readRecord,
  recordColumns,
} from "./revocation-rows.ts";
import { type SqliteClient, throwFailure } from "./sqlite-client.ts";
import { sqliteClient, type SqliteConnection } from "./sqlite-clients.ts";
import { TableFollower, type TableRevocations } from "./table-follower.ts";

/** Where the log is, and how it is followed. */
export interface SqliteRevocationsOptions extends FollowOptions {
  /** A client as of `SessionSqliteStore`. */
  readonly client: SqliteConnection;
  /** The table's name. Default "kocha_revocations". */
  readonly table?: string | undefined;
  /** The log's clock, Unix milliseconds; all processes of one database must agree. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** Revocations that can make their own table. */
export type SqliteRevocations = TableRevocations;

const DEFAULT_TABLE = "kocha_revocations";
/** Rows of one answer; with a synchronous client the process blocks while they are read. */
const PAGE = 2000;

/**
 * The statements that make the log's table, for migration tools; `createTable()` runs them. The
 * package has them for the default name in dist/sql/sqlite-revocations.sql.
 * @param table - as the option.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function sqliteRevocationsSql(table: string = DEFAULT_TABLE): readonly string[] {
  const name = tableOption(table)(table, "table");
  return [
    `CREATE TABLE IF NOT EXISTS "${name}" (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  bound_before INTEGER NOT NULL,
  spared TEXT,
  spared_before INTEGER NOT NULL,
  nonce TEXT,
  UNIQUE (kind, id)
);`,
    `CREATE INDEX IF NOT EXISTS "${name}_until" ON "${name}" (until);`,
  ];
}

const merged = mergedColumns("known", "added", { least: raw("min"), greatest: raw("max") });
/** The existing row, or else one that adds nothing to the entry. */
const known = raw(`coalesce(there.since, added.since) AS since,
  coalesce(there.until, added.until) AS until,
  coalesce(there.bound_before, added.bound_before - 1) AS bound_before,
  CASE WHEN there.id IS NULL THEN added.spared ELSE there.spared END AS spared,
  coalesce(there.spared_before, added.spared_before) AS spared_before,
  CASE WHEN there.id IS NULL THEN added.nonce ELSE there.nonce END AS nonce`);

/** The log in one table. */
export class SqliteRevocationLog implements RevocationLog {
  readonly #page: number;
  readonly #client: SqliteClient;
  readonly #table: SqlFragment;
  readonly #name: string;
  readonly #now: () => number;

  /** @param page - rows of one answer. */
  constructor(client: SqliteClient, table: string, now: () => number, page: number = PAGE) {
    this.#page = page;
    this.#client = client;
    this.#table = tableName(table, '"');
    this.#name = table;
    this.#now = now;
    if (client.isSynchronous) void client.make(sqliteRevocationsSql(table), table);
  }

  async createTable(): Promise<void> {
    await this.#client.make(sqliteRevocationsSql(this.#name), this.#name);
  }

  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const added = toRecord(entry, Math.floor(this.#now()));
    const { kind, id, at, before, except = null, exceptBefore } = added;
    const until = Math.ceil(added.until);
    // ORDER: one statement, so that reading a row and replacing it are one step.
    const statement = sql`WITH added (kind, id, since, until, bound_before, spared, spared_before, nonce) AS (
  VALUES (${kind}, ${encodeText(id)}, ${at}, ${until}, ${Math.floor(before)}, ${except}, ${exceptBefore}, ${entry.nonce ?? null})
), known AS (
  SELECT ${known} FROM added LEFT JOIN ${this.#table} AS there ON there.kind = added.kind AND there.id = added.id
) INSERT OR REPLACE INTO ${this.#table} (${appendedColumns})
SELECT added.kind, added.id, ${merged}, known.nonce FROM added, known RETURNING ${appendedColumns}`;
    const [row] = await this.#rows("revoke", statement);
    return readAppended(row, entry);
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const reached = Number(cursor ?? 0);
    const newest = sql`SELECT seq FROM sqlite_sequence WHERE name = ${this.#name}`;
    // A restored database has smaller numbers: read all of it.
    const start = sql`CASE WHEN coalesce((${newest}), 0) < ${reached} THEN 0 ELSE ${reached} END`;
    const rows = await this.#rows(
      "load",
      sql`SELECT begun.start, log.* FROM (SELECT ${start} AS start) AS begun LEFT JOIN (
  SELECT number, ${recordColumns} FROM ${this.#table} WHERE number > ${start} ORDER BY number LIMIT ${this.#page}
) AS log ON true ORDER BY log.number`,
    );
    const last = rows.at(-1);
    const records = rows.flatMap((row) => readRecord(row) ?? []);
    return {
      records,
      cursor: String(Number(last?.["number"] ?? last?.["start"] ?? 0)),
      more: last?.["number"] !== null && rows.length === this.#page,
      now: this.#now(),
    };
  }

  async sweep(limit: number): Promise<number> {
    const statement = sql`DELETE FROM ${this.#table} WHERE number IN (SELECT number FROM ${this.#table} WHERE until <= ${Math.floor(this.#now())} ORDER BY until LIMIT ${limit})`;
    return this.#named("sweep", () => this.#client.run("sweep", statement));
  }

  #rows(operation: StoreOperation, statement: SqlFragment): Awaitable<readonly SqlRow[]> {
    return this.#named(operation, () => this.#client.rows(operation, statement));
  }

  #named<T>(operation: StoreOperation, call: () => Awaitable<T>): Awaitable<T> {
    return recover(call, (cause) =>
      throwFailure(operation, this.#name, "sqliteRevocationsSql", cause),
    );
  }
}

/**
 * Revocations in a SQLite database. A synchronous client's table is made at once; for the others
 * `createTable()` makes it, or a migration.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function sqliteRevocations(options: SqliteRevocationsOptions): SqliteRevocations {
  const read = readOptions("sqliteRevocations", options, {
    client: unchecked,
    table: tableOption(DEFAULT_TABLE),
    now: clock(),
    ...followReaders(),
  });
  const client = sqliteClient(read.client);
  return new TableFollower(new SqliteRevocationLog(client, read.table, read.now), read);
}
