// Sessions for Astro: `locals.session`, saved when the page or endpoint has answered. A page's components
// render on behind its head, and read flash messages there.
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import { beginPage } from "../session/page.ts";
import type { Session } from "../session/session.ts";
import { withSession } from "./fetch.ts";
import { engineSource } from "./shared/engine-source.ts";
import { reasonOf, statusOf } from "./shared/error-answer.ts";
import { keepSession, keptSession, pageSession, stillOpen } from "./shared/joining.ts";
import { prerenderedSession } from "./shared/prerendered.ts";
import { mustBeFree, mustBeSession } from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

declare global {
  namespace App {
    interface Locals {
      /** The client's session; `sessionMiddleware` of kocha-session/astro puts it there. */
      session: Session;
    }
  }
}

/** The part of Astro's APIContext that a session needs, in any version of it. */
export interface ContextLike {
  readonly request: Request;
  readonly locals: object;
  readonly isPrerendered: boolean;
}

/** Astro's `MiddlewareHandler`, typed for every version of it. */
export type AstroMiddleware = (
  context: ContextLike,
  next: () => Promise<Response>,
) => Promise<Response>;

/**
 * Sessions for an Astro site, in src/middleware.ts: `export const onRequest = sessionMiddleware(config)`,
 * also as one of a `sequence`. They have nothing to do with Astro's own sessions, `Astro.session`.
 *
 * A function that gives the configuration gets Astro's `context`. The request's URL decides on https.
 *
 * A page whose client has unread flash messages waits until it is complete, so that its layout can take
 * them; other pages stream, and what streams can only read the session. A store that is down is a plain
 * 503; other errors get Astro's page for 500, where the session can only be read. In a prerendered page it
 * is empty and read-only.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): AstroMiddleware {
  const engines = engineSource(config);
  const run = withSession(
    config,
    async (_request, session, { locals }: ContextLike, next: () => Promise<Response>) => {
      place(locals, session);
      const response = await next();
      mustBeSession((locals as Place).session);
      return isPage(response) && beginPage(session) ? complete(response) : response;
    },
    { onError: (error, request) => answerFailure(engines(), keptSession(request), error) },
  );
  return async (context, next) => {
    const { request, locals, isPrerendered } = context;
    let shared: Session | undefined;
    if (isPrerendered) {
      shared = await prerenderedSession();
      beginPage(shared);
    } else {
      const before = (locals as Place).session;
      mustBeFree(before, "locals.session");
      const engine = engines(context);
      // Mounted twice, or Astro has rewritten the request.
      shared = stillOpen(engine, before) ?? answeredSession(engine, request);
    }
    if (shared === undefined) return run(request, context, next);
    place(locals, shared);
    keepSession(request, shared);
    return next();
  };
}

/** The session of a request that was answered with a status for which Astro renders another page now. */
function answeredSession(engine: SessionMiddleware, request: Request): Session | undefined {
  const session = pageSession(engine, keptSession(request));
  if (session === undefined || engine.stageOf(session) !== "closed") return undefined;
  beginPage(session);
  return session;
}

interface Place {
  session?: unknown;
}

function place(locals: Place, session: Session): void {
  locals.session = session;
}

/** True for what Astro renders, and for an endpoint's own HTML. */
function isPage({ body, headers }: Response): boolean {
  return body !== null && headers.get("content-type")?.startsWith("text/html") === true;
}

/** The response with its whole body. */
async function complete(response: Response): Promise<Response> {
  return new Response(await response.arrayBuffer(), response);
}

/**
 * Answers what was thrown, if its answer has anything to carry or a status of its own. Astro puts the
 * headers of an empty 500 onto its page for errors.
 * @throws the error, for Astro's own way, which carries no cookie.
 */
function answerFailure(
  engine: SessionMiddleware,
  session: Session | undefined,
  error: unknown,
): Response {
  const status = statusOf(error);
  const isChanged = session !== undefined && engine.stageOf(session) === "changed";
  if (status === 500 && !isChanged) throw error;
  // oxlint-disable-next-line no-console -- as Astro does with errors
  console.error(error);
  const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
  return status === 500
    ? new Response(null, { status })
    : new Response(`${reasonOf(status)}\n`, { status, headers });
}
