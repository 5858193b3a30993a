// Sessions for handlers of the Fetch API, a Request in and a Response out: Bun.serve, Deno.serve,
// and every host that takes such a function.
import type { ServerResponse } from "node:http";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import type { ResponseEffects } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { engineSource } from "./shared/engine-source.ts";
import {
  type Carrier,
  checkOwner,
  insideDone,
  joinOuter,
  opened,
  ownSession,
} from "./shared/joining.ts";
import { addressOf, isLocal } from "./shared/loopback.ts";
import { keepSession } from "./shared/session-of.ts";
import {
  isHeld,
  isWrittenPast,
  leaveSession,
  nodeRequestOf,
  nodeResponseOf,
} from "./shared/underneath.ts";
import {
  carry,
  commitOnto,
  type Exchange,
  isResponse,
  watch,
  WebConnection,
} from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

/** What a handler may answer: a Response, or nothing, as Bun's does once a request was upgraded. */
type Answered = Response | undefined | void;

/** A handler that gets the session beside the request, and whatever else its host passes. */
export type SessionHandler<
  Incoming extends Request,
  Rest extends unknown[],
  Answer extends Answered = Response,
> = (request: Incoming, session: Session, ...rest: Rest) => Awaitable<Answer>;

/** What `withSession` can be told. */
export interface WithSessionOptions<Incoming extends Request = Request> {
  /**
   * Answers what the handler or the commit threw; the session's cookie goes out with the answer.
   * Without it the error is thrown on, and the host's own error page carries no cookie of ours,
   * except on Node.js: what only a cookie could carry is refused as "uncarried".
   */
  readonly onError?: (error: unknown, request: Incoming) => Awaitable<Response>;
}

/**
 * A handler with sessions: `Bun.serve({ fetch: withSession(config, handler) })`, or
 * `Deno.serve(withSession(config, handler))`.
 *
 * `sessionOf(request)` gives the session wherever the request is at hand. Its type is the handler's
 * own: a framework's typed request passes through. A configuration's function is asked with the host's
 * second argument, such as `env` on Workers.
 *
 * Https is what the request's URL says; the peer's address is what Deno's `info` or Bun's `server`
 * says, and unknown elsewhere. What a handler changed before it threw is saved, too. Around another
 * handler with the same configuration, both get one session, which the outer one saves. What is no
 * Response, such as the nothing after Bun's `server.upgrade(request)`, is passed on as it is.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function withSession<
  Incoming extends Request = Request,
  Rest extends unknown[] = unknown[],
  Answer extends Answered = Response,
>(
  config: SessionConfigSource,
  handler: SessionHandler<Incoming, Rest, Answer>,
  options: WithSessionOptions<Incoming> = {},
): (request: Incoming, ...rest: Rest) => Promise<Answer | Response> {
  const engines = engineSource(config);
  return async (request: Incoming & Carrier, ...rest) => {
    const answerError = async (error: unknown): Promise<Response> => {
      if (options.onError === undefined) throw error;
      return options.onError(error, request);
    };
    let engine: SessionMiddleware;
    let session: Session;
    try {
      engine = engines(rest[0]);
      const shared = sharedSession(engine, request, rest[0]);
      if (shared !== undefined) {
        return await joinOuter(request, async () => {
          const outer = await shared;
          checkOwner(engine, outer);
          keepSession(request, outer);
          return handler(request, outer, ...rest);
        });
      }
      const opening = open(engine, request, rest[0]);
      session = isThenable(opening) ? await opening : opening;
    } catch (error) {
      return answerError(error);
    }
    keepSession(request, session);
    leaveSession(nodeRequestOf(request, rest[0]), session);
    const underneath = (): ServerResponse | undefined => nodeResponseOf(request, rest[0]);
    const exchange = (): Exchange => ({ engine, session, underneath: underneath() });
    watch(engine, session, () => request.signal, underneath);
    let answer: Answer | Response;
    try {
      answer = await handler(request, session, ...rest);
      const inside = insideDone(request);
      if (inside !== undefined) await inside;
    } catch (error) {
      await insideDone(request);
      if (options.onError === undefined) {
        await commitUncarried(exchange());
        throw error;
      }
      answer = await options.onError(error, request);
    } finally {
      request[opened] = undefined;
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

/** The session that another handler of this request opened, if one did. */
function sharedSession(
  engine: SessionMiddleware,
  request: Request & Carrier,
  host: unknown,
): Awaitable<Session> | undefined {
  return request[opened] ?? ownSession(engine, nodeRequestOf(request, host)?.session);
}

function open(
  engine: SessionMiddleware,
  request: Request & Carrier,
  host: unknown,
): Awaitable<Session> {
  const loopback = (): boolean =>
    isLocal(addressOf(request, host), (name) => request.headers.get(name));
  const connection = new WebConnection(() => request.url, loopback);
  const opening = engine.open(request.headers.get("cookie") ?? undefined, connection);
  request[opened] = opening;
  // Whoever comes with the same request later tries anew.
  if (isThenable(opening)) opening.catch(() => (request[opened] = undefined));
  return opening;
}

/** Puts effects onto a Response. */
function onto(response: Response): (effects: ResponseEffects) => Response {
  return (effects) => withEffects(effects, response);
}

/** Commits where nothing of ours carries a cookie; on Node.js the held response underneath does. */
async function commitUncarried({ engine, session, underneath }: Exchange): Promise<void> {
  if (!isHeld(underneath, session)) engine.abandon(session, "uncarried");
  await engine.commit(session);
}
