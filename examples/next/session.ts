// The sessions of this application, and what it keeps in them.
import { DAY, type SessionConfig, SessionCookieStore, sessionMap } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { sessions } from "kocha-session/next";
import { SessionRedisStore } from "kocha-session/redis";
import { createClient } from "redis";
import { number } from "valibot";

/** The cart: how many of each item. */
export const cart = sessionMap("cart", number());

// Called at the first request: `next build` needs no secrets.
export const { readSession, withSession, route, proxy } = sessions(() => ({
  ...keep(process.env),
  sessionExpires: 30 * DAY,
}));

/** Keeps sessions in Redis if there is one, else in the browser's cookies. */
function keep(env: NodeJS.ProcessEnv): SessionConfig {
  const { SESSION_SECRET_KEY: secretKey, SESSION_SIGNING_KEY: signingKey, REDIS_URL: url } = env;
  if (url === undefined) {
    const merge = mergingCookies();
    return { store: new SessionCookieStore({ secretKey, signingKey, merge }), secure: "auto" };
  }
  const client = createClient({ url });
  client.on("error", (error) => console.error(error));
  void client.connect();
  return { store: new SessionRedisStore({ client }), signingKey, secure: "auto" };
}
