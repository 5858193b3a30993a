// Which kind of SQLite client the user has given.
import { kindOf } from "../../base/text.ts";
import { describeOther } from "./other-clients.ts";
import { refuseClient, type SqliteClient } from "./sqlite-client.ts";
import { D1Client, isD1, type SqliteD1 } from "./sqlite-d1.ts";
import { isLibsqlClient, LibsqlClient, type SqliteLibsqlClient } from "./sqlite-libsql.ts";
import { isObjectStorage, ObjectSqlClient, type SqliteObjectStorage } from "./sqlite-object.ts";
import { isDatabase, type SqliteDatabase, SynchronousClient } from "./sqlite-synchronous.ts";

/**
 * A client of SQLite: a database of node:sqlite, better-sqlite3, libsql or bun:sqlite; a client of
 * `@libsql/client`; a D1Database; `ctx.storage.sql` of a Durable Object.
 */
export type SqliteConnection = SqliteDatabase | SqliteLibsqlClient | SqliteD1 | SqliteObjectStorage;

const EXPECTED =
  "an open database of node:sqlite (new DatabaseSync(path)), better-sqlite3, libsql or bun:sqlite " +
  "(new Database(path)), a client of @libsql/client, a D1Database or a Durable Object's ctx.storage.sql";

/**
 * The client behind the calls that the store makes.
 * @throws {ConfigError} ERR_SESSION_CONFIG_STORE when it is none of these, or can't be used.
 */
export function sqliteClient(client: unknown): SqliteClient {
  const other = describeOther(client);
  if (other !== undefined) refuseClient(`${other}; it must be ${EXPECTED}`);
  if (typeof client === "object" && client !== null) {
    if (isD1(client)) return new D1Client(client);
    if (isLibsqlClient(client)) return new LibsqlClient(client);
    if (isObjectStorage(client)) return new ObjectSqlClient(client);
    if (isDatabase(client)) return new SynchronousClient(client);
  }
  return refuseClient(`must be ${EXPECTED}, not ${kindOf(client)}${hintFor(client)}`);
}

function hintFor(value: unknown): string {
  if (typeof value === "string") return "; open the file first";
  if (typeof value === "function") return "; call it with new and the file's path";
  return "";
}
