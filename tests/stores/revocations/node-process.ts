// A node of an application as a process of its own: a server on the cookie store whose revocations
// follow a log, told by its parent which. Its clock may be wrong.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Revocations, SessionConfig } from "kocha-session";
import type { SessionListener } from "kocha-session/node";

/** What a parent tells a node. */
export interface NodeSettings {
  readonly engine: "redis" | "postgres" | "sqlite";
  /** A URL, a port, or a file. */
  readonly at: string;
  readonly keys: { readonly secretKey: string; readonly signingKey: string };
  /** Milliseconds that this node's clock is ahead. */
  readonly skewMs: number;
  readonly options: {
    readonly pollInterval: number;
    readonly maxStaleness: number;
  };
}

const settings = JSON.parse(process.env["NODE_SETTINGS"] ?? "{}") as NodeSettings;
const realNow = Date.now;
// ORDER: before anything of ours takes hold of the clock.
Date.now = () => realNow() + settings.skewMs;

async function makeRevocations(): Promise<Revocations> {
  const { engine, at, options } = settings;
  if (engine === "redis") {
    const { Redis } = await import("ioredis");
    const { redisRevocations } = await import("kocha-session/redis");
    const client = new Redis(Number(at), { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    // Its reconnections are its own affair; each command fails by itself.
    client.on("error", () => undefined);
    return redisRevocations({ client, ...options });
  }
  if (engine === "postgres") {
    const { default: pg } = await import("pg");
    const { postgresRevocations } = await import("kocha-session/postgres");
    const client = new pg.Pool({ connectionString: at, connectionTimeoutMillis: 2000 });
    client.on("error", () => undefined);
    return postgresRevocations({ client, ...options });
  }
  const { default: Database } = await import("libsql");
  const { sqliteRevocations } = await import("kocha-session/sqlite");
  return sqliteRevocations({ client: new Database(at), ...options });
}

const { SessionCookieStore } = await import("kocha-session");
const { withSession } = await import("kocha-session/node");
const revocations = await makeRevocations();
const config: SessionConfig = {
  store: new SessionCookieStore(settings.keys),
  revocations,
  sessionExpires: 3600,
  absoluteExpires: 86_400,
  secure: false,
  // Of a loaded machine; a log that is paused is waited for no longer.
  storeTimeout: 1,
};

const handler: SessionListener = async (request, response, session) => {
  const [action = "", first = "", second = ""] = (request.url ?? "").split("/").slice(1);
  if (action === "set") session.set(first, second);
  if (action === "destroy") await session.destroy();
  if (action === "everywhere") await revocations.revokeSubject(first);
  if (action === "slow" || action === "rotate") {
    // It has seen its session, and goes on when its parent says so.
    session.get("name");
    process.send?.("slow");
    await new Promise((resolve) => process.once("message", resolve));
    if (action === "rotate") await session.regenerate();
    session.set("late", first);
  }
  if (action === "login") {
    await session.regenerate();
    session.bind(first);
    session.set("name", first);
  }
  response.end(JSON.stringify(session.toObject()));
};
// Its parent makes the faults, and goes by the answers.
const server = createServer(withSession(config, handler, { reportError: () => undefined }));
server.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
// Its parent may end without a word.
process.on("disconnect", () => process.exit());
