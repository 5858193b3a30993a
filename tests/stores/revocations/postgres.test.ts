// Revocations in PostgreSQL, on pg, postgres and PGlite: the log's laws, transactions that become
// visible late, and its failures by name.
import { PGlite } from "@electric-sql/pglite";
import { SessionCookieStore, SessionMiddleware } from "kocha-session";
import {
  type PostgresConnection,
  postgresRevocations,
  type PostgresRevocationsOptions,
  postgresRevocationsSql,
} from "kocha-session/postgres";
import { mintCookie, readCookie } from "kocha-session/testing";
import pg from "pg";
import postgres from "postgres";
import { afterAll, describe, expect, test } from "vitest";
import { PostgresClient } from "../../../src/stores/sql/postgres-client.ts";
import { PostgresRevocationLog } from "../../../src/stores/sql/postgres-revocations.ts";
import { newSelector } from "../../../src/testing/history.ts";
import { freshKeys } from "../../support/keys.ts";
import { startPostgres } from "../../support/servers/postgres.ts";
import { until } from "../../support/until.ts";
import { describeLog } from "./log-laws.ts";

const HOUR = 3_600_000;
const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url });
const tagged = postgres(server.url, { onnotice: () => undefined });
const lite = await PGlite.create();
let tables = 0;

afterAll(async () => {
  await Promise.all([pool.end(), tagged.end(), lite.close()]);
  await server.close();
});

async function newLog(client: PostgresConnection, page?: number) {
  const table = `revocations_${++tables}`;
  const log = new PostgresRevocationLog(new PostgresClient(client), table, page);
  await log.createTable();
  return { log, table };
}

for (const [name, client] of [
  ["pg", pool],
  ["postgres", tagged],
  ["PGlite", lite],
] as const) {
  describeLog({
    name,
    makeLog: async (page) => {
      const { log, table } = await newLog(client, page);
      const connection = new PostgresClient(client);
      return {
        log,
        follow: (options) => postgresRevocations({ client, table, ...options }),
        empty: () => connection.make([`DELETE FROM ${table}`]),
      };
    },
  });
}

const inTransaction = {
  name: "StoreError",
  code: "ERR_SESSION_STORE_FAILED",
  message: expect.stringContaining("a transaction of the application's") as string,
};

test("on a Client inside a transaction of the application's, nothing is revoked or known", async () => {
  const { log, table } = await newLog(pool);
  const { cursor } = await log.read(undefined);
  const client = await pool.connect();
  const revocations = postgresRevocations({ client, table, keepFor: HOUR });
  await revocations.ready();
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await client.query("SELECT 1");
  const inside = new PostgresRevocationLog(new PostgresClient(client), table);
  // Its snapshot would go on hiding what others revoke.
  await expect(inside.read(cursor)).rejects.toMatchObject(inTransaction);
  await expect(inside.sweep(1)).rejects.toMatchObject(inTransaction);
  const id = newSelector();
  await expect(revocations.revoke(id)).rejects.toMatchObject({ ...inTransaction, status: 503 });
  await client.query("ROLLBACK");
  expect((await log.read(cursor)).records).toEqual([]);
  await revocations.revoke(id);
  expect((await log.read(cursor)).records.map((record) => record.id)).toEqual([id]);
  revocations.close();
  client.release();
});

describe("a transaction that becomes visible late", () => {
  /** One that took its entry in, and hasn't committed. */
  async function pending(table: string, id: string): Promise<pg.PoolClient> {
    const client = await pool.connect();
    await client.query("BEGIN");
    const log = new PostgresRevocationLog(new PostgresClient(client), table);
    // The entry is there, but nobody says that it is durable.
    await expect(log.append({ kind: "session", id, ttl: HOUR })).rejects.toMatchObject(
      inTransaction,
    );
    return client;
  }

  const idsFrom = async (log: PostgresRevocationLog, cursor: string | undefined) => {
    const page = await log.read(cursor);
    return { ids: page.records.map(({ id }) => id), cursor: page.cursor };
  };

  test("is found by the next poll, however many came and went before it, and read once", async () => {
    const { log, table } = await newLog(pool);
    const [late, early] = [newSelector(), newSelector()];
    const begun = await idsFrom(log, undefined);
    const client = await pending(table, late);
    await log.append({ kind: "session", id: early, ttl: HOUR });
    const first = await idsFrom(log, begun.cursor);
    expect(first.ids).toEqual([early]);
    let { cursor } = first;
    for (let poll = 0; poll < 20; poll++) {
      await log.append({ kind: "session", id: newSelector(), ttl: HOUR });
      const next = await idsFrom(log, cursor);
      expect(next.ids).toHaveLength(1);
      ({ cursor } = next);
    }
    await client.query("COMMIT");
    client.release();
    const found = await idsFrom(log, cursor);
    expect(found.ids).toEqual([late]);
    expect((await idsFrom(log, found.cursor)).ids).toEqual([]);
  });

  test("is never found when it was rolled back", async () => {
    const { log, table } = await newLog(pool);
    const { cursor } = await log.read(undefined);
    const client = await pending(table, newSelector());
    const during = await idsFrom(log, cursor);
    await client.query("ROLLBACK");
    client.release();
    expect((await idsFrom(log, during.cursor)).ids).toEqual([]);
  });

  test("that changes a known record is read as that change", async () => {
    const { log, table } = await newLog(pool);
    await log.append({ kind: "subject", id: "alice", ttl: HOUR, before: 5 });
    const first = await log.read(undefined);
    const client = await pool.connect();
    await client.query("BEGIN");
    const inside = new PostgresRevocationLog(new PostgresClient(client), table);
    const append = inside.append({ kind: "subject", id: "alice", ttl: HOUR, before: 9 });
    await expect(append).rejects.toMatchObject(inTransaction);
    const during = await log.read(first.cursor);
    expect(during.records).toEqual([]);
    await client.query("COMMIT");
    client.release();
    const after = await log.read(during.cursor);
    expect(after.records).toMatchObject([{ id: "alice", before: 9 }]);
  });

  test("ends the session in a process that has polled on meanwhile", async () => {
    const { log, table } = await newLog(pool);
    const keys = freshKeys();
    const options = { client: tagged, table, pollInterval: 0.02, maxStaleness: 30 };
    const revocations = postgresRevocations(options);
    const store = new SessionCookieStore(keys);
    const engine = new SessionMiddleware({ store, revocations, sessionExpires: 3600 });
    try {
      const cookie = await mintCookie(engine, { name: "alice" });
      expect(await readCookie(engine, cookie)).toEqual(new Map([["name", "alice"]]));
      const session = await engine.openReadOnly(cookie);
      const client = await pending(table, session.id);
      const after = newSelector();
      await log.append({ kind: "session", id: after, ttl: HOUR });
      const size = (): number => (revocations as unknown as { size: number }).size;
      await until("the later entry", () => size() === 1);
      expect((await readCookie(engine, cookie)).size).toBe(1);
      await client.query("COMMIT");
      client.release();
      await until("the end of the session", async () => {
        return (await readCookie(engine, cookie)).size === 0;
      });
    } finally {
      revocations.close();
    }
  });
});

describe("a restored database", () => {
  test("whose transactions have not come as far is read whole", async () => {
    const { log } = await newLog(pool);
    const id = newSelector();
    await log.append({ kind: "session", id, ttl: HOUR });
    // The cursor of a cluster that had come much further than this one.
    const ahead = JSON.stringify({ known: "900000000:900000000:" });
    expect((await log.read(ahead)).records.map((record) => record.id)).toEqual([id]);
  });
});

describe("the table", () => {
  test("its SQL makes the table that the log uses", async () => {
    await pool.query(postgresRevocationsSql().join("\n"));
    const list = postgresRevocations({ client: pool, keepFor: 60 });
    await list.revoke(newSelector());
    list.close();
    await expect(list.ready()).resolves.toBeUndefined();
  });

  test("many processes may make it at once", async () => {
    const table = `revocations_${++tables}`;
    await Promise.all(
      Array.from({ length: 8 }, () => postgresRevocations({ client: pool, table }).createTable()),
    );
  });

  test("a poll is found by its index, and reads no old row", async () => {
    const { log, table } = await newLog(pool);
    await pool.query(
      `INSERT INTO ${table} SELECT 0, 9e15::bigint, 0, 0, txid_current(), 'session', 'id ' || n FROM generate_series(1, 20000) AS n`,
    );
    await pool.query(`ANALYZE ${table}`);
    const { rows } = await pool.query<{ seen: string }>(
      "SELECT txid_current_snapshot()::text AS seen",
    );
    const seen = rows[0]?.seen ?? "";
    const { rows: plan } = await pool.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT * FROM ${table} WHERE written_by >= txid_snapshot_xmin('${seen}') AND NOT txid_visible_in_snapshot(written_by, '${seen}') ORDER BY kind, id LIMIT 2000`,
    );
    expect(plan.map((line) => line["QUERY PLAN"]).join("\n")).toContain("written_by");
    expect((await log.read(JSON.stringify({ known: seen }))).records).toEqual([]);
  });

  test("that isn't there is named, with the way out", async () => {
    const list = postgresRevocations({ client: pool, table: "nowhere", keepFor: 60 });
    const cause = { message: expect.stringContaining("createTable()") as string };
    await expect(list.ready()).rejects.toMatchObject({ status: 503, cause });
    await expect(list.revoke(newSelector())).rejects.toThrow("the table nowhere isn't there");
    list.close();
  });

  test.each<[PostgresRevocationsOptions, string]>([
    [{ client: {} as PostgresConnection }, "client: must be a Pool"],
    [{ client: pool, table: "a b" }, "table: must be a name"],
    [{ client: pool, prefix: "x" } as PostgresRevocationsOptions, "prefix: is not an option"],
  ])("%# is refused", (options, message) => {
    expect(() => postgresRevocations(options)).toThrow(message);
  });
});
