// One process of sites with device-bound sessions, whose rows or revocations are in Redis. Its parent names
// them, and turns its clock. It is transpiled, and runs in the folder of a built package.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Session,
  SessionCookieStore,
  type SessionConfig,
  SessionMiddleware,
} from "kocha-session";
import { deviceBinding } from "kocha-session/device";
import { withSession } from "kocha-session/node";
import { redisRevocations, SessionRedisStore } from "kocha-session/redis";
import { createClient } from "redis";

/** One site: its sessions are rows, or cookies with revocations. */
export interface SiteOrders {
  readonly kind: "rows" | "cookies";
  /** The ring of this process, the current pair first. */
  readonly keys: readonly { readonly secretKey: string; readonly signingKey: string }[];
}

/** The parent's orders. */
export interface ProcessOrders {
  readonly redis: string;
  /** Milliseconds that the clock is turned on. */
  readonly turned: number;
  readonly sites: Readonly<Record<string, SiteOrders>>;
}

const orders = JSON.parse(process.env["SITE_ORDERS"] ?? "{}") as ProcessOrders;
let { turned } = orders;
const client = await createClient({ url: orders.redis }).connect();

function configOf(name: string, { kind, keys }: SiteOrders): SessionConfig {
  const prefix = `${name}:`;
  const common = {
    now: () => Date.now() + turned,
    cookieExpires: 86_400,
    sessionExpires: 86_400,
    deviceBinding: deviceBinding(),
  };
  if (kind === "rows") {
    const store = new SessionRedisStore({ client, prefix });
    return { ...common, store, keys: keys.map(({ signingKey }) => ({ signingKey })) };
  }
  const revocations = redisRevocations({ client, prefix, pollInterval: 0.05 });
  return { ...common, store: new SessionCookieStore({ keys }), revocations };
}

async function pageOf(session: Session, path: string): Promise<object> {
  if (path === "/login") {
    await session.regenerate();
    session.set("user", "ann");
    session.bindDevice();
  }
  if (path.startsWith("/set/")) session.set(path.slice("/set/".length), "x");
  if (path === "/regenerate") await session.regenerate();
  if (path === "/logout") await session.destroy();
  const { device, isNew, readOnly } = session;
  const keys = [...session.keys()].toSorted();
  return { user: session.get("user"), device, isNew, readOnly, keys };
}

async function serve(config: SessionConfig): Promise<string> {
  const server = createServer(
    withSession(new SessionMiddleware(config), async (request, response, session) => {
      response.end(JSON.stringify(await pageOf(session, request.url ?? "/")));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const origins: Record<string, string> = {};
for (const [name, site] of Object.entries(orders.sites)) {
  origins[name] = await serve(configOf(name, site));
}
process.on("message", (message: { readonly turned: number }) => {
  ({ turned } = message);
  process.send?.(message);
});
process.once("disconnect", () => process.exit());
process.send?.({ origins });
