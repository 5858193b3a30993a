// Sessions for plain node:http and HTTP/2's compatible API: a request listener for servers without an error
// path of their own, and Connect's (req, res, next) for frameworks with one.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { chain, isThenable } from "../base/awaitable.ts";
import { callback, readOptions } from "../base/options.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { UsageError } from "../errors.ts";
import { answerOwnPath, attach, attachThenNext } from "./shared/attach.ts";
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

/** The request that a listener of node:http, node:https or node:http2 gets. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** The response that it gets. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A request listener with a session; its result is awaited and otherwise ignored. */
export type SessionListener<
  Request extends NodeRequest = IncomingMessage,
  Response extends NodeResponse = ServerResponse,
> = (request: Request, response: Response, session: Session) => unknown;

/** Options of {@link withSession}. */
export interface WithSessionOptions<Request extends NodeRequest = IncomingMessage> {
  /**
   * Gets each error, since node:http has no error path: of a session that can't be loaded or saved, and of
   * the handler. The client has been answered by then. Default: `console.error` with only the error, since
   * printing the request would show its Cookie header.
   */
  readonly reportError?: (error: unknown, request: Request) => void | Promise<void>;
}

/**
 * A request listener with sessions, for `createServer` of node:http, node:https and node:http2:
 * `createServer(withSession(config, (req, res, session) => res.end(session.get("name"))))`.
 *
 * No error ends the process. If the session can't be loaded, the answer is 503, and the handler isn't
 * called. If the handler throws or rejects, the answer is 500, or the status of an error of ours that it
 * lets through; its changes before that are saved. If the session can't be saved, the answer has the
 * error's status. If the response has begun, the connection is closed instead. Each error goes to
 * `reportError`. `req.session` is the same session. The listener's result is for adapters that wait for it:
 * undefined, or a promise that never rejects, and resolves once the handler has ended and its answer by then
 * is saved and sent.
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
  const { reportError = logError } = readOptions("withSession", options, {
    reportError: callback<NonNullable<typeof options.reportError>>(),
  });
  return (request, response) => {
    // HTTP/2's compatible request and response are used as those of HTTP/1.
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
      const own = engine();
      const answering = answerOwnPath(own, plainRequest, plainResponse, fail);
      if (answering !== undefined) return answering;
      const session = attach(own, plainRequest, plainResponse, fail);
      const handled = chain<Session, unknown>(session, (opened) =>
        handler(request, response, opened),
      );
      return isThenable(handled) ? handled.then(answered, answeredBy) : answered();
    } catch (error) {
      return answeredBy(error);
    }
  };
}

/** Connect's middleware: calls `next` when the session is open, or with an error. */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Sessions for Connect and frameworks with its (req, res, next): `req.session` is set when `next` is called.
 * A failed load or save goes to `next(error)`; after a failed save that is a second call of `next`. For
 * servers without a `next` there is {@link withSession}.
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
  // The place where Node.js prints uncaught errors, too.
  // oxlint-disable-next-line no-console
  console.error(error);
}

/** Reports an error; a failing reporter ends no process and hides nothing. */
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
