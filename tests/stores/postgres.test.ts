// The PostgreSQL store on pg, postgres and PGlite: the laws on a real server, what travels, what
// stays HOT, and its failures by name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import {
  type PostgresConnection,
  postgresTableSql,
  SessionPostgresStore,
} from "kocha-session/postgres";
import { fakeClock } from "kocha-session/testing";
import pg from "pg";
import postgres from "postgres";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { repository } from "../support/cli.ts";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { thrownBy } from "../support/thrown.ts";
import { Visitor } from "../support/visitor.ts";
import {
  change,
  creation,
  describeLaws,
  describeRows,
  HOUR,
  idsOf,
  newTable,
  type SqlSubject,
} from "./sql.ts";

const server = await startPostgres([
  "shared_preload_libraries=pg_stat_statements",
  "deadlock_timeout=200ms",
]);
const admin = poolOf(server.url);
const execute = async (text: string): Promise<pg.QueryResult> => admin.query(text);

afterAll(async () => {
  await admin.end();
  await server.close();
});

/** A pool that, as every pool should, survives the end of the server. */
function poolOf(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => undefined);
  return pool;
}

/** A store on real time and a fresh table. */
async function freshStore(
  client: PostgresConnection = admin,
  table: string = newTable(),
): Promise<SessionPostgresStore> {
  const store = new SessionPostgresStore({ client, table });
  await store.createTable();
  return store;
}

/** now() that the laws can turn: a schema that the search path names before pg_catalog. */
const TURNED = `
  CREATE SCHEMA turned;
  CREATE TABLE turned.clock (ms bigint);
  INSERT INTO turned.clock VALUES (0);
  CREATE FUNCTION turned.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT to_timestamp(ms / 1000.0) FROM turned.clock'`;

/** A client in a database of its own whose time stands still until it is turned. */
interface Turned {
  readonly client: PostgresConnection;
  readonly execute: (text: string) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

async function turnedDatabase(name: string): Promise<string> {
  await execute(`CREATE DATABASE ${name}`);
  await execute(`ALTER DATABASE ${name} SET search_path = public, turned, pg_catalog`);
  return server.url.replace(/postgres$/, name);
}

const clients: readonly (readonly [string, () => Promise<Turned>])[] = [
  [
    "pg",
    async () => {
      const pool = poolOf(await turnedDatabase("by_pg"), { max: 8 });
      return { client: pool, execute: (text) => pool.query(text), close: () => pool.end() };
    },
  ],
  [
    "postgres",
    async () => {
      const sql = postgres(await turnedDatabase("by_postgres"), { max: 8, onnotice: () => {} });
      return {
        client: sql,
        execute: async (text) => sql.unsafe(text).simple(),
        close: () => sql.end(),
      };
    },
  ],
  [
    "PGlite",
    async () => {
      const lite = await PGlite.create();
      await lite.exec("SET search_path = public, turned, pg_catalog");
      return { client: lite, execute: (text) => lite.exec(text), close: () => lite.close() };
    },
  ],
];

describe.each(clients)("the PostgreSQL store on %s", async (name, connect) => {
  const turned = await connect();
  await turned.execute(TURNED);
  const fake = fakeClock();
  const turn = async (): Promise<unknown> =>
    turned.execute(`UPDATE turned.clock SET ms = ${fake.now()}`);
  await turn();
  const clock = {
    now: fake.now,
    advance: async (ms: number): Promise<void> => {
      await fake.advance(ms);
      await turn();
    },
  };
  afterAll(async () => void (await turned.close()));
  const subject: SqlSubject = {
    name,
    clock,
    makeStore: (table) => freshStore(turned.client, table),
    execute: turned.execute,
    quote: (table) => `"${table}"`,
    foreign: [
      "data = '[]'",
      "data = '\"a\"'",
      "data = 'null'",
      `data = '{"a":1}'`,
      `data = '{"a":{"b":"c"}}'`,
      `data = '{"a":"~"}'`,
      "rev = 0",
      "generation = -1",
      "expires = -1",
      "meta = '~!'",
    ],
    fill: (table, bound, count) => `
      INSERT INTO "${table}" (id, data, rev, generation, expires, meta, subject)
      SELECT lpad(i::text, 22, '0'), '{}', 1, 1, ${clock.now() + HOUR}, '', '${bound}'
      FROM generate_series(1, ${count}) AS i`,
  };
  // PGlite runs a whole PostgreSQL in this process, and slowly.
  await describeLaws(subject, name === "PGlite" ? 3 : 20);
  if (name === "pg") describeRows(subject);
});

const throughProxy: readonly (readonly [string, (url: string) => Promise<Turned>])[] = [
  [
    "pg",
    async (url) => {
      const client = poolOf(url, { max: 1 });
      return { client, execute: (text) => client.query(text), close: () => client.end() };
    },
  ],
  [
    "postgres",
    async (url) => {
      const client = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
      return { client, execute: async (text) => client.unsafe(text), close: () => client.end() };
    },
  ],
];

describe.each(throughProxy)("what travels by %s", (_, connect) => {
  /** A store behind a counting proxy, with its connection and its statements made. */
  async function counted(): Promise<{
    proxy: Proxy;
    store: SessionPostgresStore;
    close: () => Promise<void>;
  }> {
    const proxy = await startProxy(server.port);
    const { client, close } = await connect(server.url.replace(`${server.port}`, `${proxy.port}`));
    const store = await freshStore(client);
    const key = newSelector();
    await store.save(key, creation({ a: "1" }));
    await store.save(key, change({ set: new Map([["a", "2"]]), ttl: 0 }));
    await store.load(key);
    proxy.take();
    const end = async (): Promise<void> => {
      await close();
      await proxy.close();
    };
    return { proxy, store, close: end };
  }

  test("one round trip to load, one to commit, none for an anonymous visit", async () => {
    const { proxy, store, close } = await counted();
    const visitor = new Visitor(store);
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take()).toEqual({ sent: 0, received: 0, trips: 0 });
    await visitor.visit((session) => session.set("a", "1"));
    expect(proxy.take().trips).toBe(1);
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take().trips).toBe(1);
    await visitor.visit((session) => session.set("b", "2"));
    expect(proxy.take().trips).toBe(2);
    await close();
  });

  test("for one changed key it doesn't grow with the session", async () => {
    const { proxy, store, close } = await counted();
    const traffic: number[] = [];
    for (const size of [1024, 102_400, 1_048_576]) {
      const visitor = new Visitor(store, { maxSessionBytes: 2 ** 22 });
      await visitor.visit((session) => {
        for (let index = 0; index < 16; index++) session.set(`k${index}`, "x".repeat(size / 16));
      });
      await visitor.visit(async (session) => {
        session.get("k0");
        proxy.take();
        session.set("k0", "changed");
        await session.commit();
        const { sent, received } = proxy.take();
        traffic.push(sent + received);
      });
    }
    expect(new Set(traffic).size).toBe(1);
    expect(traffic[0]).toBeLessThan(1000);
    await close();
  });
});

describe("at the server", () => {
  test("statements are counted where they are run: one a load, one a commit", async () => {
    await execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    const table = newTable();
    const visitor = new Visitor(await freshStore(admin, table));
    const calls = async (): Promise<number> => {
      const { rows } = await execute(
        `SELECT coalesce(sum(calls), 0)::integer AS calls FROM pg_stat_statements
         WHERE query LIKE '%"${table}"%' AND query ~ '^(SELECT|INSERT|UPDATE|WITH)'
           AND query NOT LIKE '%pg_stat%'`,
      );
      return (rows[0] as { calls: number }).calls;
    };
    await visitor.visit((session) => session.get("a"));
    expect(await calls()).toBe(0);
    await visitor.visit((session) => session.set("a", "1"));
    expect(await calls()).toBe(1);
    await visitor.visit((session) => session.get("a"));
    expect(await calls()).toBe(2);
    await visitor.visit((session) => session.set("a", "2"));
    expect(await calls()).toBe(4);
    await visitor.visit((session) => session.destroy());
    expect(await calls()).toBe(6);
  });

  test("renewals and commits stay HOT; an index on the end itself would undo it", async () => {
    // One connection: the server counts by connection, and this one is asked to hand its counts in.
    const client = poolOf(server.url, { max: 1 });
    const hotUpdates = async (table: string): Promise<number> => {
      const store = new SessionPostgresStore({ client, table });
      const keys = Array.from({ length: 200 }, newSelector);
      for (const key of keys) await store.save(key, creation({ name: "alice", csrf: key }));
      for (const key of keys) await store.save(key, change({ ttl: HOUR + 60_000 }));
      for (const key of keys) {
        await store.save(key, change({ set: new Map([["csrf", newSelector()]]), ttl: 0 }));
      }
      await client.query("SELECT pg_stat_force_next_flush()");
      const { rows } = await client.query<{ updated: number; hot: number }>(
        `SELECT n_tup_upd::integer AS updated, n_tup_hot_upd::integer AS hot
         FROM pg_stat_user_tables WHERE relname = '${table}'`,
      );
      expect(rows[0]?.updated).toBe(400);
      return rows[0]?.hot ?? 0;
    };
    const [ours, worse] = [newTable(), newTable()];
    for (const table of [ours, worse]) await freshStore(client, table);
    await client.query(`CREATE INDEX ON "${worse}" (expires)`);
    expect(await hotUpdates(ours)).toBeGreaterThan(300);
    // Renewals change the end, and with the index none of them is HOT.
    expect(await hotUpdates(worse)).toBeLessThanOrEqual(200);
    await client.end();
  });

  test("the shipped SQL is what createTable() runs", () => {
    const shipped = readFileSync(join(repository, "sql/postgres.sql"), "utf8");
    const statements = shipped.split("\n").filter((line) => !line.startsWith("--"));
    expect(statements.join("\n").trim()).toBe(postgresTableSql().join("\n"));
  });

  test("it makes the table that the store uses", async () => {
    await execute(readFileSync(join(repository, "sql/postgres.sql"), "utf8"));
    const store = new SessionPostgresStore({ client: admin });
    const key = newSelector();
    await store.save(key, creation({ a: "1" }));
    await store.createTable();
    expect((await store.load(key))?.data.get("a")).toBe("1");
  });

  test("many processes may make the table at once, in a schema of its own too", async () => {
    await execute("CREATE SCHEMA tenant");
    const table = `tenant.${newTable()}`;
    const stores = Array.from(
      { length: 8 },
      () => new SessionPostgresStore({ client: admin, table }),
    );
    await Promise.all(stores.map((store) => store.createTable()));
    const key = newSelector();
    await stores[0]?.save(key, creation({ a: "1" }));
    expect((await stores[7]?.load(key))?.data.get("a")).toBe("1");
  });

  test("the clock is the database's", async () => {
    const store = await freshStore();
    const saved = await store.save(newSelector(), creation({}, { ttl: HOUR }));
    const { rows } = await execute("SELECT extract(epoch FROM now()) * 1000 AS now");
    const now = Number((rows[0] as { now: string }).now);
    expect(Math.abs((saved?.expires ?? 0) - HOUR - now)).toBeLessThan(60_000);
  });

  test("a sweep leaves what another transaction holds, and waits for nobody", async () => {
    const table = newTable();
    const store = await freshStore(admin, table);
    const keys = Array.from({ length: 5 }, newSelector);
    for (const key of keys) await store.save(key, creation({}, { ttl: 1 }));
    await execute(`UPDATE "${table}" SET expires = 1`);
    const holder = await admin.connect();
    await holder.query("BEGIN");
    await holder.query(`SELECT id FROM "${table}" WHERE id = '${keys[0]}' FOR UPDATE`);
    expect(await store.sweep(3)).toBe(3);
    expect(await store.sweep(100)).toBe(1);
    await holder.query("ROLLBACK");
    holder.release();
    expect(await store.sweep(100)).toBe(1);
  });
});

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
  const key = newSelector();
  await stores[0]?.save(key, creation({ a: "1" }));
  const nowhere = new SessionPostgresStore({ client: watched, table: "nowhere" });
  const failing = Promise.resolve(nowhere.load(key)).catch((error: unknown) => error);
  const write = async (index: number): Promise<void> => {
    await stores[index % 2]?.save(key, change({ set: new Map([[`k${index}`, "1"]]) }));
  };
  await Promise.all(Array.from({ length: 16 }, (_, index) => write(index)));
  expect(await failing).toMatchObject({ message: expect.stringContaining("createTable()") });
  expect((await stores[0]?.load(key))?.data.size).toBe(17);
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
    const key = newSelector();
    await store.save(key, creation({ a: "1" }));
    const rival = await admin.connect();
    await rival.query("BEGIN");
    await rival.query(`UPDATE "${table}" SET meta = 'rival' WHERE id = '${key}'`);
    const saved = store.save(key, change({ set: new Map([["b", "2"]]) }));
    await untilWaiting(table);
    await rival.query("COMMIT");
    rival.release();
    expect(await saved).toMatchObject({ rev: 1 });
    expect(await store.load(key)).toMatchObject({
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
    for (const key of keys) await store.save(key, creation({ a: "1" }, { subject: "alice" }));
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
    await own.close();
  });

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

describe("what it refuses", () => {
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

  test.each(['a"b', "", "a.b.c", "1a", "x".repeat(64), 7])("the table %j", (table) => {
    const made = (): unknown => new SessionPostgresStore({ client: admin, table: table as string });
    expect(thrownBy(made)).toMatchObject({ code: "ERR_SESSION_CONFIG_FIELD", field: "table" });
  });

  function closedPool(): pg.Pool {
    const pool = poolOf(server.url);
    void pool.end();
    return pool;
  }
});
