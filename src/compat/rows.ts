// The rows of connect-redis and connect-pg-simple: read and deleted, never written. Their clients are
// yours, as structural types.
import { kindOf } from "../base/text.ts";
import { fail, mustBe } from "../base/options.ts";
import type { ForeignRows } from "./takeover.ts";

/** A client of node-redis, ioredis or iovalkey that connect-redis was given. */
export interface RedisRowsClient {
  get(key: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** A Pool or Client of pg that connect-pg-simple was given. */
export interface PgRowsClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/**
 * The rows of connect-redis: a session lives as long as its key does.
 * @param options - `prefix`, as connect-redis was told. Default "sess:".
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or _FIELD
 */
export function connectRedisRows(
  client: RedisRowsClient,
  options: { readonly prefix?: string | undefined } = {},
): ForeignRows {
  const { get, del } = Object(client) as Partial<RedisRowsClient>;
  if (typeof get !== "function" || typeof del !== "function") {
    failClient(`must be a Redis client with get and del, not ${kindOf(client)}`);
  }
  const prefix = text(options.prefix, "prefix", "sess:");
  return {
    load: (id) => client.get(prefix + id),
    delete: (id) => client.del(prefix + id),
  };
}

/**
 * The rows of connect-pg-simple: a session lives until `expire`, by the database's clock.
 * @param options - `tableName` and `schemaName`, as connect-pg-simple was told. Default "session", none.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE or _FIELD
 */
export function connectPgSimpleRows(
  pool: PgRowsClient,
  options: {
    readonly tableName?: string | undefined;
    readonly schemaName?: string | undefined;
  } = {},
): ForeignRows {
  if (typeof (Object(pool) as Partial<PgRowsClient>).query !== "function") {
    failClient(`must be a Pool or Client of pg, not ${kindOf(pool)}`);
  }
  const { schemaName } = options;
  const schema = schemaName === undefined ? "" : `${quote(text(schemaName, "schemaName", ""))}.`;
  const table = `${schema}${quote(text(options.tableName, "tableName", "session"))}`;
  return {
    async load(id) {
      const select = `SELECT sess FROM ${table} WHERE sid = $1 AND expire >= now()`;
      const { rows } = await pool.query(select, [id]);
      return (rows[0] as { readonly sess?: unknown } | undefined)?.sess;
    },
    delete: (id) => pool.query(`DELETE FROM ${table} WHERE sid = $1`, [id]),
  };
}

/** An identifier of SQL. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: unknown, field: string, fallback: string): string {
  if (value === undefined) return fallback;
  if (typeof value === "string") return value;
  return mustBe(field, "a string", value);
}

function failClient(message: string): never {
  fail("client", message, "ERR_SESSION_CONFIG_STORE");
}
