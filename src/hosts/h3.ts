// Sessions for h3 (version 2) and what is built on it: `getSession(event)`, saved when what is
// mounted below has answered.
import type { H3Event, Middleware } from "h3";
import { applyEffects, hasEffects, type ResponseEffects } from "../core/effects.ts";
import type { SessionConfig } from "../core/config.ts";
import { SessionMiddleware } from "../core/middleware.ts";
import type { Session } from "../core/session.ts";
import type { Awaitable } from "../core/store.ts";
import { ConfigError, UsageError } from "../errors.ts";
import { isLocal } from "./loopback.ts";
import { mustBeFree, mustBeSession, watchClient, WebConnection } from "./web.ts";

declare module "h3" {
  interface H3EventContext {
    /** The client's session; `sessionMiddleware` of kocha-session/h3 puts it there. */
    session?: Session;
  }
}

/**
 * Sessions for an h3 application: `app.use(sessionMiddleware(config))`.
 *
 * Https is what the request's URL says. What fails is an error like any other that a handler
 * throws; h3's own error response carries the session's cookie, a Response that the application's
 * `onError` makes by itself carries it when it takes over `event.res.errHeaders`. Mounted twice, it
 * opens once.
 * @throws {ConfigError} when the configuration is wrong; at a request, on h3 1.
 */
export function sessionMiddleware(config: SessionConfig | SessionMiddleware): Middleware {
  const engine = SessionMiddleware.from(config);
  return async (event, next) => {
    // h3 1 calls no function with a second argument, and its events' requests are Node's own.
    if (typeof next !== "function") throw olderVersion();
    // Mounted once more, with the same configuration.
    if (engine.owns(event.context.session)) return next();
    mustBeFree(event.context.session, "event.context.session");
    const connection = new WebConnection(
      () => event.req.url,
      () => isLocal(event.req.ip, (name) => event.req.headers.get(name)),
    );
    const session = await engine.open(event.req.headers.get("cookie") ?? undefined, connection);
    event.context.session = session;
    watchClient(engine, session, () => event.req.signal);
    let answer: unknown;
    try {
      answer = await next();
      mustBeSession(event.context.session);
      addEffects(event, await engine.commit(session), answer);
    } catch (error) {
      // What a handler changed before it threw is saved; of a failed commit, what is still due.
      addEffects(event, await engine.commit(session), undefined);
      throw error;
    }
    return answer;
  };
}

function olderVersion(): ConfigError {
  const message = "is version 1; kocha-session/h3 needs h3 2";
  return new ConfigError("ERR_SESSION_CONFIG_FIELD", "h3", message);
}

/**
 * The session of an event.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION where the middleware isn't mounted.
 */
export function getSession(event: H3Event): Session {
  const { session } = event.context;
  if (session !== undefined) return session;
  const message = "the event has no session: mount sessionMiddleware(config) before this handler";
  throw new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}

/**
 * The session of an upgrade request, read-only, from the headers alone.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 */
export function openSession(
  config: SessionConfig | SessionMiddleware,
  request: Pick<H3Event["req"], "headers">,
): Awaitable<Session> {
  return SessionMiddleware.from(config).openReadOnly(request.headers.get("cookie") ?? undefined);
}

/** h3 lays these headers over the answer's own: over an error's the second, else the first. */
function addEffects(event: H3Event, effects: ResponseEffects, answer: unknown): void {
  if (!hasEffects(effects)) return;
  const own = (answer as { readonly headers?: unknown } | null | undefined)?.headers;
  for (const headers of [event.res.headers, event.res.errHeaders]) {
    applyEffects(effects, {
      get: (name) =>
        headers.get(name) ?? (own instanceof Headers ? own.get(name) : null) ?? undefined,
      set: (name, value) => headers.set(name, value),
      append: (name, value) => headers.append(name, value),
    });
  }
}
