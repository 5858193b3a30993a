// Sessions for Hono, on every runtime that it runs on: `c.get("session")`, saved when what is
// mounted below has answered.
import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import { hasEffects } from "../core/effects.ts";
import type { SessionConfig } from "../core/config.ts";
import { SessionMiddleware } from "../core/middleware.ts";
import type { Connection } from "../core/backing.ts";
import type { Session } from "../core/session.ts";
import { StoreError } from "../errors.ts";
import type { Awaitable } from "../core/store.ts";
import { isLocal } from "./loopback.ts";
import {
  applyToHeaders,
  mustBeFree,
  mustBeSession,
  watchClient,
  WebConnection,
  withEffects,
} from "./web.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** The client's session; `sessionMiddleware` of kocha-session/hono puts it there. */
    session: Session;
  }
}

/**
 * Sessions for a Hono application: `app.use(sessionMiddleware(config))`.
 *
 * Https is what the request's URL says. A failed commit goes to `app.onError`. Mounted twice, it
 * opens once.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfig | SessionMiddleware): MiddlewareHandler {
  const engine = SessionMiddleware.from(config);
  return async (context, next) => {
    // Mounted once more, with the same configuration.
    if (engine.owns(context.get("session"))) {
      await next();
      return;
    }
    mustBeFree(context.get("session"), 'c.get("session")');
    const connection = new WebConnection(
      () => context.req.url,
      () => isLocal(peerAddress(context), (name) => context.req.header(name)),
    );
    const session = await open(engine, context, connection);
    context.set("session", session);
    watchClient(engine, session, () => context.req.raw.signal);
    // What throws below has become a response of app.onError by now: it carries the cookie too.
    await next();
    try {
      mustBeSession(context.get("session"));
      const effects = await engine.commit(session);
      // Where there is no response, to ask for it makes one.
      if (hasEffects(effects)) replaceResponse(context, withEffects(effects, context.res));
    } catch (error) {
      const due = await engine.commit(session);
      // The handler's answer promised what isn't saved. What replaces it takes its headers over.
      context.res = undefined;
      if (hasEffects(due)) applyToHeaders(due, context.res.headers);
      throw withResponse(error);
    }
  };
}

async function open(
  engine: SessionMiddleware,
  context: Context,
  connection: Connection,
): Promise<Session> {
  try {
    return await engine.open(context.req.header("cookie"), connection);
  } catch (error) {
    throw withResponse(error);
  }
}

/** Hono asks an error for its own response before it answers 500; ours may be a 503. */
function withResponse(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const getResponse = (): Response => new Response("Service Unavailable", { status: error.status });
  return Object.defineProperty(error, "getResponse", { value: getResponse, configurable: true });
}

function replaceResponse(context: Context, response: Response): void {
  if (response === context.res) return;
  // Hono lays the headers of a response that is replaced over the new one's: it has them already.
  context.res = undefined;
  context.res = response;
}

/** What the adapters for Node.js, Deno and Bun leave in the environment. */
function peerAddress(context: Context): string | undefined {
  const env = (context.env ?? {}) as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
    readonly remoteAddr?: { readonly hostname?: string };
    readonly requestIP?: (request: Request) => { readonly address?: string } | null;
    readonly server?: {
      readonly requestIP?: (request: Request) => { readonly address?: string } | null;
    };
  };
  if (env.incoming !== undefined) return env.incoming.socket?.remoteAddress;
  if (env.remoteAddr !== undefined) return env.remoteAddr.hostname;
  const bun = typeof env.requestIP === "function" ? env : env.server;
  return bun?.requestIP?.(context.req.raw)?.address;
}

/**
 * The session of an upgrade request, read-only, from the headers alone.
 * @throws {StoreError} when the store fails and `onStoreError` is "fail".
 */
export function openSession(
  config: SessionConfig | SessionMiddleware,
  request: Pick<HonoRequest, "header"> | Pick<Request, "headers">,
): Awaitable<Session> {
  const cookie = "header" in request ? request.header("cookie") : request.headers.get("cookie");
  return SessionMiddleware.from(config).openReadOnly(cookie ?? undefined);
}
