// How a host comes by its engine, and by the session of a request that it doesn't answer: what all of
// them share. It knows no framework.
import type { Awaitable } from "../../base/awaitable.ts";
import { type SessionConfigSource, SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";

/**
 * Gives a host its engine, at each request.
 * @param env - what a configuration's function is asked with, at the first request.
 * @throws {ConfigError} when a function's configuration is wrong; and what the function throws.
 */
export type EngineSource = (env?: unknown) => SessionMiddleware;

/**
 * The source of a host's engine.
 * @throws {ConfigError} when a configuration that is no function is wrong.
 */
export function engineSource(source: SessionConfigSource): EngineSource {
  let engine = typeof source === "function" ? undefined : SessionMiddleware.from(source);
  return (env) => (engine ??= SessionMiddleware.from(source, env));
}

/** A request of any host, of which only the Cookie header is needed. */
type HeaderedRequest =
  | { readonly headers: { readonly cookie?: string | undefined } | Pick<Headers, "get"> }
  | { readonly header: (name: string) => string | undefined };

/**
 * The session of a request whose response can't carry a cookie, such as a WebSocket upgrade:
 * read-only; of the request only its headers are read.
 * @param env - the host's environment: what a store for each request is made of, and what a
 * configuration's function is asked with, if no request has asked before.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 * @throws {ConfigError} when the configuration is wrong; and what its function throws.
 */
export function openSession(
  config: SessionConfigSource,
  request: HeaderedRequest,
  env?: unknown,
): Awaitable<Session> {
  const engine = SessionMiddleware.from(config, env);
  return engine.openReadOnly(cookieOf(request) ?? undefined, undefined, env);
}

function cookieOf(request: HeaderedRequest): string | null | undefined {
  if (!("headers" in request)) return request.header("cookie");
  const { headers } = request;
  return "get" in headers && typeof headers.get === "function"
    ? headers.get("cookie")
    : (headers as { readonly cookie?: string }).cookie;
}
