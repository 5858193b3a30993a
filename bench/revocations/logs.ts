// Logs of revocations that are full: as many entries as are asked for, written behind our back, since
// one by one they would take hours.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Revocations } from "../../src/index.ts";
import { ours, peer } from "../lib/load.ts";
import { startService } from "../lib/services.ts";

/** The engines that logs are on. */
export const engines = ["redis", "postgres", "sqlite"] as const;
/** One of them. */
export type LogEngine = (typeof engines)[number];

/** A log that is full. */
export interface FullLog {
  /** What a child needs to follow it. */
  readonly at: string;
  readonly close: () => Promise<void>;
}

interface RedisClient {
  connect(): Promise<RedisClient>;
  sendCommand(command: readonly string[]): Promise<unknown>;
  destroy(): void;
  readonly isOpen: boolean;
  multi(): unknown;
}
interface RedisModule {
  createClient(options: object): RedisClient;
}
interface PgPool {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
  end(): Promise<void>;
}
interface Database {
  exec(text: string): unknown;
  prepare(text: string): { all(...values: unknown[]): unknown[]; run(): { changes: number } };
  close(): unknown;
}

/** A day after anyone asks. */
const UNTIL = Date.now() + 86_400_000;
/** Commands that are under way at once. */
const BATCH = 10_000;
/** Of ten entries seven are sessions, two credentials, one a subject. */
const kindOf = (index: number): string =>
  index % 10 < 7 ? "session" : index % 10 < 9 ? "credential" : "subject";
const sqlKind = (index: string): string =>
  `CASE WHEN ${index} % 10 < 7 THEN 'session' WHEN ${index} % 10 < 9 THEN 'credential' ELSE 'subject' END`;

/** Revocations that follow such a log. */
export async function follow(engine: LogEngine, at: string): Promise<Revocations> {
  if (engine === "redis") {
    const redis = await peer<RedisModule>("redis");
    const client = await redis.createClient({ url: at }).connect();
    const { redisRevocations } = await ours("stores/redis");
    return redisRevocations({ client });
  }
  if (engine === "postgres") {
    const { default: pg } = await peer<{ default: { Pool: new (options: object) => PgPool } }>(
      "pg",
    );
    const client = new pg.Pool({ connectionString: at });
    const { postgresRevocations } = await ours("stores/postgres");
    return postgresRevocations({ client });
  }
  const { default: Libsql } = await peer<{ default: new (path: string) => Database }>("libsql");
  const { sqliteRevocations } = await ours("stores/sqlite");
  return sqliteRevocations({ client: new Libsql(at) });
}

/** Starts an engine with a log of so many entries. */
export async function fill(engine: LogEngine, entries: number): Promise<FullLog> {
  if (engine === "redis") return fillRedis(entries);
  return engine === "postgres" ? fillPostgres(entries) : fillSqlite(entries);
}

async function fillRedis(entries: number): Promise<FullLog> {
  const { port, close } = await startService("redis");
  const at = `redis://127.0.0.1:${port}`;
  const redis = await peer<RedisModule>("redis");
  const client = await redis.createClient({ url: at }).connect();
  const now = Date.now();
  for (let start = 0; start < entries; start += BATCH) {
    const sent: Promise<unknown>[] = [];
    for (let index = start; index < Math.min(entries, start + BATCH); index++) {
      const id = Buffer.from(String(index).padStart(16, "0")).toString("base64url");
      const record = `${kindOf(index)} ${now} ${UNTIL} 0 0 - ${id}`;
      sent.push(client.sendCommand(["XADD", "kocha:{r}:log", "*", "r", record]));
    }
    await Promise.all(sent);
  }
  client.destroy();
  return { at, close };
}

async function fillPostgres(entries: number): Promise<FullLog> {
  const { port, close } = await startService("postgres");
  const at = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const { default: pg } = await peer<{ default: { Pool: new (options: object) => PgPool } }>("pg");
  const pool = new pg.Pool({ connectionString: at });
  const { postgresRevocations } = await ours("stores/postgres");
  await postgresRevocations({ client: pool }).createTable();
  await pool.query(`INSERT INTO kocha_revocations (kind, id, since, until, bound_before, spared_before)
    SELECT ${sqlKind("n")}, lpad(n::text, 22, 'A'), 0, ${UNTIL}, 0, 0 FROM generate_series(1, ${entries}) AS n`);
  await pool.query("ANALYZE kocha_revocations");
  await pool.end();
  return { at, close };
}

async function fillSqlite(entries: number): Promise<FullLog> {
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-bench-"));
  const at = join(folder, "revoked.db");
  const { default: Libsql } = await peer<{ default: new (path: string) => Database }>("libsql");
  const database = new Libsql(at);
  const { sqliteRevocations } = await ours("stores/sqlite");
  sqliteRevocations({ client: database });
  database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${entries})
    INSERT INTO kocha_revocations (kind, id, since, until, bound_before, spared_before)
    SELECT ${sqlKind("i")}, printf('%022d', i), 0, ${UNTIL}, 0, 0 FROM n`);
  database.close();
  return { at, close: async () => rmSync(folder, { recursive: true, force: true }) };
}
