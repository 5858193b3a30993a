import { SessionCookieStore, type SessionConfig, sessionMap } from "kocha-session";
import { mergingCookies } from "kocha-session/merge";
import * as v from "valibot";

/** The variables that every runtime has somewhere. */
export interface Environment {
  readonly SESSION_SECRET_KEY?: string | undefined;
  readonly SESSION_SIGNING_KEY?: string | undefined;
  readonly REDIS_URL?: string | undefined;
}

/** Sessions in cookies, which every runtime can keep. */
export function inCookies(env: Environment): SessionConfig {
  const { SESSION_SECRET_KEY: secretKey, SESSION_SIGNING_KEY: signingKey } = env;
  return { store: new SessionCookieStore({ secretKey, signingKey, merge: mergingCookies() }) };
}

/** How many there are of each item. */
export const cart = sessionMap("cart", v.number());
