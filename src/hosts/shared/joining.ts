// A request with several handlers, nested or at the same time: they share one session, and the handler
// that opened it saves it after the others have finished.
import { requestOf, Session } from "../../session/session.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { UsageError } from "../../errors.ts";

/** A request's session while it is handled: a symbol, since a WeakMap costs more than the rest of the work. */
export const opened: unique symbol = Symbol("kocha-session.opened");
const inside: unique symbol = Symbol("kocha-session.inside");

/** The object that all handlers of a request share, such as the request itself. */
export interface Carrier {
  [opened]?: Awaitable<Session> | undefined;
  [inside]?: Promise<unknown>[] | undefined;
}

/**
 * The session in this host's place; undefined: none, or one of an earlier use of the object.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when it is of another configuration.
 */
export function ownSession(engine: SessionMiddleware, before: unknown): Session | undefined {
  if (!(before instanceof Session) || requestOf(before)?.stage === "closed") return undefined;
  checkOwner(engine, before);
  return before;
}

/** @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when a session is of another configuration. */
export function checkOwner(engine: SessionMiddleware, session: Session): void {
  if (!engine.owns(session)) throw otherConfiguration();
}

/** The error of a request with a session of another configuration: an answer can wait for one only. */
export function otherConfiguration(): UsageError {
  const message =
    "the request has a session of another configuration already; mount one for each path";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/** Runs a handler that shares another one's session, which waits for it. */
export function joinOuter<T>(carrier: Carrier, work: () => Promise<T>): Promise<T> {
  const done = work();
  (carrier[inside] ??= []).push(done);
  return done;
}

/** Waits for the handlers that share the session; most requests have none. */
export function insideDone(carrier: Carrier): Promise<unknown> | undefined {
  const works = carrier[inside];
  if (works === undefined) return undefined;
  carrier[inside] = undefined;
  // Handlers that join meanwhile are waited for, too.
  return Promise.allSettled(works).then(() => insideDone(carrier));
}
