// Sessions for handlers of the Fetch API, a Request in and a Response out: Bun.serve, Deno.serve,
// and every host that takes such a function.
import type { ServerResponse } from "node:http";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import { callback, readOptions } from "../base/options.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { engineSource } from "./shared/engine-source.ts";
import { insideDone, joinOuter, keepSession, outerSession, stopSharing } from "./shared/joining.ts";
import { addressOf, isLocal } from "./shared/loopback.ts";
import { ownResponse } from "./shared/own-path.ts";
import { isWrittenPast, leaveSession, nodeRequestOf, nodeResponseOf } from "./shared/underneath.ts";
import {
  carry,
  commitOnto,
  commitUncarried,
  type Exchange,
  isResponse,
  watch,
  WebConnection,
} from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

/** The answer of a handler: a Response, or nothing, as Bun's gives after an upgrade. */
type Answered = Response | undefined | void;

/** A handler that gets the request, the session, and its host's other arguments. */
export type SessionHandler<
  Incoming extends Request,
  Rest extends unknown[],
  Answer extends Answered = Response,
> = (request: Incoming, session: Session, ...rest: Rest) => Awaitable<Answer>;

/** Options of `withSession`. */
export interface WithSessionOptions<
  Incoming extends Request = Request,
  Rest extends unknown[] = unknown[],
> {
  /**
   * Answers an error of the handler or of the commit; the answer carries the session's cookie. It gets the
   * host's other arguments, too. Without it the error is thrown on, and the host's error page carries no
   * cookie of ours, except on Node.js: changes that need one are refused as "uncarried".
   */
  readonly onError?: (error: unknown, request: Incoming, ...rest: Rest) => Awaitable<Response>;
}

/**
 * A handler with sessions: `Bun.serve({ fetch: withSession(config, handler) })`, or
 * `Deno.serve(withSession(config, handler))`.
 *
 * `sessionOf(request)` gives the session wherever the request is at hand. The request has the handler's own
 * type, so a framework's typed request passes through. A function that gives the configuration gets the
 * host's second argument, such as `env` on Workers.
 *
 * The request's URL decides on https; the peer's address comes from Deno's `info` or Bun's `server`, and is
 * unknown elsewhere. Changes that a handler made before it threw are saved, too. Around another handler
 * with the same configuration, both get one session, which the outer one saves. A result that is no
 * Response, such as undefined after Bun's `server.upgrade(request)`, is passed on.
 * @throws {ConfigError} when the configuration or an option is wrong.
 */
export function withSession<
  Incoming extends Request = Request,
  Rest extends unknown[] = unknown[],
  Answer extends Answered = Response,
>(
  config: SessionConfigSource,
  handler: SessionHandler<Incoming, Rest, Answer>,
  options: WithSessionOptions<Incoming, Rest> = {},
): (request: Incoming, ...rest: Rest) => Promise<Answer | Response> {
  const engines = engineSource(config);
  const { onError } = readOptions("withSession", options, {
    onError: callback<NonNullable<typeof options.onError>>(),
  });
  return async (request, ...rest) => {
    const answerError = async (error: unknown): Promise<Response> => {
      if (onError === undefined) throw error;
      return onError(error, request, ...rest);
    };
    let engine: SessionMiddleware;
    let session: Session;
    try {
      engine = engines(rest[0]);
      const answering =
        engine.devices &&
        ownResponse(engine, request, () => connectionOf(request, rest[0]), rest[0]);
      if (answering !== undefined) return await answering;
      const incoming = nodeRequestOf(request, rest[0]);
      const shared = outerSession(engine, undefined, request, incoming);
      if (shared !== undefined) {
        return await joinOuter(request, async () => {
          const outer = await shared;
          keepSession(request, outer);
          return handler(request, outer, ...rest);
        });
      }
      const cookies = request.headers.get("cookie") ?? "";
      const connection = connectionOf(request, rest[0]);
      const opening = engine.open(cookies, connection, undefined, rest[0]);
      keepSession(request, opening, cookies);
      session = isThenable(opening) ? await opening : opening;
      leaveSession(incoming, session);
    } catch (error) {
      return answerError(error);
    }
    const underneath = (): ServerResponse | undefined => nodeResponseOf(request, rest[0]);
    const exchange = (): Exchange => ({ engine, session, underneath: underneath() });
    watch(engine, session, () => request.signal, underneath);
    let answer: Answer | Response;
    try {
      answer = await handler(request, session, ...rest);
      let inside: Promise<unknown> | undefined;
      // oxlint-disable-next-line no-await-in-loop -- one can join while the wait for others ends
      while ((inside = insideDone(request)) !== undefined) await inside;
    } catch (error) {
      await insideDone(request);
      if (onError === undefined) {
        await commitUncarried(exchange());
        throw error;
      }
      answer = await onError(error, request, ...rest);
    } finally {
      stopSharing(request, session);
    }
    try {
      if (isResponse(answer)) return await carry(exchange(), answer, isWrittenPast, onto(answer));
      await commitUncarried(exchange());
      return answer;
    } catch (error) {
      return commitOnto(exchange(), onto(await answerError(error)));
    }
  };
}

function connectionOf(request: Request, host: unknown): WebConnection {
  const loopback = (): boolean =>
    isLocal(addressOf(request, host), (name) => request.headers.get(name));
  return new WebConnection(() => request.url, loopback);
}

/** Puts effects onto a Response. */
function onto(response: Response): (effects: ResponseEffects) => Response {
  return (effects) => withEffects(effects, response);
}
