// Sessions for TanStack Start: `context.session` in server functions, server routes and further middleware,
// saved when the response is there. What a session owes goes through Start's own response headers, as its
// `setCookie` does: a redirect or a serialized error that is copied would no longer be one for Start.
import { createMiddleware, type RequestMiddlewareAfterServer } from "@tanstack/react-start";
import {
  appendResponseHeader,
  getResponseHeaders,
  setResponseHeader,
} from "@tanstack/react-start/server";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { withSession } from "./fetch.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

/** Middleware that gives `context.session`. */
export type SessionRequestMiddleware = RequestMiddlewareAfterServer<
  {},
  undefined,
  { session: Session }
>;

/**
 * Sessions for all requests: `createStart(() => ({ requestMiddleware: [sessionMiddleware(config)] }))`, then
 * `context.session`.
 *
 * `src/start.ts` is part of the client's bundle, too. So the configuration is a function that stays on the
 * server: `createServerOnlyFn(() => ({ store: … }))`.
 *
 * The request's URL decides on https. A failed load or commit is Start's own error response, with the error's
 * status. A promise that streams after the response has begun can only read the session. Mounted twice, it
 * opens once.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): SessionRequestMiddleware {
  // Start takes this call's argument, and what only it uses, out of the client's bundle.
  return createMiddleware().server<{ session: Session }>(handlerOf(config));
}

type Handler = Parameters<ReturnType<typeof createMiddleware>["server"]>[0];
type Options = Parameters<Handler>[0];
type Result = Awaited<ReturnType<Handler>>;

/** A request's way through the session: what its handlers gave or threw. */
interface Passage {
  readonly next: (options: { context: { session: Session } }) => ReturnType<Options["next"]>;
  result?: Result;
  failure?: { readonly error: unknown };
}

function handlerOf(config: SessionConfigSource): Handler {
  const serve = withSession(
    config,
    async (_request: Request, session, _host: undefined, passage: Passage) => {
      passage.result = await passage.next({ context: { session } });
      return standIn();
    },
    {
      onError: (error, _request, _host, passage) => {
        passage.failure = { error };
        return standIn();
      },
    },
  );
  return async (options) => {
    const passage: Passage = { next: (more) => options.next(more) };
    const { headers } = await serve(options.request, undefined, passage);
    handOver(headers);
    if (passage.failure !== undefined) throw passage.failure.error;
    return passage.result as Result;
  };
}

/** Takes what the session owes in place of the response, with the headers that are there so far. */
function standIn(): Response {
  return new Response(null, { headers: getResponseHeaders() });
}

/** Gives Start what is new in a stand-in's headers; its own error responses have them, too. */
function handOver(headers: Headers): void {
  const before = getResponseHeaders();
  const cookies = before.getSetCookie();
  for (const cookie of headers.getSetCookie()) {
    if (!cookies.includes(cookie)) appendResponseHeader("Set-Cookie", cookie);
  }
  for (const [name, value] of headers) {
    if (name === "set-cookie" || value === before.get(name)) continue;
    // Appended, so that middleware around this one can add to it.
    if (name === "vary") appendResponseHeader(name, "Cookie");
    else setResponseHeader(name, value);
  }
}
