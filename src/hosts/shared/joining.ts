// One request that is handled more than once, by one handler inside another or by two at the same
// time: all share one session, which whoever opened it saves when the others are through.
import { requestOf, Session } from "../../session/session.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { UsageError } from "../../errors.ts";

/** Where a request has its session while it is on its way. A WeakMap costs more than all the rest. */
export const opened: unique symbol = Symbol("kocha-session.opened");
const inside: unique symbol = Symbol("kocha-session.inside");

/** What all handlers of a request have in common, such as the request itself. */
export interface Carrier {
  [opened]?: Awaitable<Session> | undefined;
  [inside]?: Promise<unknown>[] | undefined;
}

/**
 * The session that was put where this host keeps it; undefined: none, or one of an earlier use.
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

/** The error of a request that has a session of another configuration: its answer can't wait for two. */
export function otherConfiguration(): UsageError {
  const message =
    "the request has a session of another configuration already; mount one for each path";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/** Does what shares the session of another; the other one waits for it. */
export function joinOuter<T>(carrier: Carrier, work: () => Promise<T>): Promise<T> {
  const done = work();
  (carrier[inside] ??= []).push(done);
  return done;
}

/** Waits for what shares the session; most requests have nothing of the kind. */
export function insideDone(carrier: Carrier): Promise<unknown> | undefined {
  const works = carrier[inside];
  if (works === undefined) return undefined;
  carrier[inside] = undefined;
  // What joins meanwhile is waited for, too.
  return Promise.allSettled(works).then(() => insideDone(carrier));
}
