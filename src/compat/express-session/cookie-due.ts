// Which response carries the session's cookie. The rules are express-session's own.
import { warnOnce } from "../../base/warning.ts";
import { noEffects, type ResponseEffects } from "../../engine/effects.ts";
import type { Cookie } from "./cookie.ts";
import { cookieIn } from "./data.ts";
import type { CheckedSessionOptions } from "./options.ts";
import { isSecure, type SessionRequest } from "./request.ts";

/** What a request's end knows of its session. */
interface CookieState {
  /** True if the client's cookie holds the sid. */
  readonly isKnown: boolean;
  /** True if the application has changed its values. */
  readonly isModified: boolean;
}

/** True if the response carries the cookie. One that is for https stays away from http, with a warning. */
export function isDue(
  { rolling, saveUninitialized, proxy }: CheckedSessionOptions,
  request: SessionRequest,
  { expires, secure }: Cookie,
  { isKnown, isModified }: CookieState,
): boolean {
  // A browser-session cookie has nothing to renew; `false` counts as an end here, as with them.
  const lasts = expires !== null && expires !== undefined;
  const isWanted = isKnown ? rolling || (lasts && isModified) : saveUninitialized || isModified;
  if (!isWanted || !secure || isSecure(request, proxy)) return isWanted;
  warnOnce(
    "KOCHA_SESSION_INSECURE",
    "express-session",
    "the session's cookie is secure, and a request came by http, so its answer sets none: behind a " +
      'proxy that ends TLS, set Express\' "trust proxy", or the option proxy: true',
  );
  return false;
}

/** A session's cookie, with its lifetime begun anew. */
export function renewed(bag: object): Cookie {
  const cookie = cookieIn(bag);
  cookie.maxAge = cookie.originalMaxAge;
  return cookie;
}

/** A response with a cookie belongs to one client, and into no cache. */
export function effectsOf(setCookie: string): ResponseEffects {
  return { ...noEffects, setCookie: [setCookie], vary: true, noStore: true };
}
