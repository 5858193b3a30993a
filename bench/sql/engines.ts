// The SQL engines that sweeping and sizing are measured on: each a private one with our store, and
// the SQL that fills its table faster than a million commits would.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionMysqlStore } from "../../src/stores/mysql.ts";
import { SessionPostgresStore } from "../../src/stores/postgres.ts";
import { SessionSqliteStore } from "../../src/stores/sqlite.ts";
import Libsql from "libsql";
import mysql from "mysql2/promise";
import pg from "pg";
import { startMariadb } from "../../tests/support/servers/mariadb.ts";
import { startPostgres } from "../../tests/support/servers/postgres.ts";

/** Between the ends of two rows that `fill` makes expired, in milliseconds: 30 days for a million. */
const APART = 2592;

/** A store with all that SQL stores have. */
export type SqlStore = SessionSqliteStore | SessionPostgresStore | SessionMysqlStore;

/** What a row of `fill` holds. */
interface Filling {
  readonly data: string;
  readonly meta: string;
}

/** An engine of a run's own. */
export interface Engine {
  readonly store: SqlStore;
  /** Adds expired rows, by the store's clock. */
  readonly fill: (count: number, row: Filling) => Promise<void>;
  /** How many rows there are, expired or not. */
  readonly count: () => Promise<number>;
  /** Bytes that the table takes with its indexes, as things stand. */
  readonly bytes: () => Promise<Readonly<Record<string, number>>>;
  readonly close: () => Promise<void>;
}

const TABLE = "kocha_sessions";

/** SQLite by libsql, in WAL mode; its file lives in a temporary folder. */
export async function openSqlite(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-bench-"));
  const file = join(folder, "sessions.db");
  const client = new Libsql(file);
  // What the documentation says of a crash of the process: nothing is lost.
  client.exec("PRAGMA synchronous = NORMAL");
  return {
    store: new SessionSqliteStore({ client }),
    fill: async (count, { data, meta }) => {
      const insert = client.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?4)
         INSERT INTO ${TABLE} (id, data, rev, generation, expires, meta, due)
         SELECT substr(hex(randomblob(11)), 1, 22), ?1, 1, 1, ?2 - i * ${APART}, ?3, ?2 - i * ${APART} FROM n`,
      );
      insert.run(data, Date.now(), meta, count);
    },
    count: async () => Number(one(client.prepare(`SELECT count(*) AS n FROM ${TABLE}`).all(), "n")),
    bytes: async () => {
      client.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return { file: statSync(file).size };
    },
    close: async () => {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL by pg; `pool` is for whoever else uses the server. */
export async function openPostgres(): Promise<Engine & { readonly pool: pg.Pool }> {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  const store = new SessionPostgresStore({ client: pool });
  await store.createTable();
  return {
    store,
    pool,
    fill: async (count, { data, meta }) => {
      await pool.query(
        `INSERT INTO ${TABLE} (id, data, rev, generation, expires, meta)
         SELECT substr(md5(i::text), 1, 22), $1::text::jsonb, 1, 1,
           floor(extract(epoch FROM now()) * 1000)::bigint - i::bigint * ${APART}, $2
         FROM generate_series(1, ${count}) AS i`,
        [data, meta],
      );
      await pool.query(`VACUUM ANALYZE ${TABLE}`);
    },
    count: async () =>
      Number(one((await pool.query(`SELECT count(*) AS n FROM ${TABLE}`)).rows, "n")),
    bytes: () => postgresBytes(pool, TABLE),
    close: async () => {
      await pool.end();
      await server.close();
    },
  };
}

/** What a table of PostgreSQL takes. */
export async function postgresBytes(
  pool: pg.Pool,
  table: string,
): Promise<Readonly<Record<string, number>>> {
  await pool.query(`VACUUM ANALYZE "${table}"`);
  const { rows } = await pool.query<{ heap: string; indexes: string }>(
    `SELECT pg_table_size('"${table}"') AS heap, pg_indexes_size('"${table}"') AS indexes`,
  );
  return { table: Number(one(rows, "heap")), indexes: Number(one(rows, "indexes")) };
}

/** MariaDB by mysql2. */
export async function openMysql(): Promise<Engine> {
  const server = await startMariadb();
  const pool = mysql.createPool(server.url);
  const store = new SessionMysqlStore({ client: pool });
  await store.createTable();
  const query = async (text: string, values: unknown[] = []): Promise<unknown[]> => {
    const [rows] = await pool.query<mysql.RowDataPacket[]>(text, values);
    return rows;
  };
  return {
    store,
    fill: async (count, { data, meta }) => {
      await query(
        `INSERT INTO ${TABLE} (id, data, rev, generation, expires, meta)
         SELECT SUBSTR(MD5(seq), 1, 22), ?, 1, 1, ? - seq * ${APART}, ? FROM seq_1_to_${count}`,
        [data, Date.now(), meta],
      );
    },
    count: async () => Number(one(await query(`SELECT COUNT(*) AS n FROM ${TABLE}`), "n")),
    bytes: async () => {
      const size = `SELECT FILE_SIZE AS n FROM information_schema.INNODB_SYS_TABLESPACES
        WHERE NAME = 'test/${TABLE}'`;
      return { file: Number(one(await query(size), "n")) };
    },
    close: async () => {
      await pool.end();
      await server.close();
    },
  };
}

function one(rows: readonly unknown[], column: string): unknown {
  return (rows[0] as Readonly<Record<string, unknown>> | undefined)?.[column];
}
