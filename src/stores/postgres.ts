// Sessions in PostgreSQL: one UPDATE a commit, which sends the changed keys and is refused by its own
// WHERE. The clock is the database's. The user connects the client.
import { chain, type Awaitable } from "../base/awaitable.ts";
import { flag, readOptions, unchecked } from "../base/options.ts";
import { StoreError, type StoreOperation } from "../errors.ts";
import { checkColumn } from "./sql/answer.ts";
import { encodeData, encodeInJson, encodePatch } from "./sql/codec.ts";
import { every, raw, sql, type SqlFragment, tableName, tableOption } from "./sql/fragment.ts";
import { PostgresClient, type PostgresConnection } from "./sql/postgres-client.ts";
import { SqlSessionStore, type SqlDialect, type SqlRow } from "./sql/session-store.ts";

export type {
  PostgresConnection,
  PostgresNeon,
  PostgresQueryable,
  PostgresSql,
} from "./sql/postgres-client.ts";
export {
  type PostgresRevocations,
  postgresRevocations,
  type PostgresRevocationsOptions,
  postgresRevocationsSql,
} from "./sql/postgres-revocations.ts";

/** The client and the table of a PostgreSQL store. */
export interface SessionPostgresStoreOptions {
  /**
   * A Pool or a connected Client of pg, the function that postgres() of the package postgres returns, a
   * PGlite, or the function that neon() of @neondatabase/serverless returns.
   */
  readonly client: PostgresConnection;
  /** The table's name, or schema.name. Default "kocha_sessions". */
  readonly table?: string | undefined;
  /**
   * True: pg's connections keep the statements under names (`kocha_session_0`, …), so that a
   * statement's text travels once for each connection. Not behind a pooler in transaction mode, unless
   * it supports named statements (PgBouncer does from 1.21 on). The package postgres always does so;
   * PGlite has no network. Default false.
   */
  readonly prepare?: boolean | undefined;
}

const DEFAULT_TABLE = "kocha_sessions";

/**
 * The statements that make the store's table, for migration tools; `createTable()` runs them. The
 * package has them for the default name in dist/sql/postgres-sessions.sql.
 * @param table - as the store's option.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function postgresSessionsSql(table: string = DEFAULT_TABLE): readonly string[] {
  const [name = ""] = tableName(table, '"').chunks;
  const plain = table.slice(table.indexOf(".") + 1);
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  expires bigint NOT NULL,
  rev integer NOT NULL,
  generation integer NOT NULL,
  expires_day integer GENERATED ALWAYS AS ((expires / 86400000)::integer) STORED,
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  meta text NOT NULL,
  subject text COLLATE "C",
  data jsonb NOT NULL
) WITH (fillfactor = 70);`,
    `CREATE INDEX IF NOT EXISTS "${plain}_expires_day" ON ${name} (expires_day);`,
    `CREATE INDEX IF NOT EXISTS "${plain}_subject" ON ${name} (subject) WHERE subject IS NOT NULL;`,
  ];
}

const bound = (value: string | number): SqlFragment => sql`${value}`;
const now = raw("floor(extract(epoch FROM now()) * 1000)::bigint");

const dialect: SqlDialect = {
  now: () => now,
  least: raw("least"),
  greatest: raw("greatest"),
  integer: bound,
  text: bound,
  subject: bound,
  // As text first: a driver would serialize a jsonb parameter once more.
  json: (value) => sql`${value}::text::jsonb`,
  merged: (change) => {
    const patched = sql`data || ${encodePatch(change)}::text::jsonb`;
    return change.del.length > 0 ? sql`jsonb_strip_nulls(${patched})` : patched;
  },
  isObject: raw("jsonb_typeof(data) = 'object'"),
  // Containment compares bytes, by no collation, and all entries are one value to bind.
  holds: (entries) => sql`data @> ${encodeData(entries)}::text::jsonb`,
  lacks: (keys) => every(keys.map((key) => sql`data -> ${encodeInJson(key)}::text IS NULL`)),
  columns: raw("data::text AS data, rev, generation, expires, meta"),
};

/** A store in PostgreSQL: atomic, durable as the server is set up. */
export class SessionPostgresStore extends SqlSessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: true, lists: true } as const;
  readonly #client: PostgresClient;
  readonly #name: string;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionPostgresStoreOptions) {
    const { client, table, prepare } = readOptions("SessionPostgresStore", options, {
      client: unchecked,
      table: tableOption(DEFAULT_TABLE, "schema"),
      prepare: flag(false),
    });
    super(tableName(table, '"'), dialect);
    this.#client = new PostgresClient(client, prepare);
    this.#name = table;
  }

  /** Makes the table and its indexes where they aren't there; safe at every start of every process. */
  async createTable(): Promise<void> {
    await this.#client.make(postgresSessionsSql(this.#name));
  }

  protected rows(operation: StoreOperation, statement: SqlFragment): Promise<readonly SqlRow[]> {
    return this.#client.rows(statement, operation).catch((cause: unknown) => {
      if (!PostgresClient.isMissingTable(cause)) throw cause;
      const message = `the table ${this.#name} isn't there; createTable() makes it, or what postgresSessionsSql() gives`;
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    });
  }

  protected remove(operation: StoreOperation, statement: SqlFragment): Awaitable<number> {
    const counting = sql`WITH gone AS (${statement} RETURNING 1) SELECT count(*)::integer AS gone FROM gone`;
    return chain(this.rows(operation, counting), (rows) => {
      checkColumn(operation, rows, "gone");
      return Number(rows[0]?.["gone"]);
    });
  }

  /** Leaves rows that another sweep or a commit has locked. ARRAY runs the inner query once, as its LIMIT needs. */
  protected sweeping(limit: number): SqlFragment {
    return sql`DELETE FROM ${this.table} WHERE expires <= ${now} AND id = ANY (ARRAY (SELECT id FROM ${this.table} WHERE expires_day <= (${now} / 86400000)::integer AND expires <= ${now} ORDER BY expires_day LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
  }
}
