// How the PostgreSQL store fails: what the server undoes is run again, an outage is no logout, and
// what can't be a client is refused by name.
import { drizzle } from "drizzle-orm/node-postgres";
import { SessionPostgresStore } from "kocha-session/postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { MAX_CALLS_IN_FLIGHT } from "../../src/store/calls-in-flight.ts";
import { newSelector } from "../../src/testing/history.ts";
import { startProxy } from "../support/proxy.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import { poolOf, startBench } from "./postgres-server.ts";
import { change, creation, idsOf, newTable } from "./sql.ts";

const { server, admin, execute, freshStore, close } = await startBench(["deadlock_timeout=200ms"]);
afterAll(close);

test("a single Client of pg is asked one thing after the other, by all its stores", async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  let [busy, most] = [0, 0];
  // The same connection, looked at.
  const watched = {
    processID: 1,
    query: async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
      most = Math.max(most, ++busy);
      try {
        return await client.query(text, values);
      } finally {
        busy--;
      }
    },
  };
  const table = newTable();
  const stores = [await freshStore(watched, table), await freshStore(watched, table)];
  const selector = newSelector();
  await stores[0]?.save(selector, creation({ a: "1" }));
  const nowhere = new SessionPostgresStore({ client: watched, table: "nowhere" });
  const failing = Promise.resolve(nowhere.load(selector)).catch((error: unknown) => error);
  const write = async (index: number): Promise<void> => {
    await stores[index % 2]?.save(selector, change({ set: new Map([[`k${index}`, "1"]]) }));
  };
  await Promise.all(Array.from({ length: 16 }, (_, index) => write(index)));
  expect(await failing).toMatchObject({ message: expect.stringContaining("createTable()") });
  expect((await stores[0]?.load(selector))?.data.size).toBe(17);
  expect(most).toBe(1);
  await client.end();
});

describe("what the server undoes", () => {
  test("a serialization failure is run again", async () => {
    const table = newTable();
    const client = poolOf(server.url, {
      options: "-c default_transaction_isolation=serializable",
    });
    const store = await freshStore(client, table);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    const rival = await admin.connect();
    await rival.query("BEGIN");
    await rival.query(`UPDATE "${table}" SET meta = 'rival' WHERE id = '${selector}'`);
    const saved = store.save(selector, change({ set: new Map([["b", "2"]]) }));
    await untilWaiting(table);
    await rival.query("COMMIT");
    rival.release();
    expect(await saved).toMatchObject({ rev: 1 });
    expect(await store.load(selector)).toMatchObject({
      meta: "rival",
      data: new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    });
    await client.end();
  });

  test("a deadlock is run again", async () => {
    const table = newTable();
    const store = await freshStore(admin, table);
    const keys = [newSelector(), newSelector()].toSorted();
    for (const selector of keys)
      await store.save(selector, creation({ a: "1" }, { subject: "alice" }));
    const rival = await admin.connect();
    // The store's side looks for deadlocks first, and is the one to be undone.
    await rival.query("SET deadlock_timeout = '1min'");
    await rival.query("BEGIN");
    await rival.query(`UPDATE "${table}" SET meta = 'rival' WHERE id = '${keys[1]}'`);
    const destroyed = store.destroyAll("alice");
    await untilWaiting(table);
    await rival.query(`UPDATE "${table}" SET meta = 'rival' WHERE id = '${keys[0]}'`);
    await rival.query("COMMIT");
    rival.release();
    expect(await destroyed).toBe(2);
    expect(await idsOf(store, "alice")).toEqual([]);
    const { rows } = await execute(
      "SELECT deadlocks::integer FROM pg_stat_database WHERE datname = 'postgres'",
    );
    expect((rows[0] as { deadlocks: number }).deadlocks).toBeGreaterThan(0);
  });

  test("what is undone again and again is given up after three more attempts", async () => {
    let attempts = 0;
    const undone = Object.assign(new Error("could not serialize access"), { code: "40001" });
    const client = { query: () => Promise.reject((attempts++, undone)) };
    const store = new SessionPostgresStore({ client });
    await expect(store.load(newSelector())).rejects.toBe(undone);
    expect(attempts).toBe(4);
  });

  test("any other error isn't: what became of it is unknown", async () => {
    let attempts = 0;
    const lost = Object.assign(new Error("terminating connection"), { code: "57P01" });
    const client = { query: () => Promise.reject((attempts++, lost)) };
    const store = new SessionPostgresStore({ client });
    await expect(store.save(newSelector(), creation({}))).rejects.toBe(lost);
    expect(attempts).toBe(1);
  });

  /** Until a statement on the table waits for a lock. */
  async function untilWaiting(table: string): Promise<void> {
    for (;;) {
      const { rows } = await execute(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"${table}"%'`,
      );
      if (rows.length > 0) return;
    }
  }
});

describe("an outage is no logout", () => {
  test("a server that is gone: errors, the cookie stays, and the session is there afterwards", async () => {
    const own = await startPostgres();
    onTestFinished(own.close);
    const client = poolOf(own.url);
    const visitor = new Visitor(await freshStore(client));
    await visitor.visit((session) => session.set("a", "1"));
    const { cookie } = visitor;
    await own.server.kill();
    const failing = visitor.visit((session) => session.get("a"));
    await expect(failing).rejects.toMatchObject({ code: "ERR_SESSION_STORE_FAILED", status: 503 });
    expect(visitor.cookie).toBe(cookie);
    await own.server.start();
    expect(await visitor.visit((session) => session.get("a"))).toBe("1");
    await client.end();
  });

  test(
    "a server that is stopped: calls that wait for it are bounded, and it works on afterwards",
    { timeout: 60_000 },
    async () => {
      const client = poolOf(server.url);
      const store = await freshStore(client);
      const events: string[] = [];
      const visitor = (): Visitor =>
        new Visitor(store, {
          storeTimeout: 0.5,
          on: {
            storeError: ({ operation, error }) => void events.push(`${operation} ${error.code}`),
          },
        });
      const known = visitor();
      await known.visit((session) => session.set("a", "1"));
      const backends = await stopBackends();
      const fresh = visitor();
      const save = (): Promise<unknown> => fresh.visit((session) => session.set("a", "1"));
      const waiting = Array.from({ length: MAX_CALLS_IN_FLIGHT }, save);
      // Past the bound a request is told at once, while all the others still wait.
      await expect(save()).rejects.toMatchObject({
        name: "StoreError",
        code: "ERR_SESSION_STORE_BUSY",
        status: 503,
        operation: "save",
      });
      expect(events).toEqual(["save ERR_SESSION_STORE_BUSY"]);
      await expect(known.visit((session) => session.get("a"))).rejects.toMatchObject({
        code: "ERR_SESSION_STORE_BUSY",
        operation: "load",
      });
      const answers = await Promise.allSettled(waiting);
      expect(answers.filter(({ status }) => status === "fulfilled")).toEqual([]);
      // What nobody waits for any more still stands in the driver's queue; one call in each
      // storeTimeout asks whether the store answers again.
      const probe = save();
      await expect(save()).rejects.toMatchObject({ code: "ERR_SESSION_STORE_BUSY" });
      await expect(probe).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
      expect(client.waitingCount).toBeLessThanOrEqual(MAX_CALLS_IN_FLIGHT + 1);
      for (const pid of backends) process.kill(pid, "SIGCONT");
      while (client.waitingCount > 0) await execute("SELECT 1");
      expect(await known.visit((session) => session.get("a"))).toBe("1");
      expect(await fresh.visit((session) => session.set("a", "2"))).toBeUndefined();
      await client.end();
    },
  );

  /** Lets a stopped process go on; a backend may have ended since. */
  function resume(pid: number): void {
    try {
      process.kill(pid, "SIGCONT");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Stops the server and all that it serves its clients by, as a machine that hangs does. */
  async function stopBackends(): Promise<number[]> {
    const { rows } = await execute(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' UNION SELECT pg_backend_pid()",
    );
    const pids = [...rows.map(({ pid }) => Number(pid)), Number(server.server.pid)];
    onTestFinished(() => {
      for (const pid of pids) resume(pid);
    });
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    return pids;
  }

  test("a server that hangs: a StoreError in time", async () => {
    const proxy = await startProxy(server.port);
    const url = server.url.replace(`${server.port}`, `${proxy.port}`);
    const client = poolOf(url);
    const visitor = new Visitor(await freshStore(client), { storeTimeout: 0.2 });
    await visitor.visit((session) => session.set("a", "1"));
    proxy.hold(true);
    const failing = visitor.visit((session) => session.get("a"));
    await expect(failing).rejects.toMatchObject({ code: "ERR_SESSION_STORE_TIMEOUT" });
    proxy.hold(false);
    await client.end();
    await proxy.close();
  });
});

test("on a Client inside a transaction of the application's every save and logout is an error", async () => {
  const table = newTable();
  const other = await freshStore(admin, table);
  const selector = newSelector();
  await other.save(selector, creation({ a: "1" }, { subject: "alice" }));
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const store = new SessionPostgresStore({ client, table });
  await client.query("BEGIN");
  const uncommitted = {
    name: "StoreError",
    code: "ERR_SESSION_STORE_FAILED",
    message: expect.stringContaining("a transaction of the application's") as string,
  };
  const saves = [
    () => store.save(newSelector(), creation({})),
    () => store.save(selector, change({ set: new Map([["a", "2"]]) })),
    () => store.save(selector, change({ op: "destroy" })),
    () => store.destroyAll("alice"),
    () => store.sweep(1),
  ];
  for (const save of saves) await expect(save()).rejects.toMatchObject(uncommitted);
  await client.query("ROLLBACK");
  expect((await store.load(selector))?.data).toEqual(new Map([["a", "1"]]));
  expect(await store.save(selector, change({ op: "destroy" }))).toBeDefined();
  await client.end();
});

describe("what it refuses", () => {
  test("a client that answers in another way than pg", async () => {
    for (const answer of [undefined, [], [[], 1], { rows: "none" }, { rows: [[1]] }]) {
      const client = { query: () => Promise.resolve(answer as { rows: unknown[] }) };
      const store = new SessionPostgresStore({ client });
      const wrong = { name: "StoreError", code: "ERR_SESSION_STORE_ANSWER" };
      await expect(store.load(newSelector())).rejects.toMatchObject(wrong);
      await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(wrong);
      await expect(store.sweep(1)).rejects.toMatchObject(wrong);
      if (Array.isArray(Object(answer).rows)) continue;
      await expect(store.createTable()).rejects.toMatchObject(wrong);
    }
  });

  test("a table that isn't there is an error that names createTable()", async () => {
    const store = new SessionPostgresStore({ client: admin, table: "nowhere" });
    const missing = {
      name: "StoreError",
      message: expect.stringContaining("createTable()"),
      cause: expect.objectContaining({ code: "42P01" }),
    };
    await expect(store.load(newSelector())).rejects.toMatchObject(missing);
    await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(missing);
    await expect(idsOf(store, "alice")).rejects.toMatchObject({ ...missing, operation: "list" });
    await expect(store.destroyAll("alice")).rejects.toMatchObject(missing);
    await expect(store.sweep(1)).rejects.toMatchObject({ ...missing, operation: "sweep" });
  });

  test.each<[string, () => unknown, string]>([
    ["nothing", () => undefined, "not undefined"],
    ["a URL", () => server.url, "connect to it first"],
    ["the class", () => pg.Pool, "make one first"],
    ["another object", () => ({}), "without a method query of theirs"],
    ["a client of mysql2", () => ({ query: () => {}, execute: () => {} }), "must be a Pool"],
    [
      "Drizzle",
      () => drizzle(admin),
      "a database of Drizzle, no client of the driver; pass its $c",
    ],
    [
      "Kysely",
      () => new Kysely({ dialect: new PostgresDialect({ pool: admin }) }),
      "a Kysely instance, no client of the driver; pass the client that its dialect was given",
    ],
    // By their shapes, with what only they have.
    ["a DataSource", () => ({ query: noop, createQueryRunner: noop }), "a DataSource of TypeORM"],
    ["a Sequelize", () => ({ query: noop, getQueryInterface: noop }), "a Sequelize instance"],
    ["a knex", () => Object.assign(() => undefined, { fromRaw: noop }), "a query builder of knex"],
    ["Prisma", () => ({ $queryRawUnsafe: noop }), "a client of Prisma"],
    ["pg-promise", () => ({ query: noop, oneOrNone: noop }), "pass its $pool"],
    ["a Client that isn't connected", () => new pg.Client(server.url), "await client.connect()"],
    ["a Pool that is closed", () => closedPool(), "is closed"],
  ])("%s", (_, make, words) => {
    const made = (): unknown => new SessionPostgresStore({ client: make() as pg.Pool });
    expect(thrownBy(made)).toMatchObject({
      name: "ConfigError",
      code: "ERR_SESSION_CONFIG_STORE",
      field: "client",
      message: expect.stringContaining(words),
    });
  });

  test("a transaction of the package postgres", async () => {
    const sql = postgres(server.url);
    await sql.begin(async (transaction) => {
      expect(thrownBy(() => new SessionPostgresStore({ client: transaction }))).toMatchObject({
        message: expect.stringContaining("is a transaction of the package postgres") as string,
      });
    });
    await sql.end();
  });

  test.each(['a"b', "", "a.b.c", "1a", "x".repeat(64), 7])("the table %j", (table) => {
    const made = (): unknown => new SessionPostgresStore({ client: admin, table: table as string });
    expect(thrownBy(made)).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "table" });
  });

  test("prepare that is neither true nor false", () => {
    const made = (): unknown =>
      new SessionPostgresStore({ client: admin, prepare: "yes" as unknown as boolean });
    expect(thrownBy(made)).toMatchObject({
      code: "ERR_SESSION_CONFIG_FIELD",
      field: "prepare",
      message: expect.stringContaining("must be true or false, not a string"),
    });
  });

  function noop(): void {
    // Only that it is there counts.
  }

  function closedPool(): pg.Pool {
    const pool = poolOf(server.url);
    void pool.end();
    return pool;
  }
});
