// A PostgreSQL of a test file's own, with what its tests need around it.
import { type PostgresConnection, SessionPostgresStore } from "kocha-session/postgres";
import pg from "pg";
import { type PostgresServer, startPostgres } from "../support/servers/postgres.ts";
import { newTable } from "./sql.ts";

/** A running server and the tests' own way in. */
export interface PostgresBench {
  readonly server: PostgresServer;
  readonly admin: pg.Pool;
  readonly execute: (text: string) => Promise<pg.QueryResult>;
  /** A store on real time and a fresh table. */
  readonly freshStore: (
    client?: PostgresConnection,
    table?: string,
  ) => Promise<SessionPostgresStore>;
  readonly close: () => Promise<void>;
}

/** A pool that, as every pool should, survives the end of the server. */
export function poolOf(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => undefined);
  return pool;
}

/** A store on a table that it makes. */
export async function madeStore(
  client: PostgresConnection,
  table: string = newTable(),
): Promise<SessionPostgresStore> {
  const store = new SessionPostgresStore({ client, table });
  await store.createTable();
  return store;
}

/** Starts a server with these settings; the caller closes it. */
export async function startBench(settings: readonly string[] = []): Promise<PostgresBench> {
  const server = await startPostgres(settings);
  const admin = poolOf(server.url);
  return {
    server,
    admin,
    execute: (text) => admin.query(text),
    freshStore: (client = admin, table) => madeStore(client, table),
    close: async () => {
      await admin.end();
      await server.close();
    },
  };
}
