// Sessions for TanStack Start: `context.session` in server functions, server routes and further middleware,
// saved when the response is there. What a session owes goes through Start's own response headers, as its
// `setCookie` does: a redirect or a serialized error that is copied would no longer be one for Start.
import { createMiddleware, type RequestMiddlewareAfterServer } from "@tanstack/react-start";
import {
  appendResponseHeader,
  getResponseHeaders,
  setResponseHeader,
} from "@tanstack/react-start/server";
import { type CookieOwner, isSessionCookie } from "../engine/effects.ts";
import { isSessionError } from "../errors.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { withSession } from "./fetch.ts";
import { engineSource } from "./shared/engine-source.ts";

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
  const engines = engineSource(config);
  const serve = withSession(
    config,
    async (_request: Request, session, _host: undefined, passage: Passage) => {
      passage.result = await passage.next({ context: { session } });
      return standIn(passage);
    },
    {
      onError: (error, _request, _host, passage) => {
        passage.failure = { error };
        if (isSessionError(error) && error.code === "ERR_SESSION_USAGE_RESPONSE")
          dropCookies(engines());
        return standIn(passage);
      },
    },
  );
  return async (options) => {
    const passage: Passage = { next: (more) => options.next(more) };
    const answer = await serve(options.request, undefined, passage);
    // The engine has answered by itself, and Start takes a Response in place of a result.
    if (passage.result === undefined && passage.failure === undefined) {
      return answer as unknown as Result;
    }
    handOver(answer.headers, headersOf(passage));
    if (passage.failure !== undefined) throw passage.failure.error;
    return passage.result as Result;
  };
}

/** Takes what the session owes in place of the response. */
function standIn(passage: Passage): Response {
  return new Response(null, { headers: headersOf(passage) });
}

/** The headers so far: Start's own, and the cookies of the answer, among which none of ours may be. */
function headersOf({ result, failure }: Passage): Headers {
  const headers = new Headers(getResponseHeaders());
  if (failure !== undefined) return headers;
  const { response } = (result ?? {}) as { readonly response?: Response };
  for (const cookie of response?.headers.getSetCookie() ?? []) headers.append("Set-Cookie", cookie);
  return headers;
}

/** Drops what the application has set in the session's name: the error's answer carries ours. */
function dropCookies(owner: CookieOwner): void {
  const cookies = getResponseHeaders().getSetCookie();
  const others = cookies.filter((cookie) => !isSessionCookie(owner, cookie));
  setResponseHeader("Set-Cookie", others);
}

/** Gives Start what is new in a stand-in's headers; its own error responses have them, too. */
function handOver(headers: Headers, before: Headers): void {
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
