import type { SessionConfig } from "kocha-session";
import { sessionMap, SessionCookieStore } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import { SessionRedisStore } from "kocha-session/redis";
import { createClient } from "redis";
import * as v from "valibot";
import { caseOfLaws } from "./probe/case";

/** The configuration of the case that imports this build, else the example's. */
const ofTheCase = caseOfLaws();

export const session = (): SessionConfig => {
  if (ofTheCase !== undefined) return ofTheCase.config;
  const { SESSION_SECRET_KEY, SESSION_SIGNING_KEY, REDIS_URL } = process.env;
  if (REDIS_URL === undefined) {
    const keys = { secretKey: SESSION_SECRET_KEY, signingKey: SESSION_SIGNING_KEY };
    return { store: new SessionCookieStore({ ...keys, merge: mergingCookies() }) };
  }
  const client = createClient({ url: REDIS_URL });
  client.on("error", () => undefined);
  void client.connect();
  return { store: new SessionRedisStore({ client }), signingKey: SESSION_SIGNING_KEY };
};

export const cart = sessionMap("cart", v.number());
