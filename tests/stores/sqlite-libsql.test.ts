// The SQLite store and its log of revocations on @libsql/client, which answers later: the laws, on a file,
// and its failures by name.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client";
import {
  SessionSqliteStore,
  type SqliteLibsqlClient,
  sqliteRevocations,
  sqliteRevocationsSql,
  sqliteSessionsSql,
} from "kocha-session/sqlite";
import { fakeClock } from "kocha-session/testing";
import { afterAll, describe, expect, test } from "vitest";
import { sqliteClient } from "../../src/stores/sql/sqlite-clients.ts";
import { SqliteRevocationLog } from "../../src/stores/sql/sqlite-revocations.ts";
import { newSelector } from "../../src/testing/history.ts";
import { Visitor } from "../support/visitor.ts";
import { describeLog } from "./revocations/log-laws.ts";
import { change, creation, describeLaws, describeRows } from "./sql.ts";
import { sqliteSubject } from "./sqlite-subject.ts";

const folder = mkdtempSync(join(tmpdir(), "kocha-session-libsql-"));
const opened: Client[] = [];
let files = 0;
const newFile = (): string => `file:${join(folder, `${++files}.db`)}`;

function open(url: string = newFile()): Client {
  const client = createClient({ url });
  opened.push(client);
  return client;
}

afterAll(() => {
  for (const client of opened) client.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the SQLite store on @libsql/client", async () => {
  const clock = fakeClock();
  const client = open();
  const subject = sqliteSubject({
    name: "@libsql/client",
    clock,
    makeStore: async (table) => {
      const store = new SessionSqliteStore({ client, table, now: clock.now });
      await store.createTable();
      return store;
    },
    execute: (text) => client.execute(text),
  });
  await describeLaws(subject);
  describeRows(subject);
});

describeLog({
  name: "@libsql/client",
  makeLog: async (page) => {
    const client = open();
    const options = { client, table: "revoked" };
    const log = new SqliteRevocationLog(sqliteClient(client), "revoked", Date.now, page);
    await log.createTable();
    return {
      log,
      follow: (more) => sqliteRevocations({ ...options, ...more }),
      empty: () => client.executeMultiple("DELETE FROM revoked; DELETE FROM sqlite_sequence"),
    };
  },
});

describe("the database", () => {
  test("a table that isn't there is an error that says how to make it", async () => {
    const client = open();
    const store = new SessionSqliteStore({ client });
    const selector = newSelector();
    const missing = {
      code: "ERR_SESSION_STORE_FAILED",
      message: expect.stringContaining(
        "the table kocha_sessions isn't there; createTable() makes it, or what sqliteSessionsSql() gives",
      ) as string,
    };
    await expect(store.load(selector)).rejects.toMatchObject(missing);
    await expect(store.save(selector, creation({}))).rejects.toMatchObject(missing);
    await expect(store.destroyAll("alice")).rejects.toMatchObject(missing);
    await expect(store.sweep(1)).rejects.toMatchObject(missing);
    const revocations = sqliteRevocations({ client, keepFor: 3600 });
    await expect(revocations.revoke(selector)).rejects.toMatchObject({
      message: expect.stringMatching(/table kocha_revocations isn't there.*sqliteRevocationsSql/),
    });
    await store.createTable();
    await revocations.createTable();
    expect(await store.save(selector, creation({ a: "1" }))).toBeDefined();
    await revocations.revoke(selector);
    revocations.close?.();
  });

  test("the tables can be made by the statements that a migration takes", async () => {
    const client = open();
    for (const text of [...sqliteSessionsSql("mine"), ...sqliteRevocationsSql("dead")]) {
      await client.execute(text);
    }
    const store = new SessionSqliteStore({ client, table: "mine" });
    expect(await store.save(newSelector(), creation({ a: "1" }))).toBeDefined();
    for (const make of [sqliteSessionsSql, sqliteRevocationsSql]) {
      expect(() => make('a"; DROP TABLE b')).toThrow("table: must be a name");
    }
  });

  test("two clients of one file, as two processes have them, keep every key", async () => {
    const url = newFile();
    const [one, other] = [open(url), open(url)].map(
      (client) => new SessionSqliteStore({ client }),
    ) as [SessionSqliteStore, SessionSqliteStore];
    await one.createTable();
    await other.createTable();
    const selector = newSelector();
    await one.save(selector, creation({}));
    const writes = Array.from({ length: 50 }, async (_, index) =>
      (index % 2 === 0 ? one : other).save(
        selector,
        change({ set: new Map([[String(index), "1"]]) }),
      ),
    );
    for (const saved of await Promise.all(writes)) expect(saved).toBeDefined();
    expect((await one.load(selector))?.data.size).toBe(50);
  });

  test("a write waits for one that another connection has under way", async () => {
    const url = newFile();
    const store = new SessionSqliteStore({ client: open(url) });
    await store.createTable();
    const selector = newSelector();
    await store.save(selector, creation({}));
    const transaction = await open(url).transaction("write");
    let isSaved = false;
    const saving = Promise.resolve(
      store.save(selector, change({ set: new Map([["a", "1"]]) })),
    ).then((saved) => {
      isSaved = true;
      return saved;
    });
    expect((await store.load(selector))?.data.size).toBe(0);
    expect(isSaved).toBe(false);
    await transaction.rollback();
    expect(await saving).toBeDefined();
  });

  test("one that holds it too long is an outage, no logout", async () => {
    const url = newFile();
    const store = new SessionSqliteStore({ client: open(url) });
    await store.createTable();
    const visitor = new Visitor(store, { storeTimeout: 30 });
    await visitor.visit((session) => session.set("a", "1"));
    const transaction = await open(url).transaction("write");
    await expect(visitor.visit((session) => session.set("a", "2"))).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_FAILED",
      cause: expect.objectContaining({ code: "SQLITE_BUSY" }),
    });
    await transaction.rollback();
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["no rows", { rows: {}, rowsAffected: 0 }],
    ["rows as lists", { rows: [["1"]], rowsAffected: 0 }],
  ])("an answer of another shape is an error: %s", async (_, answer) => {
    const client = {
      protocol: "http",
      closed: false,
      execute: async () => answer,
      executeMultiple: async () => undefined,
    } as unknown as SqliteLibsqlClient;
    const store = new SessionSqliteStore({ client });
    await expect(store.load(newSelector())).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_ANSWER",
    });
  });
});
