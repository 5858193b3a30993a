// One session for all handlers of a request, nested or at the same time: where it is kept, how a handler
// finds the one that another has opened, and how the opener, which saves it, waits for the others. Hosts say
// only which object is the request, and where their users look for the session.
import { isThenable, type Awaitable } from "../../base/awaitable.ts";
import { UsageError } from "../../errors.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import { requestOf, Session } from "../../session/session.ts";

/** Where a request keeps its session, for good: a symbol, since a WeakMap costs more than all the rest. */
const kept: unique symbol = Symbol("kocha-session.kept");
/**
 * The Cookie header that it was opened by: another client's request may come in the same object. Null: the
 * opener has ended, and handlers that come later open a session of their own. Undefined: not known.
 */
const client: unique symbol = Symbol("kocha-session.client");
const inside: unique symbol = Symbol("kocha-session.inside");

/** The object that all handlers of a request have in common, mostly the request itself. */
interface Carrier {
  [kept]?: Awaitable<Session> | undefined;
  [client]?: string | null | undefined;
  [inside]?: Promise<unknown>[] | undefined;
}

/**
 * Keeps a request's session, from its opening on; one that can't be opened is forgotten.
 * @param cookies - the Cookie header; "": none. Absent: this object is never another client's request.
 */
export function keepSession(request: object, session: Awaitable<Session>, cookies?: string): void {
  const carrier: Carrier = request;
  if (carrier[kept] === session) return;
  carrier[kept] = session;
  carrier[client] = cookies;
  if (!isThenable(session)) return;
  const settle = (outcome?: Session): void => {
    // Another client's can have taken its place.
    if (carrier[kept] === session) carrier[kept] = outcome;
  };
  session.then(settle, () => settle());
}

/** The session that a request keeps, open or closed; undefined: none, or not yet. */
export function keptSession(request: object | undefined): Session | undefined {
  const carrier: Carrier | undefined = request;
  const session = carrier?.[kept];
  return session instanceof Session ? session : undefined;
}

/** Shares a request's session no longer: the handler that opened it has ended. */
export function stopSharing(request: object, session: Session): void {
  const carrier: Carrier = request;
  if (carrier[kept] === session) carrier[client] = null;
}

/**
 * The session that another handler of this request has opened, and saves; undefined: none, or one of an
 * earlier use of the object. First the host's own place counts, then the Request, then the request of
 * node:http underneath.
 * @param place - what is there where the host's users look for the session.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when it is of another configuration; also as a rejection.
 */
export function outerSession(
  engine: SessionMiddleware,
  place: unknown,
  request: object,
  incoming: { readonly session?: unknown } | undefined,
): Awaitable<Session> | undefined {
  return (
    stillOpen(engine, place) ?? arriving(engine, request) ?? stillOpen(engine, incoming?.session)
  );
}

/**
 * A session that was found in some place, if it is still open.
 * @throws as `outerSession`
 */
export function stillOpen(engine: SessionMiddleware, found: unknown): Session | undefined {
  if (!(found instanceof Session) || requestOf(found)?.stage === "closed") return undefined;
  return owned(engine, found);
}

/**
 * The session that a request keeps, if it is open, or is being opened.
 * @throws as `outerSession`
 */
export function arriving(
  engine: SessionMiddleware,
  request: object,
): Awaitable<Session> | undefined {
  const carrier: Carrier & Partial<Request> = request;
  const session = carrier[kept];
  if (session === undefined) return undefined;
  const cookies = carrier[client];
  if (cookies !== undefined && cookies !== (carrier.headers?.get("cookie") ?? "")) return undefined;
  return isThenable(session)
    ? session.then((opened) => owned(engine, opened))
    : stillOpen(engine, session);
}

/**
 * The session of the page that a request is made for, by the server to itself; undefined: none, or one of
 * another configuration.
 *
 * ORDER: a closed one, too. It can be read while the page streams, and a change is an error; a session of
 * the request's own would be lost with the answer, which no client gets.
 */
export function pageSession(engine: SessionMiddleware, page: unknown): Session | undefined {
  return engine.owns(page) ? page : undefined;
}

/**
 * The session, if it is of this engine: an answer can wait for one only.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION
 */
export function owned(engine: SessionMiddleware, session: Session): Session {
  if (engine.owns(session)) return session;
  const message =
    "the request has a session of another configuration already; mount one for each path";
  throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/** Runs a handler that shares another one's session, which waits for it. */
export function joinOuter<T>(request: object, work: () => Promise<T>): Promise<T> {
  const carrier: Carrier = request;
  const done = work();
  (carrier[inside] ??= []).push(done);
  return done;
}

/**
 * Waits for the handlers that share the session; undefined: there are none, as for most requests.
 *
 * ORDER: asked again after the wait, until there are none: one can join while its end is on its way.
 */
export function insideDone(request: object): Promise<unknown> | undefined {
  const carrier: Carrier = request;
  const works = carrier[inside];
  if (works === undefined) return undefined;
  carrier[inside] = undefined;
  // Handlers that join meanwhile are waited for, too.
  return Promise.allSettled(works).then(() => insideDone(request));
}
