// A Worker with its sessions in D1, by a configuration that is a function of the request's `env`, and by one
// that is made with the module; and with revocations of cookies there.
import { env as ownEnv } from "cloudflare:workers";
import { SessionCookieStore, sessionMap } from "kocha-session";
import { withSession } from "kocha-session/fetch";
import { SessionSqliteStore, sqliteRevocations } from "kocha-session/sqlite";

const cart = sessionMap("cart", {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
});

async function work(request, session) {
  const { searchParams } = new URL(request.url);
  switch (searchParams.get("do") ?? "") {
    case "login":
      await session.regenerate();
      session.bind("alice");
      session.set("name", "alice");
      session.flash.set("welcome", "hello");
      return new Response();
    case "set":
      session.set(searchParams.get("key"), "1");
      break;
    case "add":
      cart.of(session).set(searchParams.get("item"), "1");
      break;
    case "count":
      return Response.json(await session.increment("count"));
    case "take":
      return Response.json((await session.take("name")) ?? "");
    case "logout":
      await session.destroy();
      return new Response();
    default:
  }
  return Response.json({
    name: session.get("name") ?? "",
    welcome: session.flash.get("welcome") ?? "",
    cart: [...cart.of(session).keys()],
  });
}

const options = { secure: false, storeTimeout: 20 };

const hosts = {
  "/env": withSession(
    (env) => ({
      store: new SessionSqliteStore({ client: env.DB }),
      signingKey: env.SIGNING_KEY,
      ...options,
    }),
    work,
  ),
  "/module": withSession(
    {
      store: new SessionSqliteStore({ client: ownEnv.DB }),
      signingKey: ownEnv.SIGNING_KEY,
      ...options,
    },
    work,
  ),
  "/cookie": withSession(
    {
      store: new SessionCookieStore({
        secretKey: ownEnv.SECRET_KEY,
        signingKey: ownEnv.SIGNING_KEY,
      }),
      revocations: sqliteRevocations({ client: ownEnv.DB, pollInterval: 0.5 }),
      sessionExpires: 3600,
      ...options,
    },
    work,
  ),
};

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: (request, env) => hosts[new URL(request.url).pathname]?.(request, env) ?? new Response(),
};
