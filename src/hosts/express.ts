// Sessions for Express 5 and 4: `req.session`, and a failed commit goes to the error handlers.
import type { IncomingMessage } from "node:http";
import type { RequestHandler } from "express";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { attachThenNext } from "./shared/attach.ts";
import { engineSource } from "./shared/engine-source.ts";

export { openSession } from "./shared/engine-source.ts";

declare global {
  // Express' own types are augmented through this namespace.
  namespace Express {
    interface Request {
      /** The client's session; `sessionMiddleware` of kocha-session/express puts it there. */
      session: Session;
    }
  }
}

/**
 * Sessions for an Express application or router: `app.use(sessionMiddleware(config))`.
 *
 * `req.secure` decides on https, so "trust proxy" counts. Mounted twice, it opens once.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): RequestHandler {
  const engine = engineSource(config);
  return (request, response, next) =>
    attachThenNext(engine, request as IncomingMessage, response, next, () => request.secure);
}
