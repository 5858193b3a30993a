import { SessionCookieStore, type SessionConfig, sessionMap } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { SessionRedisStore } from "kocha-session/redis";
import { createClient } from "redis";
import * as v from "valibot";

/** A function, which is asked at the first request: a build needs no secrets. */
export const session = (): SessionConfig => {
  const { SESSION_SECRET_KEY, SESSION_SIGNING_KEY, REDIS_URL } = process.env;
  if (REDIS_URL === undefined) {
    const keys = { secretKey: SESSION_SECRET_KEY, signingKey: SESSION_SIGNING_KEY };
    return { store: new SessionCookieStore({ ...keys, merge: mergingCookies() }) };
  }
  const client = createClient({ url: REDIS_URL });
  client.on("error", console.error);
  void client.connect();
  return { store: new SessionRedisStore({ client }), signingKey: SESSION_SIGNING_KEY };
};

/** How many there are of each item. */
export const cart = sessionMap("cart", v.number());
