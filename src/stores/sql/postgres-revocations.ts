// `postgresRevocations`: revocations in PostgreSQL, followed by every process. Each row names the
// transaction that wrote it, and a poll asks for the rows of all transactions that the last poll's
// snapshot couldn't see: a late commit is found, and no row is read twice.
import { type FollowOptions, followReaders } from "../../revocations/follower.ts";
import { readOptions, unchecked } from "../../base/options.ts";
import { MAX_SKEW } from "../../base/time.ts";
import type {
  AppendedRevocation,
  RevocationEntry,
  RevocationLog,
  RevocationPage,
} from "../../revocations/revocations.ts";
import { StoreError, type StoreOperation } from "../../errors.ts";
import { encodeText } from "./codec.ts";
import { raw, sql, type SqlFragment, tableName, tableOption } from "./fragment.ts";
import { PostgresClient, type PostgresConnection } from "./postgres-client.ts";
import {
  appendedColumns,
  mergedColumns,
  readAppended,
  readRecord,
  recordColumns,
} from "./revocation-rows.ts";
import type { SqlRow } from "./session-store.ts";
import { TableFollower, type TableRevocations } from "./table-follower.ts";

/** Where the log is, and how it is followed. */
export interface PostgresRevocationsOptions extends FollowOptions {
  /** A client as of `SessionPostgresStore`. */
  readonly client: PostgresConnection;
  /** The table's name, or schema.name. Default "kocha_revocations". */
  readonly table?: string | undefined;
}

/** Revocations that can make their own table. */
export type PostgresRevocations = TableRevocations;

const DEFAULT_TABLE = "kocha_revocations";
/** Rows of one answer. */
const PAGE = 2000;
/** Not now(), which stands still in a transaction. */
const clock = raw("floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
/** The reach of a revocation of now, as in `toRecord`. */
const reachOfNow = raw(`now + ${MAX_SKEW}`);
const words = { least: raw("least"), greatest: raw("greatest") };

/**
 * The statements that make the log's table, for migration tools; `createTable()` runs them. The
 * package has them for the default name in dist/sql/postgres-revocations.sql.
 * @param table - as the option.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function postgresRevocationsSql(table: string = DEFAULT_TABLE): readonly string[] {
  const [name = ""] = tableName(table, '"').chunks;
  const plain = table.slice(table.indexOf(".") + 1);
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  since bigint NOT NULL,
  until bigint NOT NULL,
  bound_before bigint NOT NULL,
  spared_before bigint NOT NULL,
  written_by bigint NOT NULL DEFAULT txid_current(),
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  spared text COLLATE "C",
  nonce text COLLATE "C",
  PRIMARY KEY (kind, id)
);`,
    `CREATE INDEX IF NOT EXISTS "${plain}_written_by" ON ${name} (written_by);`,
    `CREATE INDEX IF NOT EXISTS "${plain}_until" ON ${name} (until);`,
  ];
}

/** Where the next read begins: after the last snapshot, or after the last row of an unfinished answer. */
interface Cursor {
  /** The snapshot up to which rows are known; "": no row is. */
  readonly known: string;
  /** The snapshot of the first of several answers. */
  readonly seen?: string;
  readonly after?: readonly [kind: string, id: string];
}

/** The log in one table. */
export class PostgresRevocationLog implements RevocationLog {
  readonly #page: number;
  readonly #client: PostgresClient;
  readonly #table: SqlFragment;
  readonly #name: string;

  /** @param page - rows of one answer. */
  constructor(client: PostgresClient, table: string, page: number = PAGE) {
    this.#page = page;
    this.#client = client;
    this.#table = tableName(table, '"');
    this.#name = table;
  }

  async createTable(): Promise<void> {
    await this.#client.make(postgresRevocationsSql(this.#name));
  }

  async append(entry: RevocationEntry): Promise<AppendedRevocation> {
    const { kind, id, ttl, before, except, nonce = null } = entry;
    const isSubject = kind === "subject";
    const reach =
      before === undefined
        ? reachOfNow
        : sql`CASE WHEN ${Math.floor(before)}::bigint >= now THEN ${reachOfNow} ELSE ${Math.floor(before)}::bigint END`;
    const [row] = await this.#rows(
      "revoke",
      // The first entry's nonce stays.
      sql`INSERT INTO ${this.#table} AS known (${appendedColumns}, written_by)
SELECT ${kind}::text, ${encodeText(id)}::text, now, now + ${Math.ceil(ttl)}::bigint, ${isSubject ? reach : raw("0")}, ${(isSubject ? except : undefined) ?? null}::text, 0, ${nonce}::text, txid_current()
FROM (SELECT ${clock} AS now) AS time
ON CONFLICT (kind, id) DO UPDATE SET (since, until, bound_before, spared, spared_before, written_by) = (${mergedColumns("known", "excluded", words)}, txid_current())
RETURNING ${appendedColumns}`,
    );
    return readAppended(row, entry);
  }

  async read(cursor: string | undefined): Promise<RevocationPage> {
    const { known, seen, after }: Cursor =
      cursor === undefined ? { known: "" } : (JSON.parse(cursor) as Cursor);
    const snapshot = sql`${known}::text::txid_snapshot`;
    const isNew =
      known === ""
        ? raw("true")
        : sql`written_by >= txid_snapshot_xmin(${snapshot}) AND NOT txid_visible_in_snapshot(written_by, ${snapshot})`;
    const isNext =
      after === undefined ? raw("true") : sql`(kind, id) > (${after[0]}::text, ${after[1]}::text)`;
    const rows = await this.#rows(
      "load",
      sql`SELECT (SELECT txid_current_snapshot()::text) AS seen, (SELECT ${clock}) AS now, log.*
FROM (SELECT 1) AS one LEFT JOIN (
  SELECT ${recordColumns} FROM ${this.#table} WHERE ${isNew} AND ${isNext} ORDER BY kind, id LIMIT ${this.#page}
) AS log ON true`,
    );
    const current = String(rows[0]?.["seen"]);
    // A restored database is behind: read all of it.
    if (known !== "" && endOf(current) < endOf(known)) return this.read(undefined);
    const records = rows.flatMap((row) => readRecord(row) ?? []);
    const first = seen ?? current;
    const last = rows.at(-1);
    const more = rows.length === this.#page;
    const next: Cursor = more
      ? { known, seen: first, after: [String(last?.["kind"]), String(last?.["id"])] }
      : { known: first };
    return { records, cursor: JSON.stringify(next), more, now: Number(rows[0]?.["now"]) };
  }

  async sweep(limit: number): Promise<number> {
    const [row] = await this.#rows(
      "sweep",
      sql`WITH gone AS (
  DELETE FROM ${this.#table} WHERE until <= ${clock} AND ctid = ANY (ARRAY (
    SELECT ctid FROM ${this.#table} WHERE until <= ${clock} ORDER BY until LIMIT ${limit} FOR UPDATE SKIP LOCKED
  )) RETURNING 1
) SELECT count(*)::integer AS gone FROM gone`,
    );
    return Number(row?.["gone"] ?? 0);
  }

  #rows(operation: StoreOperation, statement: SqlFragment): Promise<readonly SqlRow[]> {
    // Reads, too: inside a transaction one can go on seeing an old state.
    return this.#client.rows(statement, operation, true).catch((cause: unknown) => {
      if (!PostgresClient.isMissingTable(cause)) throw cause;
      const message = `the table ${this.#name} isn't there; createTable() makes it, or what postgresRevocationsSql() gives`;
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    });
  }
}

/** The first transaction after a snapshot "xmin:xmax:…". */
function endOf(snapshot: string): bigint {
  return BigInt(snapshot.split(":", 2)[1] ?? 0);
}

/**
 * Revocations in PostgreSQL 12 or later. Its table is made by `createTable()`, or by a migration.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD
 */
export function postgresRevocations(options: PostgresRevocationsOptions): PostgresRevocations {
  const read = readOptions("postgresRevocations", options, {
    client: unchecked,
    table: tableOption(DEFAULT_TABLE, "schema"),
    ...followReaders(),
  });
  const log = new PostgresRevocationLog(new PostgresClient(read.client), read.table);
  return new TableFollower(log, read);
}
