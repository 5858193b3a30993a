// The SQLite store on Bun's own client of SQLite, in a file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionSqliteStore } from "kocha-session/sqlite";
import { fakeClock, storeLaws } from "kocha-session/testing";

/** Gives the cases of the laws to `run`; undefined where this isn't Bun. */
export async function onBunSqlite(run) {
  if (globalThis.Bun === undefined) return undefined;
  const { Database } = await import("bun:sqlite");
  const folder = mkdtempSync(join(tmpdir(), "kocha-session-bun-"));
  const client = new Database(join(folder, "sessions.db"));
  const clock = fakeClock();
  let tables = 0;
  const makeStore = () => {
    const table = `laws${++tables}`;
    const store = new SessionSqliteStore({ client, table, now: clock.now });
    return { store, close: () => undefined };
  };
  try {
    return await run(await storeLaws(makeStore, { name: "bun:sqlite", clock, runs: 20 }));
  } finally {
    client.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
