// `sqliteRevocations`: revocations in a SQLite file, followed by every process of its machine. A changed
// record gets a new number, and only one process writes at a time, so numbers appear in order.
import {
  type FollowOptions,
  followReaders,
  RevocationFollower,
} from "../../revocations/follower.ts";
import {
  type AppendedRevocation,
  type RevocationEntry,
  type RevocationLog,
  type RevocationPage,
  type Revocations,
  toRecord,
} from "../../revocations/revocations.ts";
import { clock, readOptions, unchecked } from "../../base/options.ts";
import { encodeText } from "./codec.ts";
import { raw, sql, type SqlFragment, tableName, tableOption } from "./fragment.ts";
import {
  appendedColumns,
  mergedColumns,
  readAppended,
  readRecord,
  recordColumns,
} from "./revocation-rows.ts";
import { SqliteClient, type SqliteDatabase } from "./sqlite-client.ts";

/** Where the log is, and how it is followed. */
export interface SqliteRevocationsOptions extends FollowOptions {
  /** An open database of node:sqlite, better-sqlite3 or libsql. */
  readonly client: SqliteDatabase;
  /** The table's name. Default "kocha_revocations". */
  readonly table?: string | undefined;
  /** The log's clock, Unix milliseconds; all processes of one file must agree. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** Rows of one answer; the process blocks while they are read. */
const PAGE = 2000;

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
    client.make(
      `CREATE TABLE IF NOT EXISTS "${table}" (
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
);
CREATE INDEX IF NOT EXISTS "${table}_until" ON "${table}" (until);
`,
      table,
    );
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
    const [row] = this.#client.rows(statement);
    return readAppended(row, entry);
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const [newest] = this.#client.rows(
      sql`SELECT seq FROM sqlite_sequence WHERE name = ${this.#name}`,
    );
    // A restored file has smaller numbers: read all of it.
    const isBehind = Number(newest?.["seq"] ?? 0) < Number(cursor ?? 0);
    const start = isBehind ? 0 : Number(cursor ?? 0);
    const rows = this.#client.rows(
      sql`SELECT number, ${recordColumns} FROM ${this.#table} WHERE number > ${start} ORDER BY number LIMIT ${this.#page}`,
    );
    const last = rows.at(-1)?.["number"] ?? start;
    const records = rows.flatMap((row) => readRecord(row) ?? []);
    return {
      records,
      cursor: String(Number(last)),
      more: rows.length === this.#page,
      now: this.#now(),
    };
  }

  async sweep(limit: number): Promise<number> {
    return this.#client.run(
      sql`DELETE FROM ${this.#table} WHERE number IN (SELECT number FROM ${this.#table} WHERE until <= ${Math.floor(this.#now())} ORDER BY until LIMIT ${limit})`,
    );
  }
}

/**
 * Revocations in a SQLite file; it makes its own table.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function sqliteRevocations(options: SqliteRevocationsOptions): Revocations {
  const read = readOptions("sqliteRevocations", options, {
    client: unchecked,
    table: tableOption("kocha_revocations"),
    now: clock(),
    ...followReaders(),
  });
  const client = new SqliteClient(read.client);
  return new RevocationFollower(new SqliteRevocationLog(client, read.table, read.now), read);
}
