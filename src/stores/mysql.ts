// Sessions in MySQL or MariaDB: one UPDATE a commit, which sends the changed keys and is refused by its
// own WHERE. UPDATE has no RETURNING, so the answer is the argument of LAST_INSERT_ID(expression) in the
// server's OK packet, and 0 when no row matched. It doesn't depend on the FOUND_ROWS flag.
//
//   bits 63..31   the end in seconds, rounded down; all ones: never
//   bits 30..0    the generation
import { Buffer } from "node:buffer";
import { chain, type Awaitable } from "../base/awaitable.ts";
import { readOptions, unchecked } from "../base/options.ts";
import { isFenced } from "../store/change.ts";
import type { SavedSession, SessionChange } from "../store/contract.ts";
import { StoreError, type StoreOperation } from "../errors.ts";
import { encodeData, encodePatch, NEVER } from "./sql/codec.ts";
import { list, raw, sql, type SqlFragment, tableName, tableOption } from "./sql/fragment.ts";
import {
  type MysqlAnswer,
  MysqlClient,
  type MysqlConnection,
  uncommitted,
} from "./sql/mysql-client.ts";
import { SqlSessionStore, type SqlDialect, type SqlRow } from "./sql/session-store.ts";

export type {
  MysqlCallbackConnection,
  MysqlConnection,
  MysqlPromiseConnection,
  MysqlQuery,
} from "./sql/mysql-client.ts";

/** The client and the table of a MySQL store. */
export interface SessionMysqlStoreOptions {
  /** A Pool or a connected Connection of mysql2 or mysql2/promise. */
  readonly client: MysqlConnection;
  /** The table's name, or database.name. Default "kocha_sessions". */
  readonly table?: string | undefined;
}

const DEFAULT_TABLE = "kocha_sessions";
const GENERATION_BITS = 31;
const MAX_GENERATION = 2 ** GENERATION_BITS - 1;
const ENDLESS = 2 ** 33 - 1;

/**
 * The statements that make the store's table, for migration tools; `createTable()` runs them. The
 * package has them for the default name in dist/sql/mysql-sessions.sql.
 * @param table - as the store's option.
 * @throws {ConfigError} ERR_SESSION_CONFIG_FIELD
 */
export function mysqlSessionsSql(table: string = DEFAULT_TABLE): readonly string[] {
  const [name = ""] = tableName(table, "`").chunks;
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  id CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  data LONGTEXT NOT NULL,
  rev INT UNSIGNED NOT NULL,
  generation INT UNSIGNED NOT NULL,
  expires BIGINT NOT NULL,
  meta MEDIUMTEXT NOT NULL,
  subject MEDIUMBLOB,
  PRIMARY KEY (id),
  KEY expires (expires),
  KEY subject (subject(128)),
  CHECK (JSON_VALID(data))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;`,
  ];
}

// Of UTC_TIMESTAMP, since UNIX_TIMESTAMP(NOW()) is wrong for an hour where summer time ends.
const now = raw("(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)");
const NONE: ReadonlyMap<string, string> = new Map();
/** Text travels as bytes, so that a connection with another character set changes nothing. */
const text = (value: string): SqlFragment => sql`CONVERT(${Buffer.from(value)} USING utf8mb4)`;

const dialect: SqlDialect = {
  now: () => now,
  least: raw("LEAST"),
  greatest: raw("GREATEST"),
  // The driver sends numbers as doubles.
  integer: (value) => sql`CAST(${value} AS SIGNED)`,
  text,
  subject: (value) => sql`${Buffer.from(value)}`,
  json: text,
  merged,
  isObject: raw("CASE WHEN JSON_VALID(data) THEN JSON_TYPE(data) = 'OBJECT' ELSE 0 END"),
  holds: (entries) => sql`JSON_CONTAINS(data, ${text(encodeData(entries))})`,
  // No path: MariaDB's can't name every key. A patch makes the object longer by each key that is new.
  lacks: (keys) =>
    sql`JSON_LENGTH(JSON_MERGE_PATCH(data, ${text(encodeData(new Map(keys.map((key) => [key, ""]))))})) = JSON_LENGTH(data) + ${raw(String(keys.length))}`,
  // Without autocommit a connection goes on reading what was there at its first SELECT.
  columns: raw(
    "CAST(data AS BINARY) AS data, rev, generation, expires, CAST(meta AS BINARY) AS meta, @@autocommit AS autocommit",
  ),
};

/**
 * One patch for all keys that are set, and one for each that is deleted: MariaDB 10.11 overlooks some of
 * several nulls in one patch, and its JSON paths can't name every key.
 */
function merged({ del, set }: Pick<SessionChange, "del" | "set">): SqlFragment {
  const gone = del.filter((key) => !set.has(key));
  const patches = gone.map((key) => encodePatch({ del: [key], set: NONE }));
  if (set.size > 0) patches.push(encodeData(set));
  // Padded to a power of two, so that few statements are prepared; an empty patch does nothing.
  while (!Number.isInteger(Math.log2(patches.length))) patches.push("{}");
  return sql`JSON_MERGE_PATCH(data, ${list(patches.map(text))})`;
}

/** A store in MySQL or MariaDB: atomic, durable as the server is set up. */
export class SessionMysqlStore extends SqlSessionStore {
  readonly capabilities = { atomic: true, expects: true, durable: true, lists: true } as const;
  readonly #client: MysqlClient;
  readonly #name: string;

  /** @throws {ConfigError} ERR_SESSION_CONFIG_STORE or ERR_SESSION_CONFIG_FIELD */
  constructor(options: SessionMysqlStoreOptions) {
    const { client, table } = readOptions("SessionMysqlStore", options, {
      client: unchecked,
      table: tableOption(DEFAULT_TABLE, "database"),
    });
    super(tableName(table, "`"), dialect);
    this.#client = new MysqlClient(client);
    this.#name = table;
  }

  /** Makes the table where it isn't there; safe at every start of every process. */
  async createTable(): Promise<void> {
    for (const statement of mysqlSessionsSql(this.#name)) {
      // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
      await this.#client.write("save", raw(statement));
    }
  }

  protected async rows(operation: StoreOperation, statement: SqlFragment): Promise<SqlRow[]> {
    const rows = await this.#try(operation, this.#client.rows(operation, statement));
    return rows.map((row) => {
      const { data, meta, autocommit } = row;
      if (Number(autocommit) === 0) throw uncommitted(operation);
      if (data === null) {
        // The column is never NULL: CAST returns NULL for a value over max_allowed_packet.
        const message = "a session is larger than the connection's max_allowed_packet; raise it";
        throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message);
      }
      return { ...row, data: textOf(data), meta: textOf(meta) };
    });
  }

  protected async remove(operation: StoreOperation, statement: SqlFragment): Promise<number> {
    return (await this.#write(operation, statement)).affectedRows;
  }

  protected sweeping(limit: number): SqlFragment {
    return sql`DELETE FROM ${this.table} WHERE expires <= ${now} ORDER BY expires LIMIT ${raw(String(limit))}`;
  }

  protected override create(
    selector: string,
    change: SessionChange,
  ): Awaitable<SavedSession | undefined> {
    const isLive = sql`expires > ${now}`;
    const unlessLive = (column: string): SqlFragment =>
      sql`${raw(column)} = IF(${isLive}, ${raw(column)}, VALUES(${raw(column)}))`;
    // ORDER: assignments are made from left to right, so the end that decides comes last.
    const statement = sql`INSERT INTO ${this.table} (id, data, rev, generation, expires, meta, subject) VALUES (${this.created(selector, change)}) ON DUPLICATE KEY UPDATE generation = IF(${isLive}, LAST_INSERT_ID(0) + generation, VALUES(generation)), ${list(["data", "rev", "meta", "subject", "expires"].map(unlessLive))}`;
    return chain(this.#write("save", statement), ({ insertId }) => toAnswer(1, insertId));
  }

  protected override firstGeneration(change: SessionChange): SqlFragment {
    return answering(this.ends(change) ?? raw("0"), raw("1"));
  }

  protected override update(
    selector: string,
    change: SessionChange,
  ): Awaitable<SavedSession | undefined> {
    const ends = this.ends(change);
    const generation = raw(change.bump === true ? "generation + 1" : "generation");
    // ORDER: assignments are made from left to right, so the answer is made of the old end.
    const assignments = [
      sql`generation = ${answering(ends ?? raw("expires"), generation)}`,
      ...this.assignments(change),
    ];
    if (isFenced(change)) assignments.push(raw("rev = rev + 1"));
    if (ends !== undefined) assignments.push(sql`expires = ${ends}`);
    const statement = sql`UPDATE ${this.table} SET ${list(assignments)} WHERE ${this.condition(selector, change)}`;
    const rev = (change.rev ?? 0) + (isFenced(change) ? 1 : 0);
    return chain(this.#write("save", statement), ({ insertId }) => toAnswer(rev, insertId));
  }

  #write(operation: StoreOperation, statement: SqlFragment): Promise<MysqlAnswer> {
    return this.#try(operation, this.#client.write(operation, statement));
  }

  async #try<T>(operation: StoreOperation, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      if (!MysqlClient.isMissingTable(cause)) throw cause;
      const message = `the table ${this.#name} isn't there; createTable() makes it, or what mysqlSessionsSql() gives`;
      throw new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
    }
  }
}

/** Text that came as bytes. */
function textOf(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

/** The generation, and beside it the answer for the OK packet. */
function answering(ends: SqlFragment, generation: SqlFragment): SqlFragment {
  const last = raw(String(ENDLESS - 1));
  const seconds = sql`IF(${ends} >= ${raw(String(NEVER))}, ${raw(String(ENDLESS))}, LEAST(${ends} DIV 1000, ${last}))`;
  return sql`LAST_INSERT_ID((${seconds} << ${raw(String(GENERATION_BITS))}) | (${generation})) & ${raw(String(MAX_GENERATION))}`;
}

function toAnswer(rev: number, answer: bigint): SavedSession | undefined {
  if (answer === 0n) return undefined;
  const generation = Number(answer & BigInt(MAX_GENERATION));
  const seconds = Number(answer >> BigInt(GENERATION_BITS));
  return {
    rev,
    generation,
    expires: seconds === ENDLESS ? Infinity : seconds * 1000,
  };
}
