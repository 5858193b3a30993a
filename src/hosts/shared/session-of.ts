// The session of a request of the Fetch API, for what gets the request only: a router's loaders, a
// handler that another library calls.
import { UsageError } from "../../errors.ts";
import { Session } from "../../session/session.ts";

/** Where a request keeps its session, for good. A WeakMap costs more than all the rest. */
const kept: unique symbol = Symbol("kocha-session.kept");

interface Keeping {
  [kept]?: Session;
}

/** Lets `sessionOf` find the session of a request. */
export function keepSession(request: object, session: Session): void {
  (request as Keeping)[kept] = session;
}

/** The session that a request keeps, if it has one. */
export function keptSession(request: object | undefined): Session | undefined {
  const keeping: Keeping | undefined = request;
  const session: unknown = keeping?.[kept];
  return session instanceof Session ? session : undefined;
}

/**
 * The session of a request, for whatever runs inside `withSession` or behind `sessionMiddleware` and
 * gets the same request. It can be read when the response has begun, too.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION where the request has none.
 */
export function sessionOf(request: Request): Session {
  const session = keptSession(request);
  if (session !== undefined) return session;
  const message =
    "the request has no session: call sessionOf inside withSession, or behind sessionMiddleware, " +
    "with the request itself, since a copy (new Request(request), request.clone()) has none";
  throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}
