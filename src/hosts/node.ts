// Sessions for plain node:http and for everything that takes Connect's (req, res, next). What the
// other hosts on node:http share lives here too: how a request becomes a session, once.
import type { IncomingMessage, ServerResponse } from "node:http";
import { chain, isThenable } from "../core/awaitable.ts";
import type { Connection } from "../core/backing.ts";
import type { SessionConfig } from "../core/config.ts";
import { SessionMiddleware } from "../core/middleware.ts";
import type { Session } from "../core/session.ts";
import type { Awaitable } from "../core/store.ts";
import { UsageError } from "../errors.ts";
import { isLoopback } from "./loopback.ts";
import { ResponseHold } from "./hold.ts";

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

/** The engine and the session that a request has already. */
interface Attached {
  readonly engine: SessionMiddleware;
  readonly session: Awaitable<Session>;
}

const attachments = new WeakMap<IncomingMessage, Attached>();

/** What the hosts on node:http tell of a request. */
export interface AttachOptions {
  /** Whether the client came by https, by the framework's own word; default: by TLS on this socket. */
  readonly isSecure?: () => boolean;
  /** Told of the hold, for hosts that settle it themselves. */
  readonly onHold?: (hold: ResponseHold) => void;
}

/**
 * Opens a request's session, once however often it is asked for, and holds its response.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when the request has a session of another
 * configuration: one response can't wait for two.
 */
export function attach(
  engine: SessionMiddleware,
  request: IncomingMessage,
  response: ServerResponse,
  fail: (error: unknown) => void,
  options: AttachOptions = {},
): Awaitable<Session> {
  const known = attachments.get(request);
  if (known !== undefined) {
    if (known.engine === engine) return known.session;
    const message =
      "the request has a session of another configuration already; mount one for each path";
    throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
  }
  const session = chain(
    engine.open(request.headers.cookie, connectionOf(request, options.isSecure)),
    (opened) => {
      const hold = new ResponseHold(response, { engine, session: opened, fail });
      options.onHold?.(hold);
      request.session = opened;
      return opened;
    },
  );
  attachments.set(request, { engine, session });
  return session;
}

/** Reads the socket only when `secure: "auto"` asks. */
function connectionOf(request: IncomingMessage, isSecure?: () => boolean): Connection {
  return {
    get secure() {
      return isSecure?.() ?? (request.socket as { encrypted?: boolean }).encrypted === true;
    },
    get loopback() {
      return isLoopback(request.socket.remoteAddress);
    },
  };
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
