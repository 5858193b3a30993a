// Revocations in a SQLite file: the log's laws on each client that is there, and its failures.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  sqliteRevocations,
  type SqliteDatabase,
  type SqliteRevocationsOptions,
} from "kocha-session/sqlite";
import Libsql from "libsql";
import { afterAll, describe, expect, test } from "vitest";
import { sqliteClient } from "../../../src/stores/sql/sqlite-clients.ts";
import { SqliteRevocationLog } from "../../../src/stores/sql/sqlite-revocations.ts";
import { newSelector } from "../../../src/testing/history.ts";
import { describeLog } from "./log-laws.ts";

const HOUR = 3_600_000;
type Database = SqliteDatabase & { close(): unknown };
type DatabaseClass = new (path: string) => Database;

const folder = mkdtempSync(join(tmpdir(), "kocha-session-revocations-"));
const opened: Database[] = [];
let files = 0;

afterAll(() => {
  for (const database of opened) database.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(Class: DatabaseClass, file: string): Database {
  const database = new Class(join(folder, file));
  opened.push(database);
  // No test pulls the plug: nothing need wait for the disk.
  database.exec("PRAGMA synchronous = NORMAL");
  return database;
}

/** node:sqlite is there from Node 22 on; better-sqlite3 where `npm run test:better-sqlite3` is. */
function findClients(): Record<string, DatabaseClass> {
  const builtin = process.getBuiltinModule("node:sqlite" as "node:fs") as unknown as
    | { DatabaseSync: DatabaseClass }
    | undefined;
  const installed = process.env["BETTER_SQLITE3"];
  return {
    libsql: Libsql,
    ...(builtin !== undefined && { "node:sqlite": builtin.DatabaseSync }),
    ...(installed !== undefined && {
      "better-sqlite3": createRequire(installed)("better-sqlite3") as DatabaseClass,
    }),
  };
}

for (const [name, Class] of Object.entries(findClients())) {
  describeLog({
    name,
    makeLog: async (page) => {
      const client = open(Class, `${++files}.db`);
      const options = { client, table: "revoked" };
      return {
        log: new SqliteRevocationLog(sqliteClient(client), "revoked", Date.now, page),
        follow: (more) => sqliteRevocations({ ...options, ...more }),
        empty: async () => void client.exec("DELETE FROM revoked; DELETE FROM sqlite_sequence"),
      };
    },
  });
}

describe("the table", () => {
  test("is one of two connections, as two processes have it", async () => {
    const file = `${++files}.db`;
    const [one, other] = [Libsql, Libsql].map((Class) => {
      const client = open(Class, file);
      return new SqliteRevocationLog(sqliteClient(client), "revoked", Date.now);
    }) as [SqliteRevocationLog, SqliteRevocationLog];
    const begun = await other.read(undefined);
    const id = newSelector();
    await one.append({ kind: "session", id, ttl: HOUR });
    await other.append({ kind: "subject", id: "alice", ttl: HOUR, before: 5 * HOUR });
    await one.append({ kind: "subject", id: "alice", ttl: HOUR, before: 3 * HOUR, except: id });
    const { records } = await other.read(begun.cursor);
    expect(records).toMatchObject([
      { kind: "session", id },
      { id: "alice", before: 5 * HOUR, except: undefined },
    ]);
  });

  const client = open(Libsql, "options.db");

  test.each<[SqliteRevocationsOptions, string]>([
    [{ client: "file.db" as unknown as SqliteDatabase }, "client: must be an open database"],
    [{ client, table: "main.t" }, "table: must be a name"],
    [{ client, table: "a b" }, "table: must be a name"],
    [{ client, prefix: "x" } as SqliteRevocationsOptions, "prefix: is not an option"],
  ])("%# is refused", (options, message) => {
    expect(() => sqliteRevocations(options)).toThrow(message);
  });
});
