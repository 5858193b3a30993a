// What a session costs on PostgreSQL, measured at a proxy and at the server: round trips, bytes,
// statements, HOT updates, and a sweep that waits for nobody.
import type { SessionChange } from "kocha-session";
import {
  type PostgresConnection,
  postgresSessionsSql,
  SessionPostgresStore,
} from "kocha-session/postgres";
import postgres from "postgres";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { Visitor } from "../support/visitor.ts";
import { poolOf, startBench } from "./postgres-server.ts";
import { change, creation, HOUR, newTable } from "./sql.ts";

const { server, admin, execute, freshStore, close } = await startBench([
  "shared_preload_libraries=pg_stat_statements",
]);
afterAll(close);

interface Connected {
  readonly client: PostgresConnection;
  readonly end: () => Promise<unknown>;
  readonly prepare?: boolean;
}

const throughProxy: readonly (readonly [string, (url: string) => Promise<Connected>])[] = [
  [
    "pg",
    async (url) => {
      const client = poolOf(url, { max: 1 });
      return { client, end: () => client.end() };
    },
  ],
  [
    "pg with named statements",
    async (url) => {
      const client = poolOf(url, { max: 1 });
      return { client, end: () => client.end(), prepare: true };
    },
  ],
  [
    "postgres",
    async (url) => {
      const client = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
      return { client, end: () => client.end() };
    },
  ],
];

describe.each(throughProxy)("what travels by %s", (name, connect) => {
  const keepsText = name !== "pg";

  /** A store behind a counting proxy, with its connection and its statements made. */
  async function counted(): Promise<{
    proxy: Proxy;
    store: SessionPostgresStore;
    stop: () => Promise<void>;
  }> {
    const proxy = await startProxy(server.port);
    const { client, end, prepare } = await connect(
      server.url.replace(`${server.port}`, `${proxy.port}`),
    );
    const store = new SessionPostgresStore({ client, table: newTable(), prepare });
    await store.createTable();
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    await store.save(selector, change({ set: new Map([["a", "2"]]), ttl: 0 }));
    await store.load(selector);
    proxy.take();
    const stop = async (): Promise<void> => {
      await end();
      await proxy.close();
    };
    return { proxy, store, stop };
  }

  test("one round trip to load, one to commit, none for an anonymous visit", async () => {
    const { proxy, store, stop } = await counted();
    const visitor = new Visitor(store);
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take()).toEqual({ sent: 0, received: 0, trips: 0 });
    await visitor.visit((session) => session.set("a", "1"));
    expect(proxy.take().trips).toBe(1);
    await visitor.visit((session) => session.get("a"));
    expect(proxy.take().trips).toBe(1);
    await visitor.visit((session) => session.set("b", "2"));
    expect(proxy.take().trips).toBe(2);
    await stop();
  });

  test("what an update expects travels with it, in the same round trip", async () => {
    const { proxy, store, stop } = await counted();
    const key = newSelector();
    await store.save(key, creation({ n: "0" }));
    const raise = (n: number): SessionChange => {
      const expected = new Map([["n", String(n)]]);
      return change({ expect: expected, set: new Map([["n", String(n + 1)]]), ttl: 0 });
    };
    await store.save(key, raise(0));
    proxy.take();
    expect(await store.save(key, raise(1))).toBeDefined();
    expect(proxy.take().trips).toBe(1);
    expect(await store.save(key, raise(1))).toBeUndefined();
    expect(proxy.take().trips).toBe(1);
    await stop();
  });

  test("for one changed key it doesn't grow with the session", async () => {
    const { proxy, store, stop } = await counted();
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
    expect(traffic[0]).toBeLessThan(keepsText ? 400 : 1000);
    await stop();
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
      for (const selector of keys)
        await store.save(selector, creation({ name: "alice", csrf: selector }));
      for (const selector of keys) await store.save(selector, change({ ttl: HOUR + 60_000 }));
      for (const selector of keys) {
        await store.save(selector, change({ set: new Map([["csrf", newSelector()]]), ttl: 0 }));
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

  test("its SQL makes the table that the store uses", async () => {
    await execute(postgresSessionsSql().join("\n"));
    const store = new SessionPostgresStore({ client: admin });
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }));
    await store.createTable();
    expect((await store.load(selector))?.data.get("a")).toBe("1");
  });

  test("many processes may make the table at once, in a schema of its own too", async () => {
    await execute("CREATE SCHEMA tenant");
    const table = `tenant.${newTable()}`;
    const stores = Array.from(
      { length: 8 },
      () => new SessionPostgresStore({ client: admin, table }),
    );
    await Promise.all(stores.map((store) => store.createTable()));
    const selector = newSelector();
    await stores[0]?.save(selector, creation({ a: "1" }));
    expect((await stores[7]?.load(selector))?.data.get("a")).toBe("1");
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
    for (const selector of keys) await store.save(selector, creation({}, { ttl: 1 }));
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
