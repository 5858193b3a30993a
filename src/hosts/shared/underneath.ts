// The node:http request and response underneath a host of the Fetch API, where an adapter leaves
// them at hand: a handler may write its answer there, past the host. It imports nothing of Node.js.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { answerError } from "./error-answer.ts";
import type { HostHead } from "./head.ts";
import { hold, holdOf } from "./hold.ts";

/** What @hono/node-server passes to a handler, or keeps as Hono's `env`. */
interface HonoNode {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** A request of srvx, which h3 and Nitro run on. */
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

/** Whether an answer is the sign of @hono/node-server that the true one is written underneath. */
export function isWrittenPast({ headers }: Response): boolean {
  return headers.has("x-hono-already-sent");
}

/** Lets whatever is mounted inside, and gets the same node:http request, find the session there. */
export function leaveSession(request: IncomingMessage | undefined, session: Session): void {
  if (request === undefined) return;
  const place = request as { session?: unknown };
  // Another library's session stays where it is.
  place.session ??= session;
}

/** Where a response underneath has the session that holds it. */
const holder: unique symbol = Symbol("kocha-session.holder");

/** Holds the response underneath, so that what is written there waits for the session, too. */
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
  hold(response, { engine, session, fail: (error) => answerAndLog(response, error) });
}

/** Whether a response underneath waits for this session. */
export function isHeld(
  response: (ServerResponse & { readonly [holder]?: Session }) | undefined,
  session: Session,
): boolean {
  return response !== undefined && response[holder] === session;
}

/**
 * Ends a request whose answer is written to the response underneath, or will be: the session's
 * headers go there, unless they have gone already.
 * @throws what the commit throws; the response is still unsent then, and still held.
 */
export async function settleUnderneath(
  engine: SessionMiddleware,
  session: Session,
  response: ServerResponse,
): Promise<void> {
  holdUnderneath(engine, session, response);
  // ORDER: committed first, settling takes no time in which something could be written.
  await engine.commit(session);
  if (isHeld(response, session)) await holdOf(response)?.settle();
}

/** Lets go of a response underneath: the host's own answer carries what the session owes. */
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

/** What was written past the host has no error path: the error's own status, and a line in the log. */
function answerAndLog(response: ServerResponse, error: unknown): void {
  // oxlint-disable-next-line no-console -- as the hosts themselves do with what nobody handles
  console.error(error);
  answerError(response, error);
}
