// The stores of `kocha-session init`: for each its part of config/app, its packages, its server's
// address, and a command that starts a server on this machine.
import type { Package } from "./packages.ts";

/** The stores of `init`. */
export const stores = [
  "cookie",
  "memory",
  "sqlite",
  "redis",
  "postgres",
  "mysql",
  "memcached",
  "unstorage",
  "express-store",
] as const;
/** The name of a store of `init`. */
export type Store = (typeof stores)[number];

/** The part of a project that depends on its store. */
export interface StoreTemplate {
  readonly run: readonly Package[];
  readonly types: readonly Package[];
  /** Import lines, except that of `kocha-session` itself. */
  readonly imports: string;
  readonly core: readonly string[];
  /** The lines before the configuration; ends with a line break unless it is empty. */
  readonly setup: string;
  /** The value of `store`. */
  readonly store: string;
  /** The server's address, for .env. */
  readonly address?: { readonly variable: string; readonly value: string };
  /** The command that starts a server on this machine. */
  readonly start?: string;
}

const cookieStore = `new SessionCookieStore({
    // The secrets are generated into .env, which is for this machine only.
    secretKey: process.env["SESSION_SECRET_KEY"],
    signingKey: process.env["SESSION_SIGNING_KEY"],
  })`;
/** Removes expired sessions, which read as absent anyway, to free their space. */
const sweeping =
  "setInterval(() => void store.sweep(1000).catch(console.error), 60_000).unref();\n";

const startRedis = "redis-server --port 6379";
const startPostgres = "docker run --rm -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres:17";
const startMemcached = "memcached -l 127.0.0.1 -p 11211";
const startMysql =
  "docker run --rm -p 3306:3306 -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_DATABASE=app mariadb:11";

/** What takes the error of a first connection: one line that says what to do. */
function unreachable(variable: string, start: string): string {
  return `((cause) => {
  throw new Error(
    "${variable} leads to no server that can be used; on this machine, this starts one: ${start}",
    { cause },
  );
})`;
}

/** Every store's template. */
export const storeTemplates: Readonly<Record<Store, StoreTemplate>> = {
  cookie: {
    run: [],
    types: [],
    imports: "",
    core: ["SessionCookieStore"],
    setup: "",
    store: cookieStore,
  },
  memory: {
    run: [],
    types: [],
    imports: "",
    core: ["SessionMemoryStore"],
    setup: "// Gone with the process, and not shared between processes.\n",
    store: "new SessionMemoryStore()",
  },
  sqlite: {
    run: ["libsql"],
    types: [],
    imports: `import Database from "libsql";
import { SessionSqliteStore } from "kocha-session/sqlite";
`,
    core: [],
    setup: `const client = new Database(process.env["SESSION_DATABASE"] ?? "sessions.db");
const store = new SessionSqliteStore({ client });
${sweeping}`,
    store: "store",
    address: { variable: "SESSION_DATABASE", value: "sessions.db" },
  },
  redis: {
    run: ["redis"],
    types: [],
    imports: `import { createClient } from "redis";
import { SessionRedisStore } from "kocha-session/redis";
`,
    core: [],
    setup: `const url = process.env["REDIS_URL"] ?? "redis://localhost:6379";
let started = false;
const client = createClient({
  url,
  disableOfflineQueue: true,
  // A server that isn't there at the start is an error; one that restarts later is waited for.
  socket: { reconnectStrategy: (retries) => started && Math.min(retries * 50, 2000) },
});
client.on("error", (error) => started && console.error(error)); // without a listener a restart ends the process
await client.connect().catch${unreachable("REDIS_URL", startRedis)};
started = true;
`,
    store: "new SessionRedisStore({ client })",
    address: { variable: "REDIS_URL", value: "redis://localhost:6379" },
    start: startRedis,
  },
  postgres: {
    run: ["pg"],
    types: ["@types/pg"],
    imports: `import pg from "pg";
import { SessionPostgresStore } from "kocha-session/postgres";
`,
    core: [],
    setup: `const client = new pg.Pool({
  connectionString: process.env["POSTGRES_URL"] ?? "postgres://postgres@localhost:5432/postgres",
});
client.on("error", console.error); // without a listener a restart of the server ends the process
const store = new SessionPostgresStore({ client });
await store.createTable().catch${unreachable("POSTGRES_URL", startPostgres)};
${sweeping}`,
    store: "store",
    address: { variable: "POSTGRES_URL", value: "postgres://postgres@localhost:5432/postgres" },
    start: startPostgres,
  },
  mysql: {
    run: ["mysql2"],
    types: [],
    imports: `import mysql from "mysql2/promise";
import { SessionMysqlStore } from "kocha-session/mysql";
`,
    core: [],
    setup: `const client = mysql.createPool(process.env["MYSQL_URL"] ?? "mysql://root@localhost:3306/app");
const store = new SessionMysqlStore({ client });
await store.createTable().catch${unreachable("MYSQL_URL", startMysql)};
${sweeping}`,
    store: "store",
    address: { variable: "MYSQL_URL", value: "mysql://root@localhost:3306/app" },
    start: startMysql,
  },
  memcached: {
    run: ["memcache"],
    types: [],
    imports: `import { Memcache } from "memcache";
import { SessionMemcachedStore } from "kocha-session/memcached";
`,
    core: [],
    setup: `// memcached forgets everything at a restart, and what it has no room for.
const client = new Memcache({ nodes: [process.env["MEMCACHED_NODE"] ?? "localhost:11211"] });
await client.connect().catch${unreachable("MEMCACHED_NODE", startMemcached)};
`,
    store: "new SessionMemcachedStore({ client })",
    address: { variable: "MEMCACHED_NODE", value: "localhost:11211" },
    start: startMemcached,
  },
  unstorage: {
    run: ["unstorage"],
    types: [],
    imports: `import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import { SessionUnstorageStore } from "kocha-session/unstorage";
`,
    core: [],
    setup: `// Not atomic: between processes the last writer wins, and a race can undo a logout.
const storage = createStorage({ driver: fsDriver({ base: "./sessions" }) });
`,
    store: "new SessionUnstorageStore({ storage, acceptRaces: true })",
  },
  "express-store": {
    run: ["memorystore", "express-session"],
    types: ["@types/express-session"],
    imports: `import expressSession from "express-session";
import createMemoryStore from "memorystore";
import { fromExpressStore } from "kocha-session/express-store";
`,
    core: [],
    setup: `// Any store that was written for express-session; not atomic, as they read and write it whole.
const MemoryStore = createMemoryStore(expressSession);
`,
    store: "fromExpressStore(new MemoryStore({ checkPeriod: 86_400_000 }), { acceptRaces: true })",
  },
};
