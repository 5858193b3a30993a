// Sessions for plain node:http, also HTTP/2's compatible API: a request listener for servers without
// an error path of their own, and Connect's (req, res, next) for everything that has one.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { chain, isThenable } from "../base/awaitable.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { UsageError } from "../errors.ts";
import { attach, attachThenNext } from "./shared/attach.ts";
import { engineSource } from "./shared/engine-source.ts";
import { holdOf } from "./shared/hold.ts";
import { answerError } from "./shared/error-answer.ts";

export { openSession } from "./shared/engine-source.ts";

declare module "node:http" {
  interface IncomingMessage {
    /** The client's session; kocha-session/node puts it there. */
    session: Session;
  }
}

/** What a listener of node:http, node:https or node:http2 is called with. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** What it answers with. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A request listener with a session; what it gives back is awaited and otherwise ignored. */
export type SessionListener<
  Request extends NodeRequest = IncomingMessage,
  Response extends NodeResponse = ServerResponse,
> = (request: Request, response: Response, session: Session) => unknown;

/** Options of {@link withSession}. */
export interface WithSessionOptions<Request extends NodeRequest = IncomingMessage> {
  /**
   * Gets each error that node:http has no error path for: a session that can't be loaded or saved,
   * and what the handler throws. The client has been answered by then. Default: `console.error`
   * with the error only, since a request shows its Cookie header.
   */
  readonly reportError?: (error: unknown, request: Request) => void | Promise<void>;
}

/**
 * A request listener with sessions, for `createServer` of node:http, node:https and node:http2:
 * `createServer(withSession(config, (req, res, session) => res.end(session.get("name"))))`.
 *
 * It ends no process. A session that can't be loaded is answered with 503, and the handler isn't
 * called. A handler that throws or rejects is answered with 500, or with the status of the error of
 * ours that it lets through; what it changed before is saved. A session that can't be saved is
 * answered with the error's status. Where the response has begun, the connection is closed instead.
 * Each of them goes to `reportError`. `req.session` is the same session. What the listener gives
 * back is for adapters that wait for it: undefined, or a promise that never rejects and ends when
 * the handler is through and what it has answered by then is saved and sent.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function withSession<
  Request extends NodeRequest = IncomingMessage,
  Response extends NodeResponse = ServerResponse,
>(
  config: SessionConfigSource,
  handler: SessionListener<Request, Response>,
  options: WithSessionOptions<Request> = {},
): (request: Request, response: Response) => unknown {
  const engine = engineSource(config);
  const { reportError = logError } = options;
  return (request, response) => {
    // HTTP/2's compatible request and response are used as what they are compatible with.
    const plainRequest = request as IncomingMessage;
    const plainResponse = response as ServerResponse;
    const fail = (error: unknown): void => {
      answerError(plainResponse, error);
      report(reportError, error, request);
    };
    const answered = (): Promise<void> | undefined => holdOf(plainResponse)?.pending;
    const answeredBy = (error: unknown): Promise<void> | undefined => {
      fail(error);
      return answered();
    };
    try {
      const session = attach(engine(), plainRequest, plainResponse, fail);
      const handled = chain<Session, unknown>(session, (opened) =>
        handler(request, response, opened),
      );
      return isThenable(handled) ? handled.then(answered, answeredBy) : answered();
    } catch (error) {
      return answeredBy(error);
    }
  };
}

/** Connect's middleware: calls `next` when the session is there, or with what went wrong. */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Sessions for Connect and what takes its (req, res, next): `req.session` is there when `next` is
 * called. What can't be loaded or saved goes to `next(error)`; a failed save comes when `next` was
 * called before. Without a `next` there is {@link withSession}.
 * @throws {ConfigError} when the configuration is wrong.
 * @throws {UsageError} ERR_SESSION_USAGE_TYPE for each request without a `next`.
 */
export function sessionMiddleware(config: SessionConfigSource): NodeMiddleware {
  const engine = engineSource(config);
  return (request, response, next) => {
    if (typeof next !== "function") throw withoutNext(next);
    attachThenNext(engine, request, response, next);
  };
}

function withoutNext(next: unknown): UsageError {
  const message =
    `next must be a function, not ${typeof next}: sessionMiddleware is for (req, res, next); ` +
    "a server of node:http takes createServer(withSession(config, (req, res, session) => …))";
  return new UsageError("ERR_SESSION_USAGE_TYPE", message);
}

function logError(error: unknown): void {
  // Where node:http's own uncaught errors would be printed, too.
  // oxlint-disable-next-line no-console
  console.error(error);
}

/** Reports an error; a reporter that fails ends no process and hides nothing. */
function report<Request>(
  reportError: (error: unknown, request: Request) => void | Promise<void>,
  error: unknown,
  request: Request,
): void {
  const logBoth = (failure: unknown): void => {
    logError(error);
    logError(failure);
  };
  try {
    const reported = reportError(error, request);
    if (isThenable(reported)) reported.then(undefined, logBoth);
  } catch (failure) {
    logBoth(failure);
  }
}
