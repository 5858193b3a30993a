// A process of its own that opens a SQLite file, at the very moment when its siblings do.
import { once } from "node:events";
import Libsql from "libsql";
import { SessionSqliteStore } from "kocha-session/sqlite";

process.send?.("ready");
const [at] = (await once(process, "message")) as [number];
const client = new Libsql(process.argv[2] ?? "");
while (Date.now() < at) {
  // Awake, so that all of them begin within the same millisecond.
}
const store = new SessionSqliteStore({ client });
void store.load("a");
client.close();
process.exit(0);
