// A process of its own that saves one session in files again and again, for the test of readers
// beside it. Its parent ends it.
import { once } from "node:events";
import { SessionUnstorageStore } from "kocha-session/unstorage";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";

/** Long enough that a file is written in more than one step. */
const VALUE = "x".repeat(50_000);

const [base = "", selector = ""] = process.argv.slice(2);
const storage = createStorage({ driver: fsDriver({ base }) });
const store = new SessionUnstorageStore({ storage, acceptRaces: true });
const rest = { del: [], ttl: 3_600_000, deadline: Infinity } as const;
await store.save(selector, { op: "create", set: new Map([["a", VALUE]]), meta: "m", ...rest });
process.send?.("ready");
await once(process, "message");
for (let n = 0; process.connected; n++) {
  await store.save(selector, { op: "update", rev: 1, set: new Map([["n", String(n)]]), ...rest });
}
