// What the hosts on the Fetch API's Request and Response share: headers of a Response that may be
// immutable, and the connection as a URL tells it.
import type { ServerResponse } from "node:http";
import type { Connection } from "../../engine/connection.ts";
import { applyEffects, hasEffects, type ResponseEffects } from "../../engine/effects.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import { occupied, replaced, secondCookie } from "../../session/misuse.ts";
import { Session } from "../../session/session.ts";
import { UsageError } from "../../errors.ts";
import { holdUnderneath } from "./underneath.ts";

/** Puts the effects into headers that may be changed. */
export function applyToHeaders(effects: ResponseEffects, headers: Headers): void {
  applyEffects(effects, {
    get: (name) => headers.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    append: (name, value) => headers.append(name, value),
  });
}

/**
 * The response with the effects in its headers: itself, or a copy that shares its body.
 *
 * A handler may answer many clients with one Response, so a cookie goes only onto a copy. Vary says
 * no more of one client than of another, and stays on the response itself: hosts that know a shorter
 * way than a stream for a text lose it with a copy.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when a cookie is due that it can't carry.
 */
export function withEffects(
  engine: SessionMiddleware,
  effects: ResponseEffects,
  response: Response,
): Response {
  if (!hasEffects(effects)) return response;
  if (effects.setCookie.length > 0) checkCarrier(engine, response);
  // A network error or an upgrade is in no cache.
  else if (canTake(effects, response.headers) || !isCopyable(response)) return response;
  const copy = new Response(response.body, response);
  applyToHeaders(effects, copy.headers);
  return copy;
}

/** Whether an answer is a Response, of this realm or another; it makes no lazy one real. */
export function isResponse(answer: unknown): answer is Response {
  // h3's HTTPResponse has a status and headers, too, and no body that can be used up.
  return (
    typeof answer === "object" && answer !== null && "bodyUsed" in answer && "status" in answer
  );
}

/**
 * Looks at an answer before the session is saved: whether it can carry the cookie that is due.
 * Where nothing was changed, one that can't goes out as it is, and nothing is renewed.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE when something was changed that it can't carry.
 */
export function prepareCarrier(
  engine: SessionMiddleware,
  session: Session,
  answer: Response,
): void {
  const stage = engine.stageOf(session);
  if (stage === "unopened") return;
  if (stage === "changed") checkCarrier(engine, answer);
  // Only a status is cheap to ask of a response that a host has not made real yet.
  else if (!hasBodyStatus(answer)) engine.abandon(session, "uncarried");
}

/** @throws {UsageError} ERR_SESSION_USAGE_RESPONSE */
function checkCarrier(engine: SessionMiddleware, response: Response): void {
  if (!isCopyable(response)) {
    const message =
      `a Response with status ${response.status}${response.bodyUsed ? " and a used body" : ""} ` +
      "can't be copied, so it can't carry the session's cookie; answer with another, or leave the " +
      "session as it is";
    throw new UsageError("ERR_SESSION_USAGE_RESPONSE", message);
  }
  checkUnclaimed(engine, response.headers);
}

/**
 * Refuses an answer that a session of the same name, mounted inside, has signed already: of two
 * such cookies the last one undoes the first.
 * @throws {UsageError} ERR_SESSION_USAGE_RESPONSE
 */
export function checkUnclaimed(engine: SessionMiddleware, headers: Headers): void {
  if (headers.getSetCookie().some((cookie) => engine.ownsCookie(cookie))) throw secondCookie();
}

/** Whether a copy of it can be made, with other headers. */
export function isCopyable(response: Response): boolean {
  return hasBodyStatus(response) && !response.bodyUsed && response.body?.locked !== true;
}

/** Whether `new Response` takes its status: not that of Response.error(), nor an upgrade's. */
function hasBodyStatus({ status }: Response): boolean {
  return status >= 200 && status <= 599;
}

/** Whether the headers took the effects: those of fetch() and redirect() can't be changed. */
function canTake(effects: ResponseEffects, headers: Headers): boolean {
  try {
    applyToHeaders(effects, headers);
    return true;
  } catch {
    return false;
  }
}

/** The connection of a request whose URL the host vouches for; both are asked when needed. */
export class WebConnection implements Connection {
  readonly #url: () => string;
  readonly #isLocal: () => boolean;

  constructor(url: () => string, isLocal: () => boolean) {
    this.#url = url;
    this.#isLocal = isLocal;
  }

  get secure(): boolean {
    return this.#url().startsWith("https:");
  }

  get loopback(): boolean {
    return this.#isLocal();
  }
}

/**
 * Watches over a session with something to lose. On Node.js what a handler writes to the response
 * underneath waits for the session, and tells when the client has gone; elsewhere the request's
 * signal does, which some hosts make when it is asked for.
 * @param signal - the request's; some hosts have none.
 * @param response - the response underneath, if there is one.
 */
export function watch(
  engine: SessionMiddleware,
  session: Session,
  signal: () => AbortSignal | null | undefined,
  response: () => ServerResponse | undefined,
): void {
  engine.whenChanged(session, () => {
    const underneath = response();
    if (underneath !== undefined) {
      holdUnderneath(engine, session, underneath);
      return;
    }
    const client = signal();
    if (client?.aborted === true) engine.abandon(session);
    else client?.addEventListener("abort", () => engine.abandon(session), { once: true });
  });
}

/**
 * Throws for a session of another library in the place of ours. One of another configuration is
 * shadowed, as every variable of these hosts can be.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeFree(found: unknown, where: string): void {
  if (found === undefined || found === null || found instanceof Session) return;
  throw occupied(where);
}

/**
 * Throws where a handler has put something else in the session's place, as in
 * `c.set("session", null)`: these hosts' variables are plain values, so it is seen at the end.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeSession(found: unknown): void {
  if (!(found instanceof Session)) throw replaced(found);
}

/** What a failure leaves to do. */
export interface Aftermath {
  /** What the response owes the client in spite of it. */
  readonly due: ResponseEffects;
  /** The error to answer: of two the worse, which is that of a commit. */
  readonly error: unknown;
}

/** Commits after something failed. */
export async function commitDespite(
  engine: SessionMiddleware,
  session: Session,
  error: unknown,
): Promise<Aftermath> {
  try {
    return { due: await engine.commit(session), error };
  } catch (worse) {
    return { due: await engine.commit(session), error: worse };
  }
}
