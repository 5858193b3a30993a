// The node:http request and response underneath a host of the Fetch API, if an adapter exposes them: a
// handler may write its answer there, past the host. It imports nothing of Node.js.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { answerError } from "./error-answer.ts";
import type { HostHead } from "./head.ts";
import { hold, holdOf } from "./hold.ts";

/** The bindings of @hono/node-server, passed to a handler or kept as Hono's `env`. */
interface HonoNode {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** A request of srvx, the server under h3 and Nitro. */
interface SrvxRequest {
  readonly runtime?: {
    readonly node?: { readonly req?: IncomingMessage; readonly res?: ServerResponse };
  };
}

/** The request underneath, if there is one. */
export function nodeRequestOf(request: unknown, env: unknown): IncomingMessage | undefined {
  const incoming = (env as HonoNode | null | undefined)?.incoming;
  const found = incoming ?? (request as SrvxRequest).runtime?.node?.req;
  return typeof found === "object" && "socket" in found ? found : undefined;
}

/** The response underneath, if there is one. */
export function nodeResponseOf(request: unknown, env: unknown): ServerResponse | undefined {
  const outgoing = (env as HonoNode | null | undefined)?.outgoing;
  const found = outgoing ?? (request as SrvxRequest).runtime?.node?.res;
  return typeof found?.writeHead === "function" ? found : undefined;
}

/** True for @hono/node-server's sign that the real answer is written underneath. */
export function isWrittenPast({ headers }: Response): boolean {
  return headers.has("x-hono-already-sent");
}

/** Puts the session on the node:http request, for handlers inside that get that request. */
export function leaveSession(request: IncomingMessage | undefined, session: Session): void {
  if (request === undefined) return;
  const place = request as { session?: unknown };
  // A session of another library stays.
  place.session ??= session;
}

/** The session that holds a response underneath. */
const holder: unique symbol = Symbol("kocha-session.holder");

/** Holds the response underneath, so that writes to it wait for the session, too. */
export function holdUnderneath(
  engine: SessionMiddleware,
  session: Session,
  response: ServerResponse & { [holder]?: Session },
): void {
  if (isHeld(response, session)) return;
  if (response.headersSent) {
    engine.abandon(session, "uncarried");
    return;
  }
  response[holder] = session;
  const fail = (error: unknown): void => answerAndLog(response, error);
  hold(response, { engine, session, sent: response.req, fail });
}

/** True if a response underneath waits for this session. */
export function isHeld(
  response: (ServerResponse & { readonly [holder]?: Session }) | undefined,
  session: Session,
): boolean {
  return response !== undefined && response[holder] === session;
}

/**
 * Ends a request whose answer is written to the response underneath: the session's headers go there,
 * unless they are sent already.
 * @throws the commit's error; the response is still unsent then, and still held.
 */
export async function settleUnderneath(
  engine: SessionMiddleware,
  session: Session,
  response: ServerResponse,
): Promise<void> {
  holdUnderneath(engine, session, response);
  // ORDER: commit first; then settling is immediate, and nothing can be written in between.
  await engine.commit(session);
  if (isHeld(response, session)) await holdOf(response)?.settle();
}

/** Releases a response underneath: the host's own answer carries the session's effects. */
export function letGo(response: ServerResponse | undefined, session: Session): Awaitable<void> {
  if (response === undefined || !isHeld(response, session)) return undefined;
  return holdOf(response)?.settle(nowhere);
}

const nowhere: HostHead = {
  get: () => undefined,
  cookies: () => [],
  set: () => undefined,
  append: () => undefined,
  remove: () => undefined,
  remember: () => () => undefined,
};

/** An answer past the host has no error path: it gets the error's status, and the log a line. */
function answerAndLog(response: ServerResponse, error: unknown): void {
  // oxlint-disable-next-line no-console -- as the hosts themselves do with what nobody handles
  console.error(error);
  answerError(response, error);
}
