// An application on each host that runs on Workers, with its sessions in Durable Objects: /fetch, /hono and /h3 take
// the configuration as a function of the request's env, /imported takes it from the module cloudflare:workers. /cookie
// has cookie sessions, whose revocations are in an object.
import { env as importedEnv } from "cloudflare:workers";
import { H3 } from "h3";
import { Hono } from "hono";
import { SessionCookieStore } from "kocha-session";
import { durableRevocations, SessionDurableStore } from "kocha-session/durable-object";
import { withSession } from "kocha-session/fetch";
import { sessionMiddleware as h3Session, sessionOf } from "kocha-session/h3";
import { sessionMiddleware as honoSession } from "kocha-session/hono";

export { RevocationObject, SessionObject, SubjectObject } from "kocha-session/durable-object";

const session = (env) => ({
  store: new SessionDurableStore({ sessions: env.SESSIONS, subjects: env.SUBJECTS }),
  signingKey: env.SIGNING_KEY,
  secure: false,
  storeTimeout: 10,
});
const cookie = (env) => ({
  store: new SessionCookieStore({ secretKey: env.SECRET_KEY, signingKey: env.SIGNING_KEY }),
  revocations: durableRevocations({ namespace: env.REVOCATIONS, pollInterval: 0.5 }),
  secure: false,
  sessionExpires: 3600,
  storeTimeout: 10,
});

/** What the query says, step by step; without steps it reads. */
async function work(href, current) {
  const { searchParams } = new URL(href);
  let answer;
  for (const [step, value] of searchParams) {
    answer = await steps[step](current, value);
  }
  return answer ?? `${current.get("name")} ${current.flash.get("notice") ?? ""}`.trim();
}

const steps = {
  async login(current, name) {
    await current.regenerate();
    current.bind(name);
    current.set("name", name);
    current.flash.set("notice", "welcome");
    return "in";
  },
  async logout(current) {
    await current.destroy();
    return "out";
  },
  set(current, key) {
    current.set(key, key);
    return key;
  },
  keys: (current) => String([...current].length),
  increment: async (current, key) => String(await current.increment(key)),
  take: async (current, key) => (await current.take(key)) ?? "nothing",
  append: (current, key) => current.update(key, (old = "") => `${old}+`),
};

const respond = async (request, current) => new Response(await work(request.url, current));
const onError = (error) =>
  new Response(`${error.code}: ${error.message}`, { status: error.status ?? 500 });

const hono = new Hono();
hono.use(honoSession(session));
hono.get("*", async (context) => context.text(await work(context.req.url, context.get("session"))));

const h3 = new H3();
h3.use(h3Session(session));
h3.get("/**", (event) => work(event.url.href, sessionOf(event)));

const hosts = {
  "/fetch": withSession(session, respond, { onError }),
  "/hono": (request, env) => hono.fetch(request, env),
  "/h3": (request, env) => {
    // As srvx does on Workers.
    request.runtime = { name: "cloudflare", cloudflare: { env } };
    return h3.fetch(request);
  },
  "/imported": withSession(session(importedEnv), respond, { onError }),
  "/cookie": withSession(cookie, respond, { onError }),
};

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return hosts[pathname]?.(request, env) ?? new Response("nothing here", { status: 404 });
  },
};
