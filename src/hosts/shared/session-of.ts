// The session of a request of the Fetch API, for what gets the request only: a router's loaders, a
// handler that another library calls.
import { UsageError } from "../../errors.ts";
import type { Session } from "../../session/session.ts";
import { keptSession } from "./joining.ts";

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
