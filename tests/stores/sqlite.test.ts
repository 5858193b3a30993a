// The SQLite store on each client that there is on this machine: the laws, what it costs, and its
// failures by name.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionSqliteStore, type SqliteDatabase } from "kocha-session/sqlite";
import { fakeClock } from "kocha-session/testing";
import Libsql from "libsql";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { change, creation, describeLaws, describeRows, newTable } from "./sql.ts";
import { sqliteSubject } from "./sqlite-subject.ts";

type Database = SqliteDatabase & { close(): unknown };
type Open = (path: string) => Database;
type DatabaseClass = new (path: string, options?: object) => Database;

const folder = mkdtempSync(join(tmpdir(), "kocha-session-sqlite-"));
const opened = new Set<Database>();
let files = 0;
const newFile = (): string => join(folder, `${++files}.db`);

afterAll(() => {
  for (const database of opened) database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** node:sqlite is there from Node 22 on; better-sqlite3 where `npm run test:better-sqlite3` is. */
function findClients(): Record<string, Open> {
  const opening =
    (Class: DatabaseClass): Open =>
    (path) => {
      const database = openedBy(Class, path);
      // No test pulls the plug: nothing need wait for the disk.
      database.exec("PRAGMA synchronous = NORMAL");
      return database;
    };
  const builtin = process.getBuiltinModule("node:sqlite" as "node:fs") as unknown as
    | { DatabaseSync: DatabaseClass }
    | undefined;
  const installed = process.env["BETTER_SQLITE3"];
  return {
    libsql: opening(Libsql),
    ...(builtin !== undefined && { "node:sqlite": opening(builtin.DatabaseSync) }),
    ...(installed !== undefined && {
      "better-sqlite3": opening(createRequire(installed)("better-sqlite3") as DatabaseClass),
    }),
  };
}

const clients = Object.entries(findClients());

/** A file that is there, opened to be read, as each client is told to. */
function openToRead(client: string, file: string): Database {
  if (client === "libsql") return openedBy(Libsql, `file:${file}?mode=ro`);
  const { constructor } = clients.find(([name]) => name === client)?.[1](newFile()) ?? {};
  // better-sqlite3 refuses the other spelling.
  const options = client === "better-sqlite3" ? { readonly: true } : { readOnly: true };
  return openedBy(constructor as DatabaseClass, file, options);
}

function openedBy(Class: DatabaseClass, path: string, options: object = {}): Database {
  const database = new Class(path, options);
  opened.add(database);
  return database;
}

function noop(): void {
  // Only that it is there counts.
}

/** The statements that a database runs, and the bytes that are bound to them. */
function counting(database: SqliteDatabase) {
  let [prepared, run, bytes] = [0, 0, 0];
  const count = <T>(values: readonly unknown[], call: () => T): T => {
    run++;
    for (const value of values) bytes += Buffer.byteLength(String(value));
    return call();
  };
  const counted: SqliteDatabase = {
    exec: (text) => database.exec(text),
    prepare: (text) => {
      prepared++;
      const statement = database.prepare(text);
      return {
        all: (...values) => count(values, () => statement.all(...values)),
        run: (...values) => count(values, () => statement.run(...values)),
      };
    },
  };
  const take = (): { prepared: number; run: number; bytes: number } => {
    const taken = { prepared, run, bytes };
    prepared = run = bytes = 0;
    return taken;
  };
  return { counted, take };
}

describe.each(clients)("the SQLite store on %s", async (name, open) => {
  const clock = fakeClock();
  const database = open(newFile());
  const subject = sqliteSubject({
    name,
    clock,
    makeStore: async (table) => new SessionSqliteStore({ client: database, table, now: clock.now }),
    execute: async (text) => database.exec(text),
  });
  await describeLaws(subject);
  describeRows(subject);

  describe("what it costs", () => {
    test("one statement to load, one to commit, none for an anonymous visit", async () => {
      const { counted, take } = counting(open(newFile()));
      const visitor = new Visitor(new SessionSqliteStore({ client: counted }));
      take();
      await visitor.visit((session) => session.get("a"));
      expect(take()).toMatchObject({ prepared: 0, run: 0 });
      await visitor.visit((session) => session.set("a", "1"));
      expect(take().run).toBe(1);
      await visitor.visit((session) => session.get("a"));
      expect(take().run).toBe(1);
      await visitor.visit((session) => session.set("b", "2"));
      expect(take().run).toBe(2);
      await visitor.visit((session) => session.set("c", "3"));
      expect(take()).toMatchObject({ prepared: 0, run: 2 });
    });

    test("what is bound for one changed key doesn't grow with the session", async () => {
      const { counted, take } = counting(open(newFile()));
      const store = new SessionSqliteStore({ client: counted });
      const bytes: number[] = [];
      for (const size of [1024, 102_400, 1_048_576]) {
        const visitor = new Visitor(store, { maxSessionBytes: 2 ** 22 });
        await visitor.visit((session) => {
          for (let index = 0; index < 16; index++) session.set(`k${index}`, "x".repeat(size / 16));
        });
        await visitor.visit(async (session) => {
          session.get("k0");
          take();
          session.set("k0", "changed");
          await session.commit();
          bytes.push(take().bytes);
        });
      }
      expect(new Set(bytes).size).toBe(1);
      expect(bytes[0]).toBeLessThan(200);
    });
  });

  describe("the database", () => {
    test("it is in WAL mode and waits for other writers", () => {
      const client = open(newFile());
      const store = new SessionSqliteStore({ client });
      expect(client.prepare("PRAGMA journal_mode").all()).toEqual([{ journal_mode: "wal" }]);
      expect(client.prepare("PRAGMA busy_timeout").all()).toEqual([
        { timeout: expect.any(Number) },
      ]);
      expect(store.capabilities).toEqual({
        atomic: true,
        expects: true,
        durable: true,
        lists: true,
      });
    });

    test("a wait that it has already is left alone", () => {
      const client = open(newFile());
      client.exec("PRAGMA busy_timeout = 77");
      expect(new SessionSqliteStore({ client }).capabilities.atomic).toBe(true);
      expect(client.prepare("PRAGMA busy_timeout").all()).toEqual([{ timeout: 77 }]);
    });

    test("one in memory doesn't claim to be durable", () => {
      expect(new SessionSqliteStore({ client: open(":memory:") }).capabilities.durable).toBe(false);
    });

    test("a session outlives its connection", async () => {
      const [file, selector] = [newFile(), newSelector()];
      const client = open(file);
      await new SessionSqliteStore({ client }).save(selector, creation({ a: "\0\u{1F36A}" }));
      const again = new SessionSqliteStore({ client: open(file) });
      expect((await again.load(selector))?.data.get("a")).toBe("\0\u{1F36A}");
    });

    test("writers in two processes keep every key", async () => {
      const [file, selector] = [newFile(), newSelector()];
      const store = new SessionSqliteStore({ client: open(file) });
      await store.save(selector, creation({ base: "0" }));
      const writers = [0, 1].map((writer) => writerProcess(name, file, selector, writer));
      await Promise.all(writers.map((writer) => once(writer, "message")));
      for (const writer of writers) writer.send("go");
      const codes = await Promise.all(writers.map((writer) => once(writer, "exit")));
      expect(codes.map(([code]) => code as unknown)).toEqual([0, 0]);
      expect((await store.load(selector))?.data.size).toBe(1 + 2 * 25);
    });

    test("a writer that holds it too long is an outage, no logout", async () => {
      const file = newFile();
      const client = open(file);
      client.exec("PRAGMA busy_timeout = 20");
      const store = new SessionSqliteStore({ client });
      const visitor = new Visitor(store);
      await visitor.visit((session) => session.set("a", "1"));
      const other = open(file);
      other.exec("BEGIN IMMEDIATE");
      const failing = visitor.visit((session) => session.set("a", "2"));
      await expect(failing).rejects.toMatchObject({
        code: "ERR_SESSION_STORE_FAILED",
        status: 503,
      });
      expect(await visitor.visit((session) => session.get("a"))).toBe("1");
      other.exec("ROLLBACK");
      await visitor.visit((session) => session.set("a", "3"));
      expect(await visitor.visit((session) => session.get("a"))).toBe("3");
    });

    test("a table that is gone is an error that names createTable()", async () => {
      const client = open(newFile());
      const store = new SessionSqliteStore({ client, table: "mine" });
      const selector = newSelector();
      await store.save(selector, creation({ a: "1" }));
      client.exec("DROP TABLE mine");
      const missing = { code: "ERR_SESSION_STORE_FAILED", operation: "load" };
      expect(thrownBy(() => store.load(selector))).toMatchObject(missing);
      for (const call of [() => store.load(selector), () => store.save(selector, creation({}))]) {
        expect(thrownBy(call)).toMatchObject({ message: expect.stringContaining("createTable()") });
      }
      await expect(store.destroyAll("alice")).rejects.toThrow("createTable()");
      await store.createTable();
      expect(await store.load(selector)).toBeUndefined();
      expect(await store.save(selector, creation({ a: "1" }))).toBeDefined();
    });

    test("a database that fails otherwise says so itself", async () => {
      const client = open(newFile());
      const store = new SessionSqliteStore({ client, table: "mine" });
      client.exec("ALTER TABLE mine RENAME COLUMN data TO other");
      expect(thrownBy(() => store.load(newSelector()))).toMatchObject({
        message: expect.stringContaining("data"),
      });
    });
  });

  test("nodes whose clocks are five minutes apart lose and revive nothing", async () => {
    const [file, selector] = [newFile(), newSelector()];
    const [behind, ahead] = [-300_000, 300_000].map((skew) => {
      return new SessionSqliteStore({ client: open(file), now: () => clock.now() + skew });
    }) as [SessionSqliteStore, SessionSqliteStore];
    const ends = async (): Promise<number> => (await behind.load(selector))?.expires ?? 0;
    await ahead.save(selector, creation({ a: "1" }));
    const first = await ends();
    await behind.save(selector, change({ set: new Map([["b", "2"]]) }));
    expect(await ends()).toBe(first);
    expect((await ahead.load(selector))?.data.size).toBe(2);
    await behind.save(selector, change({ op: "destroy" }));
    expect(await ahead.save(selector, change({ set: new Map([["late", "1"]]) }))).toBeUndefined();
    expect(await ahead.load(selector)).toBeUndefined();
  });

  describe("what it refuses to be made from", () => {
    const d1 = { prepare: noop, batch: noop };
    const libsqlClient = { execute: noop, executeMultiple: noop, closed: false };
    const closed = open(newFile());
    opened.delete(closed);
    closed.close();
    test.each<[string, unknown, string]>([
      ["nothing", undefined, "not undefined"],
      ["a path", "sessions.db", "open the file first"],
      ["the class", Libsql, "call it with new"],
      ["another object", {}, "must be an open database"],
      ["a closed database", closed, "must be an open database"],
      ["a session of D1", { ...d1, getBookmark: noop }, "is a session of D1 (withSession)"],
      ["a transaction", { ...libsqlClient, rollback: noop }, "is a transaction of @libsql/client"],
      ["a closed client", { ...libsqlClient, closed: true }, "is closed"],
      // By their shapes, with what only they have.
      ["Drizzle", { selectDistinct: noop }, "a database of Drizzle, no client of the driver"],
      ["a DataSource", { createQueryRunner: noop }, "a DataSource of TypeORM"],
      ["the package sqlite3", { exec: noop, prepare: () => ({ all: noop }) }, "can't be used"],
    ])("%s", (_, client, words) => {
      const made = (): unknown => new SessionSqliteStore({ client: client as Database });
      expect(thrownBy(made)).toMatchObject({
        name: "ConfigError",
        code: "ERR_SESSION_CONFIG_STORE",
        field: "client",
        message: expect.stringContaining(words),
      });
    });
    test("a database that can only be read, whether it has the table or not", async () => {
      for (const makes of [true, false]) {
        const file = newFile();
        const first = open(file);
        const store = makes ? new SessionSqliteStore({ client: first }) : undefined;
        if (store === undefined) first.exec("CREATE TABLE other (a)");
        const asking = open(file);
        asking.exec("PRAGMA query_only = 1");
        for (const client of [asking, openToRead(name, file)]) {
          expect(thrownBy(() => new SessionSqliteStore({ client }))).toMatchObject({
            name: "ConfigError",
            code: "ERR_SESSION_CONFIG_STORE",
            field: "client",
            message: expect.stringMatching(/readonly.*that can be written to/) as string,
          });
        }
      }
    });

    test("another process that writes for long is no read-only database", () => {
      const file = newFile();
      const writer = open(file);
      const made = new SessionSqliteStore({ client: writer });
      writer.exec("BEGIN IMMEDIATE");
      const client = open(file);
      client.exec("PRAGMA busy_timeout = 1");
      const other = new SessionSqliteStore({ client });
      writer.exec("ROLLBACK");
      expect(other.capabilities).toEqual(made.capabilities);
    });

    test.each([
      ["table", { table: 'a"; DROP TABLE b' }],
      ["table", { table: "main.sessions" }],
      ["busyTimeout", { busyTimeout: 20 }],
    ])("a bad %s", (field, options) => {
      const made = (): unknown => new SessionSqliteStore({ client: database, ...options });
      expect(thrownBy(made)).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field });
    });
  });

  test("a sweep takes its limit at its word", async () => {
    const store = await subject.makeStore(newTable());
    for (let row = 0; row < 5; row++) await store.save(newSelector(), creation({}, { ttl: 1000 }));
    await clock.advance(2000);
    const removed: number[] = [];
    for (const limit of [0, -1, NaN, 1.9, 2, Infinity]) removed.push(await store.sweep(limit));
    expect(removed).toEqual([0, 0, 0, 1, 2, 2]);
  });

  test("a sweep leaves a session that was renewed, and takes it once it has ended", async () => {
    const store = await subject.makeStore(newTable());
    const selector = newSelector();
    await store.save(selector, creation({}, { ttl: 1000 }));
    await clock.advance(500);
    await store.save(selector, change({ ttl: 5000 }));
    await clock.advance(1000);
    expect(await store.sweep(10)).toBe(0);
    expect(await store.load(selector)).toBeDefined();
    await clock.advance(5000);
    expect(await store.sweep(10)).toBe(1);
  });

  test("a sweep takes a session at an end that has come forward", async () => {
    const store = await subject.makeStore(newTable());
    const selector = newSelector();
    await store.save(selector, creation({}));
    await store.save(selector, change({ ttl: 1000, bump: true }));
    await clock.advance(2000);
    expect(await store.sweep(10)).toBe(1);
  });
});

/** A process that writes 25 keys of its own once it is told to. */
function writerProcess(
  client: string,
  file: string,
  selector: string,
  writer: number,
): ChildProcess {
  const program = join(import.meta.dirname, "sqlite-writer.ts");
  return fork(program, [client, file, selector, String(writer)], {
    execArgv: ["--conditions=kocha-session-source", "--import", "tsx"],
  });
}
