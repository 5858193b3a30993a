import type { SessionConfig } from "kocha-session";
import { SessionRedisStore } from "kocha-session/redis";
import { createClient } from "redis";
import { type Environment, inCookies } from "./session.ts";

/** Sessions in Redis where its URL is set, by one connection for all requests. */
export function inRedisOrCookies(env: Environment): SessionConfig {
  if (env.REDIS_URL === undefined) return inCookies(env);
  const client = createClient({ url: env.REDIS_URL });
  client.on("error", console.error);
  void client.connect();
  return { store: new SessionRedisStore({ client }), signingKey: env.SESSION_SIGNING_KEY };
}
