// How a response of the Fetch API takes the effects: a Response may be immutable, may answer many
// clients, and may have a session cookie already.
import { UsageError } from "../errors.ts";
import {
  applyEffects,
  type CookieOwner,
  hasEffects,
  isPersonal,
  isSessionCookie,
  type ResponseEffects,
} from "./effects.ts";

/**
 * The response with the effects in its headers: itself, or a copy that shares its body.
 *
 * A handler may answer many clients with one Response, so a cookie goes only onto a copy. Vary says
 * no more of one client than of another, and stays on the response itself: hosts that know a shorter
 * way than a stream for a text lose it with a copy.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when a cookie is due that it can't carry: a used
 * body or a status such as that of `Response.error()` can't be copied, and a cookie of the session's
 * name may be there already.
 */
export function withEffects(effects: ResponseEffects, response: Response): Response {
  if (!hasEffects(effects)) return response;
  if (isPersonal(effects)) checkCarrier(effects, response);
  // A network error or an upgrade is in no cache.
  else if (canTake(effects, response.headers) || !isCopyable(response)) return response;
  const copy = new Response(response.body, response);
  applyEffects(effects, copy.headers);
  return copy;
}

/**
 * Refuses an answer that can't carry a session's cookie.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE
 */
export function checkCarrier(owner: CookieOwner, response: Response): void {
  if (!isCopyable(response)) {
    const message =
      `a Response with status ${response.status}${response.bodyUsed ? " and a used body" : ""} ` +
      "can't be copied, so it can't carry the session's cookie; answer with another, or leave the " +
      "session as it is";
    throw new UsageError("ERR_SESSION_USAGE_RESPONSE", message);
  }
  checkUnclaimed(owner, response.headers);
}

/**
 * Refuses an answer that a session of the same name, mounted inside, has signed already: of two
 * such cookies the last one undoes the first.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE
 */
export function checkUnclaimed(owner: CookieOwner, headers: Headers): void {
  if (headers.getSetCookie().some((one) => isSessionCookie(owner, one))) throw secondCookie();
}

/** The error of a response that has a session cookie of this name already, beside one that is due. */
export function secondCookie(): UsageError {
  const message =
    "the response carries a session cookie of this name already: the session is mounted here and " +
    "around what answered; mount it in one of the two, and set no cookie of its name yourself";
  return new UsageError("ERR_SESSION_USAGE_RESPONSE", message);
}

/** Whether a copy of it can be made, with other headers. */
export function isCopyable(response: Response): boolean {
  return hasBodyStatus(response) && !response.bodyUsed && response.body?.locked !== true;
}

/** Whether `new Response` takes its status: not that of Response.error(), nor an upgrade's. */
export function hasBodyStatus({ status }: Response): boolean {
  return status >= 200 && status <= 599;
}

/** Whether the headers took the effects: those of fetch() and redirect() can't be changed. */
function canTake(effects: ResponseEffects, headers: Headers): boolean {
  try {
    applyEffects(effects, headers);
    return true;
  } catch {
    return false;
  }
}
