// Sessions for Next.js's app router, by Next's own `cookies()`: read in server components, written in server
// actions, route handlers and proxy.ts.
import { cookies, headers } from "next/headers";
import { after, type NextFetchEvent, type NextRequest, NextResponse } from "next/server";
import { cache } from "react";
import type { Awaitable } from "../base/awaitable.ts";
import { applyEffects, isPersonal, type ResponseEffects } from "../engine/effects.ts";
import { checkCarrier } from "../engine/response.ts";
import { callback, readOptions } from "../base/options.ts";
import { isSessionError, UsageError } from "../errors.ts";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { carrierOf, errorAnswer, isNexts, thrownAnswer, withoutCookies } from "./next/answer.ts";
import { HeaderConnection } from "./next/connection.ts";
import { type CookieJar, headerOf, isSealed, putInto, textOf } from "./next/jar.ts";
import { type Place, SharedSessions, type Visit } from "./next/shared.ts";
import { engineSource } from "./shared/engine-source.ts";
import { ownResponse } from "./shared/own-path.ts";

export { openSession } from "./shared/engine-source.ts";

/** A route handler with its session: `route.ts` exports it by the name of its method. */
export type SessionRoute<Context> = (
  request: NextRequest,
  session: Session,
  context: Context,
) => Awaitable<Response>;

/** The function of proxy.ts with its session; nothing: the request goes on. */
export type SessionProxy = (
  request: NextRequest,
  session: Session,
  event: NextFetchEvent,
) => Awaitable<Response | undefined | void>;

/** Options of `sessions`. */
export interface SessionsOptions {
  /**
   * Answers an error of a `route` or `proxy`, of its handler or of its session; the answer carries the
   * session's cookie. Without it a store that fails is answered with 503 and a conflict with 409, which are
   * logged, and other errors go to Next, whose answer carries no cookie of ours: changes that need one are
   * refused as "uncarried".
   */
  readonly onError?: (error: unknown, request: NextRequest) => Awaitable<Response>;
}

/** The functions of one configuration. */
export interface NextSessions {
  /**
   * The session, to be read: for server components, once a request. A change is
   * ERR_SESSION_USAGE_READ_ONLY; `session.flash.peek(key)` reads a message.
   * @throws {StoreError} when the store fails and `onStoreError` is "fail".
   */
  readonly readSession: () => Promise<Session>;
  /**
   * Runs with the session and saves it, also when `run` throws: for server actions. What was changed is saved
   * and its cookie is set when the promise resolves. Calls of one request that overlap share one session.
   * @throws {UsageError} ERR_SESSION_USAGE_READ_ONLY while a page renders and in `after()`;
   * ERR_SESSION_USAGE_HEADERS_SENT when it wasn't awaited; ERR_SESSION_USAGE_RESPONSE when the application
   * has set a cookie of the session's name.
   * @throws {StoreError} when the store fails.
   * @throws {LimitError} ERR_SESSION_LIMIT_COOKIE when it doesn't fit the cookie.
   */
  readonly withSession: <T>(run: (session: Session) => Awaitable<T>) => Promise<T>;
  /**
   * A route handler: `export const POST = route(async (request, session, context) => …)`. Errors are answered
   * as `onError` says.
   */
  readonly route: <Context>(
    handler: SessionRoute<Context>,
  ) => (request: NextRequest, context: Context) => Promise<Response>;
  /**
   * The function of proxy.ts: `export default proxy((request, session) => …)`. The page behind it sees what it
   * has saved. Errors are answered as by `route`.
   */
  readonly proxy: (
    handler: SessionProxy,
  ) => (request: NextRequest, event: NextFetchEvent) => Promise<Response>;
}

const READ_ONLY =
  "a server component can't change the session, since Next.js sets no cookies while a page renders: change it " +
  "in a server action or a route handler, by withSession or route, or in proxy.ts, by proxy; " +
  "session.flash.peek(key) reads a message without removing it";

const NO_COOKIES =
  "withSession, route and proxy need a response that can set cookies, which a page that renders and after() don't " +
  "have: read the session by readSession, and change it in a server action, a route handler or proxy.ts";

/**
 * Sessions for a Next.js application; a module of its own exports what it gives.
 *
 * A function that gives the configuration is called at the first request, so `next build` needs no secrets.
 * A memory store is one for the whole process, although Next makes several copies of that module.
 * @throws {ConfigError} when an option, or a configuration that is no function, is wrong.
 */
export function sessions(config: SessionConfigSource, options: SessionsOptions = {}): NextSessions {
  const { onError } = readOptions("sessions", options, {
    onError: callback<NonNullable<typeof options.onError>>(),
  });
  const engines = engineSource(config);
  let made: SessionMiddleware | undefined;
  const engine = (): SessionMiddleware => {
    if (made === undefined) {
      made = engines();
      made.shareMemory();
    }
    return made;
  };
  const shared = new SharedSessions();

  /** The request, if its cookies can be set. */
  async function placeOf(usesJar: boolean): Promise<Place> {
    // ORDER: first; while a page is prerendered it ends here, and the configuration isn't asked.
    const jar: CookieJar = await cookies();
    if (isSealed(jar)) throw new UsageError("ERR_SESSION_USAGE_READ_ONLY", NO_COOKIES);
    watchEnd();
    const head = await headers();
    return {
      engine: engine(),
      jar,
      sent: head.get("cookie") ?? "",
      connection: new HeaderConnection(head),
      isOpen: async () => (await cookies().catch(() => undefined)) === jar,
      usesJar,
    };
  }

  const readSession = cache(async (): Promise<Session> => {
    // ORDER: as in placeOf.
    const jar = await cookies();
    const sent = (await headers()).get("cookie") ?? "";
    return engine().openReadOnly(headerOf(jar, sent), undefined, undefined, READ_ONLY);
  });

  async function withSession<T>(run: (session: Session) => Awaitable<T>): Promise<T> {
    return shared.visit(await placeOf(true), async ({ session, leave }) => {
      try {
        return await run(session);
      } finally {
        // redirect() throws, and what was changed before it is saved.
        await leave();
      }
    });
  }

  const route: NextSessions["route"] = (handler) => (request, context) =>
    answered(request, async () => {
      const place = await placeOf(true);
      const { engine: own, connection } = place;
      const answering = own.devices && ownResponse(own, request, () => connection);
      if (answering !== undefined) return answering;
      return shared.visit(place, async (visit) => {
        const { answer, effects } = await settled(request, visit, async () => {
          const response = await handler(request, visit.session, context);
          await visit.othersDone();
          if (engine().stageOf(visit.session) === "changed") checkCarrier(engine(), response);
          return response;
        });
        return withoutCookies(effects, answer);
      });
    });

  const proxy: NextSessions["proxy"] = (handler) => (request, event) =>
    answered(request, async () => {
      const place = await placeOf(false);
      const { engine: own, connection } = place;
      const answering = own.devices && ownResponse(own, request, () => connection);
      if (answering !== undefined) return answering;
      const before = textOf(place.jar);
      return shared.visit(place, async (visit) => {
        const { answer, effects } = await settled(request, visit, async () => {
          const response = await proxied(handler, request, visit.session, event);
          await visit.othersDone();
          if (engine().stageOf(visit.session) === "changed") checkCarrier(engine(), response);
          return response;
        });
        // The proxy around this one has the cookies to set.
        if (!visit.isFirst) return answer;
        // ORDER: nothing that only this answer has is kept by now: the browser's own request saves it.
        if (isForAction(request) && isPersonal(effects)) return unanswered();
        const response = carrierOf(NextResponse, effects, answer);
        // ORDER: its cookies and not its headers: Next hands those on to the page's cookies().
        putInto(response.cookies, effects.cookies);
        // Cookies that were set by cookies() replace all others of a proxy's response.
        if (textOf(place.jar) !== before)
          for (const cookie of response.cookies.getAll()) place.jar.set(cookie);
        applyEffects({ ...effects, setCookie: [] }, response.headers);
        return response;
      });
    });

  /** The answer of a handler, with the effects of its session's save. */
  async function settled(
    request: NextRequest,
    { session, isFirst, othersDone, leave }: Visit,
    work: () => Promise<Response>,
  ): Promise<{ readonly answer: Response; readonly effects: ResponseEffects }> {
    let answer: Response;
    try {
      answer = await work();
    } catch (error) {
      await othersDone();
      const known = await answerOf(error, request);
      if (known === undefined) {
        engine().abandon(session, "uncarried");
        await leave();
        throw error;
      }
      answer = known;
    }
    try {
      return { answer, effects: await leave() };
    } catch (error) {
      const known = isFirst ? await answerOf(error, request) : undefined;
      if (known === undefined) throw error;
      // What is due in spite of the failure.
      return { answer: known, effects: await engine().commit(session) };
    }
  }

  /** The answer of a handler, or that of a session that can't be opened. */
  async function answered(request: NextRequest, work: () => Promise<Response>): Promise<Response> {
    try {
      return await work();
    } catch (error) {
      const known = isSessionError(error) ? await answerOf(error, request) : undefined;
      if (known === undefined) throw error;
      return known;
    }
  }

  /** The answer of an error; undefined: it goes to Next. */
  async function answerOf(error: unknown, request: NextRequest): Promise<Response | undefined> {
    if (isNexts(error)) return thrownAnswer(error);
    return onError === undefined ? errorAnswer(error) : onError(error, request);
  }

  return { readSession, withSession, route, proxy };
}

/**
 * True for the page that Next asks itself for when an action has redirected in a browser with JavaScript: it
 * hands on that answer without its cookies.
 */
function isForAction(request: NextRequest): boolean {
  return request.headers.has("x-action-redirect");
}

/** No page: Next has the browser ask for it then. */
function unanswered(): Response {
  return new NextResponse(null, { status: 204 });
}

/** The answer of a proxy's handler; Next itself has none for what it throws. */
async function proxied(
  handler: SessionProxy,
  ...[request, session, event]: Parameters<SessionProxy>
): Promise<Response> {
  try {
    return (await handler(request, session, event)) ?? NextResponse.next();
  } catch (error) {
    const answer = thrownAnswer(error, request.url);
    if (answer === undefined) throw error;
    return answer;
  }
}

/** Has Next seal the jar when the response ends: otherwise it takes cookies for ever, and drops them. */
function watchEnd(): void {
  try {
    after(() => undefined);
  } catch {
    // Some platforms have no after().
  }
}
