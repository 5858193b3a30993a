// Sessions and revocations in D1 on real workerd: the laws, what a commit writes, and failures by name.
import type { Miniflare } from "miniflare";
import {
  SessionSqliteStore,
  type SqliteD1,
  type SqliteD1Statement,
  sqliteRevocations,
  sqliteSessionsSql,
} from "../../src/stores/sqlite.ts";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { change, creation, newTable } from "../../tests/stores/sql.ts";
import { thrownBy } from "../../tests/support/thrown.ts";
import { askerOf, describePlace } from "./place.ts";
import { bundle, COMPATIBILITY_DATE, start } from "./workerd.ts";

const miniflare: Miniflare = await start([
  {
    name: "place",
    modules: true,
    script: await bundle("d1-sql.mjs"),
    compatibilityDate: COMPATIBILITY_DATE,
    d1Databases: ["DB"],
  },
]);
afterAll(() => miniflare.dispose());
const database = (await miniflare.getD1Database("DB")) as unknown as SqliteD1 & {
  withSession(constraint: string): SqliteD1;
};
const run = (text: string): Promise<unknown> => database.prepare(text).all();

/** A store on a table of its own. */
async function makeStore(
  client: SqliteD1 = database,
  now: () => number = Date.now,
): Promise<SessionSqliteStore> {
  const store = new SessionSqliteStore({ client, table: newTable(), now });
  await store.createTable();
  return store;
}

await describePlace("D1", askerOf(miniflare));

/** The database, and the rows that its statements have read and written since they were last asked for. */
function metered(): { client: SqliteD1; take: () => { read: number; written: number } } {
  let [read, written] = [0, 0];
  const count = (statement: SqliteD1Statement): SqliteD1Statement => ({
    bind: (...values) => count(statement.bind(...values)),
    all: async () => {
      const answer = await statement.all();
      const meta = answer.meta as { rows_read: number; rows_written: number };
      read += meta.rows_read;
      written += meta.rows_written;
      return answer;
    },
  });
  return {
    client: {
      prepare: (text) => count(database.prepare(text)),
      batch: (all) => database.batch(all),
    },
    take: () => {
      const taken = { read, written };
      read = written = 0;
      return taken;
    },
  };
}

test("what is billed: one row read, and one written for a commit, a renewal included", async () => {
  const { client, take } = metered();
  let now = Date.now();
  const store = await makeStore(client, () => now);
  const selector = newSelector();
  take();
  await store.save(selector, creation({ a: "1" }));
  // The row, its key, and the index of sweeps.
  expect(take().written).toBe(3);
  await store.load(selector);
  expect(take()).toEqual({ read: 1, written: 0 });
  now += 1000;
  await store.save(selector, change({ set: new Map([["b", "2"]]) }));
  expect(take().written).toBe(1);
  await store.save(selector, change({ subject: "alice", meta: "bound" }));
  expect(take().written).toBe(2);
  await store.sweep(100);
  expect(take().written).toBe(0);
});

describe("what D1 refuses", () => {
  test("a session of D1, whose replicas show a session after its logout", () => {
    for (const constraint of ["first-unconstrained", "first-primary"]) {
      const client = database.withSession(constraint);
      for (const make of [
        () => new SessionSqliteStore({ client }),
        () => sqliteRevocations({ client }),
      ]) {
        expect(thrownBy(make)).toMatchObject({
          name: "ConfigError",
          code: "ERR_SESSION_CONFIG_STORE",
          message: expect.stringMatching(
            /session of D1 \(withSession\).*pass the D1Database itself/,
          ),
        });
      }
    }
  });

  test("an answer of a replica is an error, and no session", async () => {
    const selector = newSelector();
    const made = await makeStore();
    await made.save(selector, creation({ a: "1" }));
    const replica: SqliteD1 = {
      batch: (all) => database.batch(all),
      prepare: (text) => replicated(database.prepare(text)),
    };
    const store = new SessionSqliteStore({ client: replica });
    await store.createTable();
    await expect(store.load(selector)).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_ANSWER",
      message: expect.stringContaining("a replica of the D1 database has answered"),
    });
  });

  test("a table that isn't there, which is told with the way to make it", async () => {
    const [table, log] = [newTable(), newTable()];
    const store = new SessionSqliteStore({ client: database, table });
    const missing = {
      code: "ERR_SESSION_STORE_FAILED",
      message: expect.stringContaining(
        `the table ${table} isn't there; createTable() makes it, or what sqliteSessionsSql() gives`,
      ),
    };
    await expect(store.load(newSelector())).rejects.toMatchObject(missing);
    await expect(store.save(newSelector(), creation({}))).rejects.toMatchObject(missing);
    const revocations = sqliteRevocations({ client: database, table: log, keepFor: 3600 });
    await expect(revocations.revoke(newSelector())).rejects.toMatchObject({
      message: expect.stringMatching(/isn't there.*sqliteRevocationsSql\(\)/),
    });
    for (const text of sqliteSessionsSql(table)) await run(text);
    await revocations.createTable();
    expect(await store.save(newSelector(), creation({}))).toBeDefined();
    await revocations.revoke(newSelector());
    revocations.close?.();
  });

  test("a row over its limit, of a new session and of one that grows, which stays as it was", async () => {
    const store = await makeStore();
    const large = "x".repeat(1_500_000);
    const entries = { a: large, b: large, c: large };
    await expect(store.save(newSelector(), creation(entries))).rejects.toMatchObject({
      name: "LimitError",
      code: "ERR_SESSION_LIMIT_SESSION",
      actual: 4_500_000 + '{"a":"","b":"","c":""}'.length,
      limit: 2_000_000,
    });
    const selector = newSelector();
    await store.save(selector, creation({ a: large, b: "2" }));
    const grown = change({
      set: new Map([
        ["c", large],
        ["d", large],
      ]),
      del: ["b"],
    });
    await expect(store.save(selector, grown)).rejects.toMatchObject({
      name: "LimitError",
      actual: 4_500_000 + '{"a":"","c":"","d":""}'.length,
    });
    expect([...((await store.load(selector))?.data.keys() ?? [])]).toEqual(["a", "b"]);
  });
});

test("a save that expects 200 keys stays within D1's 100 bound values", async () => {
  const store = await makeStore();
  const selector = newSelector();
  const held = Array.from({ length: 200 }, (_, index) => [`k${index}`, "1"] as const);
  await store.save(selector, creation(Object.fromEntries(held)));
  const absent = Array.from({ length: 200 }, (_, index) => [`no${index}`, undefined] as const);
  const set = new Map([["done", "1"]]);
  const expecting = (last: readonly [string, string | undefined]) =>
    store.save(selector, change({ set, expect: new Map([...held, ...absent, last]) }));
  expect(await expecting(["k199", "2"])).toBeUndefined();
  expect(await expecting(["k0", undefined])).toBeUndefined();
  expect(await expecting(["other", undefined])).toBeDefined();
});

/** A statement that says of its answer that a replica gave it. */
function replicated(statement: SqliteD1Statement): SqliteD1Statement {
  return {
    bind: (...values) => replicated(statement.bind(...values)),
    all: async () => {
      const answer = await statement.all();
      return { ...answer, meta: { ...answer.meta, served_by_primary: false } };
    },
  };
}
