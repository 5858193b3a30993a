// Sessions for handlers of the Fetch API, a Request in and a Response out: Bun.serve, Deno.serve,
// and every host that takes such a function.
import type { SessionConfig } from "../core/config.ts";
import { SessionMiddleware } from "../core/middleware.ts";
import type { Session } from "../core/session.ts";
import type { Awaitable } from "../core/store.ts";
import { isLocal } from "./loopback.ts";
import { watchClient, WebConnection, withEffects } from "./web.ts";

/** A handler that gets the session beside the request, and whatever else its host passes. */
export type SessionHandler<Rest extends unknown[]> = (
  request: Request,
  session: Session,
  ...rest: Rest
) => Awaitable<Response>;

/** What `withSession` can be told. */
export interface WithSessionOptions {
  /**
   * Answers what the handler or the commit threw; the session's cookie goes out with the answer.
   * Without it the error is thrown on, and the host's own error page carries no cookie of ours.
   */
  readonly onError?: (error: unknown, request: Request) => Awaitable<Response>;
}

/** Where a request has its session while it is on its way. A WeakMap costs more than all the rest. */
const opened = Symbol("kocha-session.opened");
type OpenedRequest = Request & { [opened]?: Session | undefined };

/**
 * A handler with sessions: `Bun.serve({ fetch: withSession(config, handler) })`, or
 * `Deno.serve(withSession(config, handler))`.
 *
 * Https is what the request's URL says; the peer's address is what Deno's `info` or Bun's `server`
 * says, and unknown elsewhere. What a handler changed before it threw is saved, too. Around another
 * handler with the same configuration, both get one session, which the outer one saves.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function withSession<Rest extends unknown[] = unknown[]>(
  config: SessionConfig | SessionMiddleware,
  handler: SessionHandler<Rest>,
  options: WithSessionOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const engine = SessionMiddleware.from(config);
  return async (request: OpenedRequest, ...rest) => {
    const outer = request[opened];
    if (engine.owns(outer)) return handler(request, outer, ...rest);
    const answerError = async (error: unknown): Promise<Response> => {
      if (options.onError === undefined) throw error;
      return options.onError(error, request);
    };
    let session: Session;
    try {
      const loopback = (): boolean =>
        isLocal(peerAddress(request, rest[0]), (name) => request.headers.get(name));
      const connection = new WebConnection(() => request.url, loopback);
      session = await engine.open(request.headers.get("cookie") ?? undefined, connection);
    } catch (error) {
      return answerError(error);
    }
    request[opened] = session;
    watchClient(engine, session, () => request.signal);
    try {
      let response: Response;
      try {
        response = await handler(request, session, ...rest);
      } catch (error) {
        // Saved before it is answered, whoever answers; what can't be saved is the worse fault.
        response = await answerError((await failureOf(engine, session)) ?? error);
      }
      try {
        return withEffects(await engine.commit(session), response);
      } catch (error) {
        const answer = await answerError(error);
        return withEffects(await engine.commit(session), answer);
      }
    } finally {
      request[opened] = outer;
    }
  };
}

/** Commits; gives why it can't be done. A commit after one that failed gives what is due. */
async function failureOf(engine: SessionMiddleware, session: Session): Promise<unknown> {
  try {
    await engine.commit(session);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The second argument of Deno's handlers has the address; that of Bun's knows how to get it. */
function peerAddress(request: Request, host: unknown): string | undefined {
  if (typeof host !== "object" || host === null) return undefined;
  const { remoteAddr, requestIP } = host as {
    readonly remoteAddr?: { readonly hostname?: string };
    readonly requestIP?: (request: Request) => { readonly address?: string } | null;
  };
  if (remoteAddr !== undefined) return remoteAddr.hostname;
  return typeof requestIP === "function" ? requestIP.call(host, request)?.address : undefined;
}

/**
 * The session of an upgrade request, read-only, from the headers alone.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 */
export function openSession(
  config: SessionConfig | SessionMiddleware,
  request: Pick<Request, "headers">,
): Awaitable<Session> {
  return SessionMiddleware.from(config).openReadOnly(request.headers.get("cookie") ?? undefined);
}
