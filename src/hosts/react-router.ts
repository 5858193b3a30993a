// Sessions for React Router in framework mode: `context.get(sessionContext)` in loaders, actions and
// further middleware, saved when the response is there.
import { createContext, type MiddlewareFunction, type RouterContext } from "react-router";
import { isPersonal } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import { ConflictError, StoreError } from "../errors.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { withSession } from "./fetch.ts";
import { engineSource } from "./shared/engine-source.ts";
import { reasonOf, statusOf } from "./shared/error-answer.ts";
import { keptSession } from "./shared/joining.ts";

export { createSessionStorage, type SessionStorageOptions } from "./react-router/storage.ts";
export { openSession } from "./shared/engine-source.ts";

/** The key of the client's session: `context.get(sessionContext)`. Without the middleware it throws. */
export const sessionContext: RouterContext<Session> = createContext<Session>();

/**
 * Sessions for all routes below one, usually the root:
 * `export const middleware = [sessionMiddleware(config)]`. React Router 7 needs
 * `future: { v8_middleware: true }`.
 *
 * A function that gives the configuration gets the request's `context`, the RouterContextProvider of
 * `getLoadContext`.
 *
 * The request's URL decides on https. A failed load or commit goes to the route's ErrorBoundary and to
 * `handleError`, with the error's status. A promise that streams after the response has begun can only
 * read the session. Mounted twice, it opens once.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): MiddlewareFunction<Response> {
  resembleErrorResponses();
  const engines = engineSource(config);
  const run = withSession(
    config,
    (_request, session, context: Context, next: () => Promise<Response>) => {
      context.set(sessionContext, session);
      return next();
    },
  );
  return async ({ request, context }, next) => {
    try {
      return await run(request, context, next);
    } catch (error) {
      const session = keptSession(request);
      const engine = session && engines(context);
      const due = engine?.owns(session) === true ? await engine.commit(session) : undefined;
      if (due === undefined || !isPersonal(due)) throw error;
      // React Router's own answer to an error carries no cookie, and the client needs this one.
      // oxlint-disable-next-line no-console -- as React Router does with what nobody handles
      console.error(error);
      return withEffects(due, plainAnswer(statusOf(error)));
    }
  };
}

type Context = Parameters<MiddlewareFunction<Response>>[0]["context"];

function plainAnswer(status: number): Response {
  const headers = { "Content-Type": "text/plain; charset=utf-8" };
  return new Response(`${reasonOf(status)}\n`, { status, headers });
}

/**
 * Gives our errors the shape of an ErrorResponse: React Router answers anything else that is thrown with
 * 500. It still reports them, and its pages never show them, since they are Errors.
 */
function resembleErrorResponses(): void {
  for (const { prototype } of [StoreError, ConflictError]) {
    const reason = function statusText(this: StoreError | ConflictError): string {
      return reasonOf(this.status);
    };
    const itself = function error(this: StoreError | ConflictError): Error {
      return this;
    };
    Object.defineProperties(prototype, {
      statusText: { get: reason, configurable: true },
      error: { get: itself, configurable: true },
      data: { value: undefined, configurable: true },
      internal: { value: false, configurable: true },
    });
  }
}
