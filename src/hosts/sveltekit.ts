// Sessions for SvelteKit: `event.locals.session`, saved when the page or endpoint has answered. What a
// page fetches from its own server while it renders shares the page's session.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Awaitable } from "../base/awaitable.ts";
import { callback, readOptions } from "../base/options.ts";
import { isPersonal, isSessionCookie, type ResponseEffects } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { type EngineSource, engineSource } from "./shared/engine-source.ts";
import { reasonOf, statusOf } from "./shared/error-answer.ts";
import {
  insideDone,
  joinOuter,
  keepSession,
  outerSession,
  pageSession,
  stillOpen,
  stopSharing,
} from "./shared/joining.ts";
import { isLocal } from "./shared/loopback.ts";
import { ownResponse } from "./shared/own-path.ts";
import { prerenderedSession } from "./shared/prerendered.ts";
import {
  carry,
  commitOnto,
  type Exchange,
  mustBeFree,
  mustBeSession,
  watch,
  WebConnection,
} from "./shared/web.ts";
import { carrierOf, isThrownRedirect, setCookies, temporary } from "./sveltekit/redirect.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

declare global {
  namespace App {
    interface Locals {
      /** The client's session; `sessionHandle` of kocha-session/sveltekit puts it there. */
      session: Session;
    }
  }
}

/** The part of SvelteKit's RequestEvent that a session needs, in any version of it. */
export interface EventLike {
  readonly request: Request;
  readonly locals: object;
  readonly cookies: {
    set(name: string, value: string, options: Readonly<Record<string, unknown>>): void;
  };
  /** The adapter's own; on Cloudflare with the bindings, on Node.js with node:http's request. */
  readonly platform?: unknown;
  readonly isSubRequest: boolean;
  readonly isDataRequest: boolean;
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  getClientAddress(): string;
}

/** SvelteKit's `Handle`, typed for every version of it. */
export type SessionHandle = <Event extends EventLike>(input: {
  readonly event: Event;
  readonly resolve: (event: Event) => Awaitable<Response>;
}) => Promise<Response>;

/** Options of `sessionHandle`. */
export interface SessionHandleOptions {
  /**
   * Answers when the session can't be loaded or saved; the answer carries the cookies that are still due.
   * What it throws goes to SvelteKit's `handleError`, whose page has status 500. Default: the error goes to
   * the log, and the client gets its status with a line of text, or JSON where SvelteKit's client asked.
   */
  readonly onError?: (error: unknown, event: EventLike) => Awaitable<Response>;
}

/** The event whose `fetch` makes a request to its own server. */
const fetching = new AsyncLocalStorage<EventLike>();

/**
 * Sessions for a SvelteKit application, in src/hooks.server.ts: `export const handle = sessionHandle(config)`,
 * also as one of a `sequence`.
 *
 * A function that gives the configuration gets `event.platform.env`, which Cloudflare's adapter has. Errors
 * of the application go SvelteKit's own way, and its error pages carry the session's cookie; what a
 * `handle` throws itself can't carry one, except for a redirect. In a prerendered page the session is empty
 * and read-only.
 * @throws {ConfigError} when the configuration or an option is wrong.
 */
export function sessionHandle(
  config: SessionConfigSource,
  options: SessionHandleOptions = {},
): SessionHandle {
  const engines = engineSource(config);
  const { onError = answerPlainly } = readOptions("sessionHandle", options, {
    onError: callback<NonNullable<typeof options.onError>>(),
  });
  const isPrerendering = isForked();
  return async ({ event, resolve }) => {
    const locals = event.locals as { session?: unknown };
    mustBeFree(locals.session, "event.locals.session");
    const { fetch, request, isSubRequest } = event;
    const answer = async (session: Session): Promise<Response> => {
      locals.session = session;
      // The Request within may be a constant, which the pages of several clients fetch at once.
      if (!isSubRequest) keepSession(request, session);
      event.fetch = (input, init) => fetching.run(event, () => fetch(input, init));
      return resolve(event);
    };
    let found: Awaitable<Session> | undefined;
    let exchange: Exchange | undefined;
    try {
      const answering = isPrerendering ? undefined : ownAnswerOf(engines, event);
      if (answering !== undefined) return await answering;
      found = isPrerendering ? prerenderedSession() : sharedSession(engines, event);
      if (found === undefined) exchange = await open(engines, event);
    } catch (error) {
      return onError(error, event);
    }
    if (exchange === undefined) {
      const join = async (): Promise<Response> => {
        let shared: Session;
        try {
          shared = (await found) as Session;
        } catch (error) {
          return onError(error, event);
        }
        return answer(shared);
      };
      // Its own handler saves a shared session. ORDER: joined at once, before that handler can end.
      return isSubRequest ? join() : joinOuter(request, join);
    }
    const { engine, session } = exchange;
    watch(engine, session, () => event.request.signal, nothing);
    const answerFailure = async (error: unknown): Promise<Response> => {
      // What it throws leaves the session unsaved.
      stopSharing(request, session);
      const failed = await onError(error, event);
      return commitOnto(exchange, (effects) => withEffects(effects, failed));
    };
    let response: Response;
    try {
      response = await answer(session);
      mustBeSession(locals.session);
      let inside: Promise<unknown> | undefined;
      // oxlint-disable-next-line no-await-in-loop -- one can join while the wait for others ends
      while ((inside = insideDone(request)) !== undefined) await inside;
    } catch (error) {
      await insideDone(request);
      const isRedirect = isThrownRedirect(error);
      if (!isRedirect) engine.abandon(session, "uncarried");
      let effects: ResponseEffects;
      try {
        effects = await engine.commit(session);
      } catch (worse) {
        return answerFailure(worse);
      }
      if (!isRedirect || !isPersonal(effects)) throw error;
      setCookies(event.cookies, effects);
      // oxlint-disable-next-line typescript/only-throw-error -- as redirect() does
      throw temporary(error);
    }
    try {
      return await carry(
        exchange,
        response,
        () => false,
        (effects) => withEffects(effects, carrierOf(effects, response, event.isDataRequest)),
      );
    } catch (error) {
      return answerFailure(error);
    }
  };
}

/** The engine's own answer; undefined: the request is for the application. */
function ownAnswerOf(engines: EngineSource, event: EventLike): Promise<Response> | undefined {
  const env = environmentOf(event);
  const engine = engines(env);
  return engine.devices && ownResponse(engine, event.request, () => connectionOf(event), env);
}

/** True in SvelteKit's own thread for prerendering, which it marks so. */
function isForked(): boolean {
  return typeof process === "object" && process.env["SVELTEKIT_FORK"] !== undefined;
}

function nothing(): undefined {
  return undefined;
}

/**
 * The session that another handler of this request opened, or the page that makes this request.
 * @throws {UsageError} ERR_SESSION_USAGE_NO_SESSION when this request has one of another configuration.
 */
function sharedSession(engines: EngineSource, event: EventLike): Awaitable<Session> | undefined {
  const engine = engines(environmentOf(event));
  const { session } = event.locals as { session?: unknown };
  const own = event.isSubRequest
    ? stillOpen(engine, session)
    : outerSession(engine, session, event.request, incomingOf(event));
  if (own !== undefined || !event.isSubRequest) return own;
  // What a browser sends without cookies has no session.
  if (event.request.credentials === "omit") return engine.openReadOnly(undefined);
  const outer = fetching.getStore();
  if (outer === undefined) return undefined;
  const { session: around } = outer.locals as { session?: unknown };
  const page = pageSession(engine, around);
  if (page === undefined) return undefined;
  if (isVisit(event, outer) && isWithin(engine, event.request, outer.request)) return page;
  // Another client's: a queue in `handleFetch` has run this client's request within another one's.
  const cookies = event.request.headers.get("cookie") ?? undefined;
  return engine.openReadOnly(cookies, undefined, environmentOf(event));
}

/**
 * True for events of one visit: SvelteKit hands what its adapter gave for a client's request, made anew
 * for each, to all requests within.
 */
function isVisit(inner: EventLike, outer: EventLike): boolean {
  const isSame = inner.platform === outer.platform && typeof inner.platform === "object";
  return isSame || inner.getClientAddress === outer.getClientAddress;
}

/** True for a request with the session's cookie of the other, or if neither has one. */
function isWithin(engine: SessionMiddleware, inner: Request, outer: Request): boolean {
  const theirs = sessionCookies(engine, outer);
  const own = sessionCookies(engine, inner);
  // SvelteKit hands on one cookie of each name.
  return own.length === 0 ? theirs.length === 0 : own.every((cookie) => theirs.includes(cookie));
}

function sessionCookies(engine: SessionMiddleware, { headers }: Request): string[] {
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.filter((pair) => isSessionCookie(engine, pair));
}

function connectionOf(event: EventLike): WebConnection {
  const { request } = event;
  return new WebConnection(
    () => request.url,
    () => isLocal(addressOf(event), (name) => request.headers.get(name)),
  );
}

async function open(engines: EngineSource, event: EventLike): Promise<Exchange> {
  const { request, isSubRequest } = event;
  const environment = environmentOf(event);
  const engine: SessionMiddleware = engines(environment);
  const cookies = request.headers.get("cookie") ?? "";
  const opening = engine.open(cookies, connectionOf(event), undefined, environment);
  if (!isSubRequest) keepSession(request, opening, cookies);
  const session = await opening;
  return { engine, session, underneath: undefined };
}

/** What an adapter tells of the request: Cloudflare's, its bindings; Node.js's, node:http's request. */
interface Platform {
  readonly env?: unknown;
  readonly req?: { readonly session?: unknown };
}

function environmentOf({ platform }: EventLike): unknown {
  return (platform as Platform | undefined)?.env;
}

/** The request of node:http, which has a session where the application runs inside Express. */
function incomingOf({ platform }: EventLike): Platform["req"] {
  return (platform as Platform | undefined)?.req;
}

/** The peer's address; undefined where the adapter doesn't tell. */
function addressOf(event: EventLike): string | undefined {
  try {
    return event.getClientAddress();
  } catch {
    return undefined;
  }
}

/** The answer to a session that can't be loaded or saved. */
function answerPlainly(error: unknown, { request, isDataRequest }: EventLike): Response {
  // oxlint-disable-next-line no-console -- as SvelteKit does with errors that nobody handles
  console.error(error);
  const status = statusOf(error);
  const message = reasonOf(status);
  const init = { status, headers: { "cache-control": "no-store" } };
  const accepted = request.headers.get("accept") ?? "";
  if (isDataRequest || accepted.startsWith("application/json"))
    return Response.json({ status, message }, init);
  return new Response(`${message}\n`, init);
}
