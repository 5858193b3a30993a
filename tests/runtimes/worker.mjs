// A worker for workerd, with node:crypto and without: seals and opens cookies with the keys of its
// bindings, and counts a client's visits with Hono. It is bundled once: which of the two sets of
// primitives its #crypto takes is decided at its start.
import { cryptoUsed } from "./counted-ciphers.mjs";
import { Hono } from "hono";
import { SessionCookieStore, SessionMiddleware } from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware } from "kocha-session/hono";

let config;
function configOf({ SECRET_KEY: secretKey, SIGNING_KEY: signingKey }) {
  config ??= { store: new SessionCookieStore({ secretKey, signingKey, maxCookies: 4 }) };
  return config;
}

/** The cookies of a session that holds these entries. */
async function seal(settings, entries) {
  const engine = SessionMiddleware.from(settings);
  const session = await engine.open(undefined);
  for (const [key, value] of entries) session.set(key, value);
  const { setCookie } = await engine.commit(session);
  return setCookie.map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

async function read(settings, cookie) {
  return [...(await SessionMiddleware.from(settings).openReadOnly(cookie))];
}

function visits(session) {
  const count = Number(session.get("visits")) + 1;
  session.set("visits", String(count));
  return String(count);
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request, env) {
    const settings = configOf(env);
    const { pathname } = new URL(request.url);
    if (pathname === "/seal") {
      const samples = await request.json();
      const cookies = samples.map(async ({ data }) => ({
        data,
        cookie: await seal(settings, data),
      }));
      return Response.json(await Promise.all(cookies));
    }
    if (pathname === "/crypto") return new Response(cryptoUsed());
    if (pathname === "/read") {
      const cookies = await request.json();
      return Response.json(await Promise.all(cookies.map(({ cookie }) => read(settings, cookie))));
    }
    if (pathname === "/hono") {
      const app = new Hono();
      app.use(sessionMiddleware(settings));
      app.get("/hono", (context) => context.text(visits(context.get("session"))));
      return app.fetch(request);
    }
    const handle = withSession(settings, (_, session) => new Response(visits(session)));
    return handle(request);
  },
};
