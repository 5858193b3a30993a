// A process of its own that writes keys to one session of a SQLite file, for the test of writers in
// several processes.
import { once } from "node:events";
import { createRequire } from "node:module";
import { SessionSqliteStore, type SqliteDatabase } from "kocha-session/sqlite";

type DatabaseClass = new (path: string) => SqliteDatabase;

/** Keys that one process writes. */
const KEYS = 25;

function openDatabase(client: string, file: string): SqliteDatabase {
  const require = createRequire(process.env["BETTER_SQLITE3"] ?? import.meta.url);
  const module = require(client) as DatabaseClass & { DatabaseSync?: DatabaseClass };
  return new (module.DatabaseSync ?? module)(file);
}

const [client = "", file = "", selector = "", writer = ""] = process.argv.slice(2);
const store = new SessionSqliteStore({ client: openDatabase(client, file) });
process.send?.("ready");
await once(process, "message");
for (let index = 0; index < KEYS; index++) {
  const set = new Map([[`${writer}.${index}`, "1"]]);
  const saved = await store.save(selector, {
    op: "update",
    rev: 1,
    set,
    del: [],
    ttl: 0,
    deadline: Infinity,
  });
  if (saved === undefined) throw new Error("an update was refused");
}
process.exit(0);
