// How the MySQL store fails: what the server undoes is run again, an outage is no logout, and what
// can't be a client is refused by name.
import { SessionMysqlStore } from "kocha-session/mysql";
import { drizzle } from "drizzle-orm/mysql2";
import callbacks from "mysql2";
import mysql from "mysql2/promise";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { startProxy } from "../support/proxy.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { startBench } from "./mysql-server.ts";
import { change, creation, idsOf, newTable } from "./sql.ts";

const { server, admin, execute, freshStore, close } = await startBench();
afterAll(close);

describe("what the server undoes", () => {
  test("a deadlock is run again", async () => {
    const table = newTable();
    const store = await freshStore(admin, table);
    const keys = [newSelector(), newSelector()].toSorted();
    for (const selector of keys)
      await store.save(selector, creation({ a: "1" }, { subject: "alice" }));
    const rival = await admin.getConnection();
    await rival.query("BEGIN");
    // The lighter transaction is the one that is undone: this one has written more.
    await rival.query(
      `INSERT INTO \`${table}\` SELECT LPAD(seq, 22, '0'), '{}', 1, 1, 0, '', NULL FROM seq_1_to_500`,
    );
    await rival.query(`UPDATE \`${table}\` SET meta = 'rival' WHERE id = '${keys[1]}'`);
    const destroyed = store.destroyAll("alice");
    await untilWaiting();
    await rival.query(`UPDATE \`${table}\` SET meta = 'rival' WHERE id = '${keys[0]}'`);
    await rival.query("COMMIT");
    rival.release();
    expect(await destroyed).toBe(2);
    expect(await idsOf(store, "alice")).toEqual([]);
    const [row] = await execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
    expect(Number(row?.["Value"])).toBeGreaterThan(0);
  });

  test("what is undone again and again is given up, and nothing else is run again", async () => {
    const attempts = async (errno: number): Promise<number> => {
      let count = 0;
      const error = Object.assign(new Error("refused"), { errno });
      const client = { execute: () => Promise.reject((count++, error)) };
      await expect(new SessionMysqlStore({ client }).load(newSelector())).rejects.toBe(error);
      return count;
    };
    expect(await attempts(1213)).toBe(4);
    expect(await attempts(1205)).toBe(1);
  });

  /** Until a statement waits for a lock. */
  async function untilWaiting(): Promise<void> {
    for (;;) {
      const [row] = await execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'");
      if (Number(row?.["Value"]) > 0) return;
    }
  }
});

describe("an outage is no logout", () => {
  test("a connection that is cut: errors, the cookie stays, and the session is there afterwards", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = mysql.createPool(url);
    const visitor = new Visitor(await freshStore(client));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    proxy.turn({ kind: "cut" });
    const failing = visitor.visit((session) => session.get("a"));
    await expect(failing).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED", status: 503 });
    expect(visitor.cookie).toBe(cookie);
    proxy.turn({ kind: "open" });
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
    await client.end();
    await proxy.close();
  });

  test("a server that hangs: a StoreError in time", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = mysql.createPool(url);
    const visitor = new Visitor(await freshStore(client), { storeTimeout: 0.2 });
    await visitor.visit((session) => session.set("a", "1"));
    proxy.hold(true);
    const failing = visitor.visit((session) => session.get("a"));
    await expect(failing).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    proxy.hold(false);
    await client.end();
    await proxy.close();
  });

  test("a session past the connection's packet limit is kept whole, and is no missing one", async () => {
    const table = newTable();
    const store = await freshStore(admin, table);
    const selector = newSelector();
    const half = "x".repeat(600 * 1024);
    await store.save(selector, creation({ a: half }));
    // A connection takes it over when it is made; without a strict mode a NULL would become "".
    await execute("SET GLOBAL max_allowed_packet = 1048576");
    const small = await mysql.createConnection(server.url);
    await execute("SET GLOBAL max_allowed_packet = DEFAULT");
    await small.query("SET sql_mode = ''");
    const late = new SessionMysqlStore({ client: small, table });
    await late.save(selector, change({ set: new Map([["b", half]]) }));
    const whole = Object.entries({ a: half, b: half });
    await expect(late.load(selector)).rejects.toThrow("max_allowed_packet");
    // The server says why, or has hung up before the driver has written it all.
    const tooLarge = creation(Object.fromEntries(whole));
    await expect(late.save(newSelector(), tooLarge)).rejects.toThrow();
    expect((await store.load(selector))?.data).toEqual(new Map(whole));
    small.destroy();
  });
});

describe("what isn't committed is no success", () => {
  const uncommitted = {
    name: "StoreError",
    code: "ERR_SESSION_STORE_FAILED",
    message: expect.stringContaining("autocommit") as string,
  };

  async function connected(...statements: string[]): Promise<mysql.Connection> {
    const connection = await mysql.createConnection(server.url);
    onTestFinished(() => connection.destroy());
    for (const statement of statements) await connection.query(statement);
    return connection;
  }

  test.each([
    ["autocommit off", "SET autocommit = 0"],
    ["a transaction of the application's", "START TRANSACTION"],
  ])("with %s every save, logout and sweep is an error", async (_, statement) => {
    const table = newTable();
    const other = await freshStore(admin, table);
    const [selector, gone] = [newSelector(), newSelector()];
    for (const id of [selector, gone])
      await other.save(id, creation({ a: "1" }, { subject: "alice" }));
    const connection = await connected(statement);
    const store = new SessionMysqlStore({ client: connection, table });
    const saves = [
      () => store.save(newSelector(), creation({})),
      () => store.save(selector, change({ set: new Map([["a", "2"]]) })),
      () => store.save(selector, change({ rev: 9 })),
      () => store.save(gone, change({ op: "destroy" })),
      () => store.destroyAll("alice"),
      () => store.sweep(1),
    ];
    for (const save of saves) await expect(save()).rejects.toMatchObject(uncommitted);
    await connection.rollback();
    expect((await other.load(selector))?.data).toEqual(new Map([["a", "1"]]));
    expect(await other.load(gone)).toBeDefined();
  });

  test("with autocommit off a session that was ended elsewhere isn't read", async () => {
    const table = newTable();
    const other = await freshStore(admin, table);
    const selector = newSelector();
    await other.save(selector, creation({ a: "1" }));
    const store = new SessionMysqlStore({ client: await connected("SET autocommit = 0"), table });
    await expect(store.load(selector)).rejects.toMatchObject(uncommitted);
    await other.save(selector, change({ op: "destroy" }));
    // What the connection goes on seeing is the row as it was before the logout.
    await expect(store.load(selector)).rejects.toMatchObject({ ...uncommitted, operation: "load" });
    await expect(store.createTable()).rejects.toMatchObject(uncommitted);
  });

  test("a visitor gets no cookie for it", async () => {
    const table = newTable();
    await freshStore(admin, table);
    const client = await connected("SET autocommit = 0");
    const visitor = new Visitor(new SessionMysqlStore({ client, table }));
    const visit = visitor.visit((session) => session.set("a", "1"));
    await expect(visit).rejects.toMatchObject(uncommitted);
    expect(visitor.cookie).toBeUndefined();
  });
});

describe("what it refuses", () => {
  test("a client that answers in another way than mysql2", async () => {
    const answers: readonly unknown[] = [undefined, { rows: [] }, [{ affectedRows: 0 }], [[[1]]]];
    for (const answer of answers) {
      const client = { execute: () => Promise.resolve(answer as unknown[]) };
      const store = new SessionMysqlStore({ client });
      const wrong = { name: "StoreError", code: "ERR_SESSION_STORE_ANSWER" };
      await expect(store.load(newSelector())).rejects.toMatchObject(wrong);
      await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(wrong);
    }
  });

  test("a table that isn't there is an error that names createTable()", async () => {
    const store = new SessionMysqlStore({ client: admin, table: "nowhere" });
    const missing = {
      name: "StoreError",
      message: expect.stringContaining("createTable()"),
      cause: expect.objectContaining({ errno: 1146 }),
    };
    await expect(store.load(newSelector())).rejects.toMatchObject(missing);
    await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(missing);
    await expect(store.save(newSelector(), change({}))).rejects.toMatchObject(missing);
    await expect(idsOf(store, "alice")).rejects.toMatchObject({ ...missing, operation: "list" });
    await expect(store.destroyAll("alice")).rejects.toMatchObject(missing);
    await expect(store.sweep(1)).rejects.toMatchObject({ ...missing, operation: "sweep" });
  });

  const noop = (): undefined => undefined;
  const closedPool = mysql.createPool(server.url);
  void closedPool.end();
  const closedCallbacks = callbacks.createPool(server.url);
  closedCallbacks.end();
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "not undefined"],
    ["a URL", server.url, "not a string"],
    ["another object", {}, "without a method execute"],
    ["a client of pg", { query: () => undefined }, "without a method execute"],
    ["Drizzle", drizzle(admin), "a database of Drizzle, no client of the driver; pass its $client"],
    // By their shapes, with what only they have.
    ["a Sequelize", { query: noop, getQueryInterface: noop }, "a Sequelize instance"],
    ["a DataSource", { query: noop, createQueryRunner: noop }, "a DataSource of TypeORM"],
    ["a knex", Object.assign(() => undefined, { fromRaw: noop }), "a query builder of knex"],
    ["a pool of mariadb", { execute: noop, importFile: noop }, "make one of mysql2"],
    ["a Pool that is closed", closedPool, "is closed"],
    ["a Pool with callbacks that is closed", closedCallbacks, "is closed"],
  ])("%s", (_, client, words) => {
    const made = (): unknown => new SessionMysqlStore({ client: client as mysql.Pool });
    expect(thrownBy(made)).toMatchObject({
      name: "ConfigError",
      code: "ERR_SESSION_CONFIG_STORE",
      field: "client",
      message: expect.stringContaining(words),
    });
  });

  test("a Connection that is closed", async () => {
    const connection = await mysql.createConnection(server.url);
    await connection.end();
    expect(thrownBy(() => new SessionMysqlStore({ client: connection }))).toMatchObject({
      message: expect.stringContaining("is closed"),
    });
  });

  test.each(["a`b", "", "a.b.c", 7])("the table %j", (table) => {
    const made = (): unknown => new SessionMysqlStore({ client: admin, table: table as string });
    expect(thrownBy(made)).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "table" });
  });
});
