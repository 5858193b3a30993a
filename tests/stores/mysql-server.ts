// A MariaDB of a test file's own, with what its tests need around it.
import { type MysqlConnection, SessionMysqlStore } from "kocha-session/mysql";
import mysql from "mysql2/promise";
import { type MariadbServer, startMariadb } from "../support/servers/mariadb.ts";
import { newTable } from "./sql.ts";

/** A running server and the tests' own way in. */
export interface MysqlBench {
  readonly server: MariadbServer;
  readonly admin: mysql.Pool;
  readonly execute: (text: string) => Promise<mysql.RowDataPacket[]>;
  /** A store on real time and a fresh table. */
  readonly freshStore: (client?: MysqlConnection, table?: string) => Promise<SessionMysqlStore>;
  readonly close: () => Promise<void>;
}

/** Starts a server; the caller closes it. */
export async function startBench(): Promise<MysqlBench> {
  const server = await startMariadb();
  const admin = mysql.createPool(server.url);
  return {
    server,
    admin,
    execute: async (text) => (await admin.query<mysql.RowDataPacket[]>(text))[0],
    freshStore: async (client = admin, table = newTable()) => {
      const store = new SessionMysqlStore({ client, table });
      await store.createTable();
      return store;
    },
    close: async () => {
      await admin.end();
      await server.close();
    },
  };
}
