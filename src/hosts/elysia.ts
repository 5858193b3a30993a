// Sessions for Elysia: `({ session }) => …`, saved when Elysia has made its Response. It is around all that
// Elysia does for a request, so its own cookies, 404s, errors and streams are among what waits for the save.
import type { AnyElysia, Elysia } from "elysia";
import type { SessionConfigSource, SessionMiddleware } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { UsageError } from "../errors.ts";
import { withSession } from "./fetch.ts";
import { engineSource } from "./shared/engine-source.ts";
import { keptSession, owned } from "./shared/joining.ts";
import { mustBeFree, mustBeSession } from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

/** An application whose contexts have the client's session, and so has a socket's `data`. */
export type SessionElysia = Elysia<
  "",
  {
    /** In `onError` there is none when it couldn't be loaded. */
    decorator: { readonly session: Session | undefined };
    derive: { readonly session: Session };
    store: {};
    resolve: {};
  }
>;

/** The context of a request, from Elysia's first hook on. */
interface Context {
  readonly request: Asked;
  readonly set: { status?: unknown };
  session?: unknown;
}

const context: unique symbol = Symbol("kocha-session.context");
const failure: unique symbol = Symbol("kocha-session.failure");

/** A request, with what our hook and what is around it tell each other. */
interface Asked extends Request {
  [context]?: Context;
  /** The session's failure, which Elysia is to answer. */
  [failure]?: { readonly error: unknown } | undefined;
}

type Handle = (request: Request) => Response | Promise<Response>;

/** The parts of an application that its types keep private, or give another type. */
interface Application {
  /** Bun's server, of the application that listens; on other runtimes null. */
  getServer(): unknown;
  /** Puts a function around the whole application. */
  wrap(around: (handle: Handle) => Handle): unknown;
  onRequest(hook: (context: Context) => void): unknown;
}

/**
 * Sessions for an Elysia application: `new Elysia().use(session(config)).get("/", ({ session }) => …)`.
 *
 * All requests of the application have one, also those of routes before it, of groups and of 404s. A function
 * that gives the configuration gets Bun's server, where there is one. `sessionOf(request)` gives the session,
 * too.
 *
 * The request's URL decides on https. A failed load or commit goes to `onError`; after a failed commit the
 * hooks `onRequest` that were registered before, and `onAfterResponse`, run twice. Used twice, it opens
 * once. It needs Elysia's `aot`, the default.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function session(config: SessionConfigSource): (app: AnyElysia) => SessionElysia {
  const engines = engineSource(config);
  const serve = withSession(
    config,
    async (request: Asked, _session, _server: unknown, handle: Handle) => {
      const answer = await handle(request);
      const seen = request[context];
      // An earlier hook may have answered.
      if (seen !== undefined) mustBeSession(seen.session);
      return answer;
    },
    {
      onError: async (error, request, _server, handle) => {
        request[failure] = { error };
        try {
          return await handle(request);
        } finally {
          request[failure] = undefined;
        }
      },
    },
  );
  return (used) => {
    const app = used as unknown as Application;
    const give = (entered: Context): void => {
      try {
        enter(entered, () => engines(app.getServer()));
      } catch (error) {
        // Elysia would answer a hook's error that has no status with 200.
        entered.set.status = (error as { status?: number }).status ?? 500;
        throw error;
      }
    };
    // A function, and no instance: only so does Elysia share `wrap` between a group and what it is in.
    app.wrap((handle) => (request) => serve(request, app.getServer(), handle));
    // Elysia reads the text of a hook to find what it needs; that of a bound function says nothing.
    app.onRequest(give.bind(undefined));
    return used;
  };
}

/** Puts the session of a request into its context; throws what Elysia is to answer. */
function enter(entered: Context, engine: () => SessionMiddleware): void {
  const { request } = entered;
  const own = keptSession(request);
  const failed = request[failure];
  if (failed !== undefined) {
    // For onError, which may change it again after a failed commit.
    entered.session = own;
    throw failed.error;
  }
  if (own === undefined) throw notAround();
  owned(engine(), own);
  if (entered.session !== own) mustBeFree(entered.session, "context.session");
  entered.session = own;
  request[context] = entered;
}

/** The error of a request that our function isn't around. */
function notAround(): UsageError {
  const message =
    "the request has no session: use session(config) on the application itself or on a plugin of it, " +
    "not on a plugin that only a group uses, and leave Elysia's aot as it is";
  return new UsageError("ERR_SESSION_USAGE_NO_SESSION", message);
}
