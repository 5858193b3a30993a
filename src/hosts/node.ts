// Sessions for plain node:http and for everything that takes Connect's (req, res, next). What the
// other hosts on node:http share lives here too: how a request becomes a session, once.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isThenable } from "../core/awaitable.ts";
import type { Connection } from "../core/backing.ts";
import type { SessionConfig } from "../core/config.ts";
import { SessionMiddleware } from "../core/middleware.ts";
import type { Session } from "../core/session.ts";
import type { Awaitable } from "../core/store.ts";
import { UsageError } from "../errors.ts";
import { isLoopback } from "./loopback.ts";
import { hold } from "./hold.ts";
import { hangSession, sessionOf } from "./request-session.ts";

declare module "node:http" {
  interface IncomingMessage {
    /** The client's session; `sessionMiddleware` of kocha-session/node puts it there. */
    session: Session;
  }
}

/** Connect's middleware: calls `next` when the session is there, or with what went wrong. */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void | Promise<void>;

/**
 * Sessions for node:http and Connect-style hosts.
 *
 * Without `next` it gives a promise: `await session(req, res)`, then `req.session` is there. A
 * commit that fails goes to `next(error)`, or, without it, is answered with the error's status.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfig | SessionMiddleware): NodeMiddleware {
  const engine = SessionMiddleware.from(config);
  return (request, response, next) => {
    const fail = next ?? ((error: unknown) => answerPlainly(response, error));
    if (next === undefined)
      return Promise.resolve(attach(engine, request, response, fail)).then(ignore);
    let session: Awaitable<Session>;
    try {
      session = attach(engine, request, response, fail);
    } catch (error) {
      next(error);
      return undefined;
    }
    if (isThenable(session)) session.then(() => next(), next);
    else next();
    return undefined;
  };
}

/**
 * The session of a request whose response can't carry a cookie, such as a WebSocket upgrade:
 * read-only, from the headers alone.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 */
export function openSession(
  config: SessionConfig | SessionMiddleware,
  request: Pick<IncomingMessage, "headers">,
): Awaitable<Session> {
  return SessionMiddleware.from(config).openReadOnly(request.headers.cookie);
}

/** Where a request has the session that is being loaded. A WeakMap costs more than all the rest. */
const arriving = Symbol("kocha-session.arriving");
interface Arriving {
  [arriving]?: { readonly engine: SessionMiddleware; readonly session: Promise<Session> };
}

/**
 * Opens a request's session, once however often it is asked for, and holds its response.
 * @param isSecure - whether the client came by https, by the framework's own word; default: by TLS
 * on this socket.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when the request has a session of another
 * configuration: one response can't wait for two. ERR_SESSION_USAGE_FOREIGN when it has one of
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
  if (before !== undefined) {
    if (engine.owns(before)) return before;
    throw otherConfiguration();
  }
  const pending = (request as Arriving)[arriving];
  if (pending !== undefined) {
    if (pending.engine === engine) return pending.session;
    throw otherConfiguration();
  }
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
  (request as Arriving)[arriving] = { engine, session };
  return session;
}

function otherConfiguration(): UsageError {
  const message =
    "the request has a session of another configuration already; mount one for each path";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/** Reads the socket only when `secure: "auto"` asks. */
class NodeConnection implements Connection {
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
    return isLoopback(this.#request.socket.remoteAddress);
  }
}

/** The error's own status and nothing of its text: RFC 9110 section 15.6. */
function answerPlainly(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = (error as { status?: number } | null)?.status ?? 500;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(response.statusCode === 503 ? "Service Unavailable\n" : "Internal Server Error\n");
}

function ignore(): void {
  // The session hangs on the request; the promise only says that it is there.
}
