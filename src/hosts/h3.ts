// Sessions for h3 (version 2) and frameworks built on it: `sessionOf(event)`, saved when the handlers below
// have answered.
import type { ServerResponse } from "node:http";
import type { H3EventContext } from "h3";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import { applyEffects, hasEffects, isPersonal, type ResponseEffects } from "../engine/effects.ts";
import { checkUnclaimed, isCopyable, withEffects } from "../engine/response.ts";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import {
  BEHIND_FETCH,
  isAnonymous,
  keepForInner,
  nitroEnv,
  sessionOfPage,
  type Runtime,
} from "./h3/inner.ts";
import { asAnswer } from "./h3/not-found.ts";
import { ownAnswerTo } from "./h3/own-answer.ts";
import { attachOlder, type OlderEvent } from "./h3/version-1.ts";
import { engineSource } from "./shared/engine-source.ts";
import { insideDone, joinOuter, keepSession, outerSession } from "./shared/joining.ts";
import { isLocal } from "./shared/loopback.ts";
import { sessionOf as sessionOfRequest } from "./shared/session-of.ts";
import { isHeld, leaveSession, nodeRequestOf, nodeResponseOf } from "./shared/underneath.ts";
import {
  carry,
  commitDespite,
  isResponse,
  mustBeFree,
  mustBeSession,
  watch,
  WebConnection,
} from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";

declare module "h3" {
  interface H3EventContext {
    /** The client's session; `sessionMiddleware` of kocha-session/h3 puts it there. */
    session?: Session;
  }
}

/** The part of an event that a session needs, in any copy and version of h3. */
export interface EventLike {
  readonly req: {
    readonly url: string;
    readonly method: string;
    readonly headers: Headers;
    readonly signal: AbortSignal;
    readonly ip?: string | undefined;
    /** srvx's description of the runtime; on Workers with the request's bindings. */
    readonly runtime?: Runtime | undefined;
  };
  /** h3 2.0.1-rc.2, which Nitro 3.0.0 uses, has no `errHeaders`. */
  readonly res: { readonly headers: Headers; readonly errHeaders?: Headers };
  readonly context: object;
  readonly app?: { readonly config?: { readonly onError?: unknown } } | undefined;
}

/** Middleware of h3, typed for every copy of it. */
export interface SessionEventMiddleware {
  (event: EventLike, next: () => unknown): Promise<unknown>;
  /** As h3 1 calls it, which has no `next`. */
  (event: OlderEvent): Promise<unknown>;
}

/**
 * Sessions for an h3 application: `app.use(sessionMiddleware(config))`; for Nuxt and Nitro, in
 * server/middleware/session.ts: `export default sessionMiddleware(config)`.
 *
 * A function that gives the configuration gets the bindings of Workers, if srvx has them
 * (`event.req.runtime.cloudflare.env`, in Nitro 2 `event.context.cloudflare.env`).
 *
 * The request's URL decides on https. A failure is an error like any other that a handler throws. h3's own
 * error response carries the session's cookie; a Response that the application's `onError` makes carries it
 * on Node.js, and elsewhere if it takes over `event.res.errHeaders`. Mounted twice, it opens once. On
 * Node.js the answers of `fromNodeHandler` wait for the session, too. What a handler fetches from its own
 * server by `fetchWithEvent`, in Nitro 2 by `event.$fetch`, has the handler's session.
 * @throws {ConfigError} when the configuration is wrong; at a request, on h3 1 by `toWebHandler`.
 */
export function sessionMiddleware(config: SessionConfigSource): SessionEventMiddleware {
  const engines = engineSource(config);
  const middleware = async (
    anyEvent: EventLike | OlderEvent,
    next?: () => unknown,
  ): Promise<unknown> => {
    if (next === undefined) return attachOlder(engines, anyEvent as OlderEvent);
    const event = anyEvent as EventLike;
    const engine = engines(envOf(event));
    const answering =
      engine.devices && ownAnswerTo(engine, event, () => connectionOf(event), envOf(event));
    if (answering !== undefined) return answering;
    const { req } = event;
    const context = event.context as { session?: unknown };
    mustBeFree(context.session, "event.context.session");
    const incoming = nodeRequestOf(req, undefined);
    const shared =
      outerSession(engine, context.session, req, incoming) ?? sessionOfPage(engine, req.runtime);
    if (shared !== undefined) {
      // A request that h3 makes with the context has another Request.
      return joinOuter(context.session === undefined ? req : context, async () => {
        const outer = await shared;
        context.session = outer;
        keepSession(req, outer);
        return next();
      });
    }
    if (isAnonymous(req.url, req.runtime, context)) {
      const readOnly = await openReadOnly(engine, event);
      context.session = readOnly;
      keepSession(req, readOnly);
      return next();
    }
    const cookies = req.headers.get("cookie") ?? "";
    const opening = engine.open(cookies, connectionOf(event), undefined, envOf(event));
    keepSession(req, opening, cookies);
    const session = isThenable(opening) ? await opening : opening;
    context.session = session;
    keepForInner(req.runtime, session);
    leaveSession(incoming, session);
    const underneath = (): ServerResponse | undefined => nodeResponseOf(req, undefined);
    watch(engine, session, () => req.signal, underneath);
    let answer: unknown;
    try {
      answer = await next();
      mustBeSession(context.session);
      let inside: Promise<unknown> | undefined;
      // oxlint-disable-next-line no-await-in-loop -- one can join while the wait for others ends
      while ((inside = insideDone(req) ?? insideDone(context)) !== undefined) await inside;
    } catch (error) {
      await Promise.all([insideDone(req), insideDone(context)]);
      throw await failWith(engine, session, event, error, underneath());
    }
    try {
      const exchange = { engine, session, underneath: underneath() };
      return await carry(exchange, answer, isHandled, (effects) =>
        addEffects(event, effects, answer),
      );
    } catch (error) {
      // On Node.js the held response takes the due cookies once h3 has answered the error.
      if (isHeld(underneath(), session)) throw error;
      throw await failWith(engine, session, event, error, undefined);
    }
  };
  // h3 1 asks for this mark.
  return Object.assign(middleware, { __is_handler__: true as const });
}

/** The bindings of Workers, where srvx or Nitro has them. */
function envOf({ req }: EventLike): unknown {
  return req.runtime?.cloudflare?.env ?? nitroEnv();
}

function openReadOnly(engine: SessionMiddleware, event: EventLike): Awaitable<Session> {
  const cookies = event.req.headers.get("cookie") ?? undefined;
  return engine.openReadOnly(cookies, undefined, envOf(event), BEHIND_FETCH);
}

function connectionOf({ req }: EventLike): WebConnection {
  return new WebConnection(
    () => req.url,
    () => isLocal(req.ip, (name) => req.headers.get(name)),
  );
}

/** h3's mark that the answer was written to the response underneath. */
const handled = Symbol.for("h3.handled");

function isHandled(answer: unknown): boolean {
  return answer === handled;
}

/** Saves the changes that a handler made before it threw; after a failed commit, sends cookies still due. */
async function failWith(
  engine: SessionMiddleware,
  session: Session,
  event: EventLike,
  error: unknown,
  underneath: ServerResponse | undefined,
): Promise<unknown> {
  if (isHeld(underneath, session)) {
    try {
      await engine.commit(session);
      return error;
    } catch (worse) {
      return worse;
    }
  }
  const { errHeaders } = event.res;
  const onError = event.app?.config?.onError;
  // The older h3's error response takes no headers.
  if (errHeaders === undefined && onError === undefined) engine.abandon(session, "uncarried");
  const aftermath = await commitDespite(engine, session, error);
  addErrorEffects(event, aftermath.due);
  return aftermath.error;
}

/**
 * The session of an event, or on h3 2 of its request.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION if `sessionMiddleware` isn't mounted.
 */
export function sessionOf(event: { readonly context: H3EventContext | object } | Request): Session {
  const { context } = (event ?? {}) as { readonly context?: H3EventContext };
  return context?.session ?? sessionOfRequest(event as Request);
}

/** Adds the effects to the headers that h3 merges into the answer; gives the answer. */
function addEffects(event: EventLike, effects: ResponseEffects, answer: unknown): unknown {
  if (!hasEffects(effects)) return answer;
  const found = (answer as { readonly headers?: unknown } | null | undefined)?.headers;
  const own = found instanceof Headers ? found : undefined;
  const { headers, errHeaders } = event.res;
  if (isPersonal(effects)) {
    if (own !== undefined) checkUnclaimed(effects, own);
    // The older h3 merges them into the answer itself, which may be a constant for all clients.
    if (errHeaders === undefined && isResponse(answer))
      return asAnswer(withEffects(effects, answer));
  } else if (isResponse(answer) && !isCopyable(answer)) {
    // h3 would turn a network error into a 200 to merge them.
    return answer;
  }
  layOver(headers, effects, own);
  // h3 merges these into a Response with an error status.
  if (errHeaders !== undefined) layOver(errHeaders, effects, own);
  return answer;
}

/** Adds the effects to the headers that h3 merges into an error's answer. */
function addErrorEffects(event: EventLike, effects: ResponseEffects): void {
  if (!hasEffects(effects)) return;
  const { headers, errHeaders } = event.res;
  layOver(errHeaders ?? headers, effects, undefined);
  if (errHeaders === undefined) layCookiesOnce(headers, effects.setCookie);
}

function layOver(headers: Headers, effects: ResponseEffects, own: Headers | undefined): void {
  applyEffects(effects, {
    get: (name) => headers.get(name) ?? own?.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    append: (name, value) => headers.append(name, value),
  });
}

/** Adds the cookies only once: the older h3 merges them into an `onError` answer twice. */
function layCookiesOnce(headers: Headers, cookies: readonly string[]): void {
  let isFirst = true;
  const entries = function* (): IterableIterator<[string, string]> {
    for (const entry of headers.entries()) {
      if (isFirst || entry[0] !== "set-cookie" || !cookies.includes(entry[1])) yield entry;
    }
    isFirst = false;
  };
  Object.defineProperty(headers, Symbol.iterator, { value: entries });
}
