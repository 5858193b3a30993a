// One server process of an application for express-session, on the original or on our drop-in, with every
// store under a path of its own. It is forked, gets its orders by the environment, sends its port, and
// ends with its parent. Held requests wait between what they load and what they write.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import express, { type RequestHandler, Router } from "express";
import originalSession, { type Store } from "express-session";
import pg from "pg";
import { createClient } from "redis";
import { SessionPostgresStore } from "kocha-session/postgres";
import { SessionRedisStore } from "kocha-session/redis";
import type { Library, StoreName } from "./course.ts";

/** The parent's orders. */
export interface DropInOrders {
  readonly library: Library;
  readonly redis: string;
  readonly postgres: string;
  readonly secret: string;
}

/** What an application sees of a session in either library. */
type Bag = Record<string, unknown> & { destroy(done: (error?: unknown) => void): void };

const orders = JSON.parse(process.env["RACE_ORDERS"] ?? "{}") as DropInOrders;
const waiting: (() => void)[] = [];
process.on("message", () => {
  for (const proceed of waiting.splice(0)) proceed();
});

const client = createClient({ url: orders.redis });
await client.connect();
const pool = new pg.Pool({ connectionString: orders.postgres, max: 8 });
const PgStore = connectPgSimple(originalSession);
const app = express();
for (const [name, handler] of Object.entries(await sessions())) {
  app.use(`/${name}`, handler, routes());
}
const server = createServer(app);
// A connection that is closed while a client reuses it would look like a request that failed.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once("disconnect", () => {
  server.closeAllConnections();
  server.close();
  void Promise.all([client.close(), pool.end()]).then(() => process.exit());
});

/** The session middleware on each store that the library takes. */
async function sessions(): Promise<Partial<Record<StoreName, RequestHandler>>> {
  const options = {
    secret: orders.secret,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 3_600_000 },
  };
  const theirs: Record<string, Store> = {
    "connect-redis": new RedisStore({ client }),
    "connect-pg-simple": new PgStore({ pool, pruneSessionInterval: false }),
  };
  if (orders.library === "express-session") {
    return Object.fromEntries(
      Object.entries(theirs).map(([name, store]) => [name, originalSession({ ...options, store })]),
    );
  }
  const { default: session } = await import("kocha-session/compat/express-session");
  const ours = {
    redis: new SessionRedisStore({ client }),
    postgres: new SessionPostgresStore({ client: pool }),
  };
  const stores = { ...theirs, ...ours };
  return Object.fromEntries(
    Object.entries(stores).map(([name, store]) => [
      name,
      session({ ...options, store }) as RequestHandler,
    ]),
  );
}

function routes(): Router {
  const router = Router();
  const bagOf = (request: object): Bag => (request as { session: Bag }).session;
  router.get("/set/:key", async (request, response) => {
    if (request.query["held"] !== undefined) await hold();
    bagOf(request)[request.params.key] = 1;
    response.end();
  });
  router.get("/logout", (request, response, next) => {
    bagOf(request).destroy((error) => (error ? next(error) : response.end()));
  });
  router.get("/read", (request, response) => {
    const { cookie: _, ...data } = bagOf(request);
    response.json(data);
  });
  return router;
}

function hold(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    process.send?.({ held: true });
  });
}
