// Opens the session of a node:http request, once, and holds the response: the base of every host on
// node:http. It knows no framework.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isThenable, type Awaitable } from "../../base/awaitable.ts";
import type { Connection } from "../../engine/connection.ts";
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";
import type { EngineSource } from "./engine-source.ts";
import { hold } from "./hold.ts";
import { arriving, keepSession, owned } from "./joining.ts";
import { isLocal } from "./loopback.ts";
import { ownNodeAnswer, sendOwnAnswer } from "./own-path.ts";
import { hangSession, sessionOf } from "./request-session.ts";

/**
 * Opens a request's session and holds its response; later calls give the same session.
 * @param fail - takes a commit that failed to the host's own error path.
 * @param isSecure - true for an https client, as the framework tells; default: TLS on this socket.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when the request has a session of another
 * configuration, since a response can wait for one only; ERR_SESSION_USAGE_FOREIGN when it has one of
 * another library.
 */
export function attach(
  engine: SessionMiddleware,
  request: IncomingMessage,
  response: ServerResponse,
  fail: (error: unknown) => void,
  isSecure?: () => boolean,
): Awaitable<Session> {
  const before = sessionOf(request);
  // A closed one, too: its response is over.
  if (before !== undefined) return owned(engine, before);
  const pending = arriving(engine, request);
  if (pending !== undefined) return pending;
  const hang = (session: Session): Session => {
    // ORDER: before the handler, which takes `response.end` before it looks at the session in
    // `response.end(request.session.get("name"))`.
    hold(response, { engine, session, fail, request });
    hangSession(request, session);
    return session;
  };
  const connection = new NodeConnection(request, isSecure);
  const opened = engine.open(request.headers.cookie, connection);
  if (!isThenable(opened)) return hang(opened);
  const session = opened.then(hang);
  keepSession(request, session);
  return session;
}

/**
 * Answers a request for the engine's own path; undefined: the request is for the application. The promise
 * never rejects.
 * @param fail - as for `attach`.
 * @param isSecure - as for `attach`.
 */
export function answerOwnPath(
  engine: SessionMiddleware,
  request: IncomingMessage,
  response: ServerResponse,
  fail: (error: unknown) => void,
  isSecure?: () => boolean,
): Promise<void> | undefined {
  if (engine.devices === undefined) return undefined;
  const answer = ownNodeAnswer(engine, request, () => new NodeConnection(request, isSecure));
  return answer?.then((given) => sendOwnAnswer(request, response, given)).catch(fail);
}

/**
 * `attach` for Connect's (req, res, next): calls `next` once the session is open, or with the error of
 * a failed load or save.
 */
export function attachThenNext(
  engine: EngineSource,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
  isSecure?: () => boolean,
): void {
  let session: Awaitable<Session>;
  try {
    const own = engine();
    if (answerOwnPath(own, request, response, next, isSecure) !== undefined) return;
    session = attach(own, request, response, next, isSecure);
  } catch (error) {
    next(error);
    return;
  }
  if (isThenable(session)) session.then(() => next(), next);
  else next();
}

/** The connection; the socket is read only for `secure: "auto"`. */
export class NodeConnection implements Connection {
  readonly #request: IncomingMessage;
  readonly #isSecure: (() => boolean) | undefined;

  constructor(request: IncomingMessage, isSecure: (() => boolean) | undefined) {
    this.#request = request;
    this.#isSecure = isSecure;
  }

  get secure(): boolean {
    const socket = this.#request.socket as { readonly encrypted?: boolean };
    return this.#isSecure?.() ?? socket.encrypted === true;
  }

  get loopback(): boolean {
    const { headers, socket } = this.#request;
    return isLocal(socket.remoteAddress, (name) => headers[name]);
  }
}
