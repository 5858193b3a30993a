// The PostgreSQL store on pg, postgres, PGlite, Neon, and what Kysely and Drizzle run on: the laws, on a clock
// of the database that the tests turn.
import { PGlite } from "@electric-sql/pglite";
import type { PostgresConnection, PostgresQueryable } from "kocha-session/postgres";
import { fakeClock } from "kocha-session/testing";
import { drizzle } from "drizzle-orm/node-postgres";
import { CompiledQuery, Kysely, PostgresDialect } from "kysely";
import postgres from "postgres";
import { afterAll, describe, expect, test } from "vitest";
import { newSelector } from "../../src/testing/history.ts";
import { startNeon, startNeonSockets } from "../support/servers/neon.ts";
import { madeStore, poolOf, startBench } from "./postgres-server.ts";
import { change, creation, describeLaws, describeRows, idsOf, type SqlSubject } from "./sql.ts";

const { server, execute, freshStore, close } = await startBench();
afterAll(close);

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
  [
    "Neon",
    async () => {
      const pool = poolOf(await turnedDatabase("by_neon"), { max: 8 });
      const neon = await startNeon(pool);
      const end = async (): Promise<void> => {
        await neon.close();
        await pool.end();
      };
      return { client: neon.client, execute: (text) => pool.query(text), close: end };
    },
  ],
  [
    "Neon's Pool, in a WebSocket",
    async () => {
      const { pool, close: end } = await startNeonSockets(await turnedDatabase("by_neon_pool"));
      return { client: pool, execute: (text) => pool.query(text), close: end };
    },
  ],
  [
    "Kysely",
    async () => {
      const pool = poolOf(await turnedDatabase("by_kysely"), { max: 8 });
      const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
      const client: PostgresQueryable = {
        query: (text, values = []) => db.executeQuery(CompiledQuery.raw(text, values)),
      };
      return { client, execute: (text) => pool.query(text), close: () => db.destroy() };
    },
  ],
  [
    "Drizzle's $client",
    async () => {
      const pool = poolOf(await turnedDatabase("by_drizzle"), { max: 8 });
      const { $client } = drizzle(pool);
      return { client: $client, execute: (text) => pool.query(text), close: () => pool.end() };
    },
  ],
];

/** Clients whose every statement is slow here, or that are another one behind a few lines: fewer histories. */
const FEW = new Set(["PGlite", "Neon's Pool, in a WebSocket", "Kysely", "Drizzle's $client"]);

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
    makeStore: (table) => madeStore(turned.client, table),
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
    fill: (table, bound, count, expires) => `
      INSERT INTO "${table}" (id, data, rev, generation, expires, meta, subject)
      SELECT lpad(i::text, 22, '0'), '{}', 1, 1, ${expires}, '', '${bound}'
      FROM generate_series(1, ${count}) AS i`,
  };
  await describeLaws(subject, FEW.has(name) ? 3 : 20);
  if (name === "pg") describeRows(subject);
});

/** Parsers that make something else of everything that the store reads. */
const oddTypes = { getTypeParser: () => () => "something else" };

const settings: readonly (readonly [string, () => Promise<Turned>])[] = [
  [
    "parsers of pg's own",
    async () => {
      const pool = poolOf(server.url, { types: oddTypes });
      return { client: pool, execute, close: () => pool.end() };
    },
  ],
  [
    "binary results of pg's",
    async () => {
      const pool = poolOf(server.url, { binary: true } as object);
      return { client: pool, execute, close: () => pool.end() };
    },
  ],
  [
    "names and types of postgres' own",
    async () => {
      const bigint = { ...postgres.BigInt, parse: (text: string) => BigInt(text) };
      const options = { transform: postgres.camel, types: { bigint }, onnotice: () => {} };
      const sql = postgres(server.url, options);
      return { client: sql, execute, close: () => sql.end() };
    },
  ],
  [
    "rows of Neon's as arrays",
    async () => {
      const pool = poolOf(server.url);
      const neon = await startNeon(pool, { arrayMode: true, fullResults: true });
      const end = async (): Promise<void> => {
        await neon.close();
        await pool.end();
      };
      return { client: neon.client, execute, close: end };
    },
  ],
];

describe.each(settings)("with %s", (_, connect) => {
  test("a session's life is the same", async () => {
    const { client, close: end } = await connect();
    const store = await freshStore(client);
    const selector = newSelector();
    await store.save(selector, creation({ a: "1" }, { subject: "alice", meta: "m" }));
    const saved = await store.save(selector, change({ bump: true, set: new Map([["b", "2"]]) }));
    expect(saved).toMatchObject({ rev: 2, generation: 2 });
    expect(await store.load(selector)).toEqual({
      data: new Map(Object.entries({ a: "1", b: "2" })),
      rev: 2,
      generation: 2,
      expires: saved?.expires,
      meta: "m",
    });
    expect(await idsOf(store, "alice")).toEqual([selector]);
    expect(await store.destroyAll("alice")).toBe(1);
    expect(await store.load(selector)).toBeUndefined();
    await end();
  });
});
