// Effects on a response of the Fetch API: a Response may be immutable, may answer many clients, and may
// have a session cookie already.
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
 * A handler may answer many clients with one Response, so a cookie goes only onto a copy. Vary is the
 * same for all clients and goes onto the response itself: some hosts send a text without a stream, and
 * a copy would lose that.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when a due cookie can't be carried: a used body or a
 * status such as that of `Response.error()` can't be copied, or a cookie of the session's name is there
 * already.
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
 * Refuses an answer that has a cookie of a session of the same name, mounted inside: of two such cookies
 * the last one replaces the first.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE
 */
export function checkUnclaimed(owner: CookieOwner, headers: Headers): void {
  if (headers.getSetCookie().some((one) => isSessionCookie(owner, one))) throw secondCookie();
}

/** The error of a response with a session cookie of this name, when another one is due. */
export function secondCookie(): UsageError {
  const message =
    "the response carries a session cookie of this name already: the session is mounted here and " +
    "around what answered; mount it in one of the two, and set no cookie of its name yourself";
  return new UsageError("ERR_SESSION_USAGE_RESPONSE", message);
}

/** True if a copy with other headers can be made. */
export function isCopyable(response: Response): boolean {
  return hasBodyStatus(response) && !response.bodyUsed && response.body?.locked !== true;
}

/** True if `new Response` takes the status, unlike that of Response.error() or of an upgrade. */
export function hasBodyStatus({ status }: Response): boolean {
  return status >= 200 && status <= 599;
}

/** Applies the effects; false if the headers are immutable, as those of fetch() and redirect(). */
function canTake(effects: ResponseEffects, headers: Headers): boolean {
  try {
    applyEffects(effects, headers);
    return true;
  } catch {
    return false;
  }
}
