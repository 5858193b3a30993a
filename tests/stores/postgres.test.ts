// The PostgreSQL store on pg, postgres and PGlite: the laws, on a clock of the database that the
// tests turn.
import { PGlite } from "@electric-sql/pglite";
import type { PostgresConnection } from "kocha-session/postgres";
import { fakeClock } from "kocha-session/testing";
import postgres from "postgres";
import { afterAll, describe } from "vitest";
import { madeStore, poolOf, startBench } from "./postgres-server.ts";
import { describeLaws, describeRows, type SqlSubject } from "./sql.ts";

const { server, execute, close } = await startBench();
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
  // PGlite runs a whole PostgreSQL in this process, and slowly.
  await describeLaws(subject, name === "PGlite" ? 3 : 20);
  if (name === "pg") describeRows(subject);
});
