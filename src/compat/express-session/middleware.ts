// express-session's middleware, (req, res, next): opens the session and has the response wait for it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isThenable, type Awaitable } from "../../base/awaitable.ts";
import { hasMethods } from "../../base/options.ts";
import { StoreError } from "../../errors.ts";
import type { DropIn } from "./drop-in.ts";
import { OwnStore } from "./own-store.ts";
import { isOurs } from "./options.ts";
import { pathOf, type SessionRequest } from "./request.ts";
import { attach } from "./response.ts";
import { Session, visitIn } from "./session.ts";
import { Visit } from "./visit.ts";

/** Connect's middleware: calls `next` when the session is open, or with an error. */
export type SessionHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** The middleware of a drop-in. */
export function middlewareOf(dropIn: DropIn): SessionHandler {
  const { store } = dropIn.options;
  const sessionStore = isOurs(store) ? new OwnStore(dropIn) : store;
  Object.assign(sessionStore, { generate: (request: SessionRequest) => generate(dropIn, request) });
  const isReady = readinessOf(sessionStore);
  return (incoming, response, next) => {
    const request = incoming as SessionRequest;
    const fail = (error: unknown): void => next(isOurs(store) ? error : causeOf(error));
    let visiting: Awaitable<Visit> | undefined;
    try {
      if (!request.session && isReady() && isOnPath(dropIn, request)) {
        const secrets = dropIn.secretsOf(request);
        request.sessionStore = sessionStore;
        visiting = Visit.open(dropIn, request, secrets);
      }
    } catch (error) {
      fail(error);
      return;
    }
    if (visiting === undefined) {
      next();
      return;
    }
    const begin = (visit: Visit): void => {
      attach(response, visit, fail);
      next();
    };
    if (isThenable(visiting)) visiting.then(begin, fail);
    else begin(visiting);
  };
}

/** `store.generate`: on a request that the middleware has not seen, too. */
function generate(dropIn: DropIn, request: SessionRequest): void {
  const visit = visitIn(request);
  if (visit !== undefined) {
    visit.generate();
    return;
  }
  request.sessionID = dropIn.newSid(request);
  const session = new Session(request);
  session.cookie = dropIn.newCookie(request);
  request.session = session;
}

/** Follows the events of a store that loses its server; others are always ready. */
function readinessOf(store: object): () => boolean {
  let isReady = true;
  if (hasMethods(store, "on")) {
    const emitter = store as { on: (event: string, listener: () => void) => unknown };
    emitter.on("disconnect", () => (isReady = false));
    emitter.on("connect", () => (isReady = true));
  }
  return () => isReady;
}

/** True if the request's path is one that the cookie is sent to. */
function isOnPath(dropIn: DropIn, request: SessionRequest): boolean {
  const { path } = dropIn.cookieOptions(request);
  return pathOf(request).startsWith(path || "/");
}

/** What the store itself failed with, which an application of express-session looks for. */
function causeOf(error: unknown): unknown {
  return error instanceof StoreError && error.cause instanceof Error ? error.cause : error;
}
