// A worker whose sessions are in PostgreSQL: over TCP, by a client that is made for each request, on
// every host that runs on Workers. /shared is what can't work: one client for all requests.
import { H3 } from "h3";
import { Hono } from "hono";
import { perRequest } from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";
import { SessionPostgresStore } from "kocha-session/postgres";
import postgres from "postgres";

const storeOf = (env) =>
  new SessionPostgresStore({ client: postgres(env.POSTGRES_URL, { max: 1 }) });
const options = { secure: false, storeTimeout: 10 };

const session = (env) => ({
  store: perRequest(storeOf),
  signingKey: env.SIGNING_KEY,
  ...options,
});
const shared = (env) => ({ store: storeOf(env), signingKey: env.SIGNING_KEY, ...options });

async function work(url, current) {
  const { searchParams } = new URL(url);
  if (searchParams.has("login")) {
    await current.regenerate();
    current.flash.set("welcome", "hello");
    current.set("name", "alice");
    return "";
  }
  if (searchParams.has("logout")) await current.destroy();
  if (searchParams.has("count")) return String(await current.increment("count"));
  return `${current.get("name")} ${current.flash.get("welcome") ?? ""}`.trim();
}

const hono = new Hono();
hono.use(honoSession(session));
hono.get("*", async (context) => context.text(await work(context.req.url, context.get("session"))));

const h3 = new H3();
h3.use(h3Session(session));
h3.get("/**", (event) => work(event.url.href, sessionOf(event)));

const respond = async (request, current) => new Response(await work(request.url, current));

const hosts = {
  "/fetch": withSession(session, respond),
  "/hono": (request, env) => hono.fetch(request, env),
  "/h3": (request, env) => {
    // As srvx does on Workers.
    request.runtime = { name: "cloudflare", cloudflare: { env } };
    return h3.fetch(request);
  },
  "/shared": withSession(shared, respond),
};

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/table") {
      await storeOf(env).createTable();
      return new Response();
    }
    return hosts[pathname]?.(request, env) ?? new Response();
  },
};
