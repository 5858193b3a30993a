// Sessions for Hono, on every runtime that it runs on: `c.get("session")`, saved when what is
// mounted below has answered.
import type { ServerResponse } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import { applyEffects, hasEffects } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { StoreError, ConflictError } from "../errors.ts";
import { engineSource } from "./shared/engine-source.ts";
import { reasonOf } from "./shared/error-answer.ts";
import { ownSession } from "./shared/joining.ts";
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
  commitDespite,
  mustBeFree,
  mustBeSession,
  watch,
  WebConnection,
} from "./shared/web.ts";

export { openSession } from "./shared/engine-source.ts";
export { sessionOf } from "./shared/session-of.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** The client's session; `sessionMiddleware` of kocha-session/hono puts it there. */
    session: Session;
  }
}

/**
 * Sessions for a Hono application: `app.use(sessionMiddleware(config))`.
 *
 * A configuration's function is asked with `c.env`. `sessionOf(c.req.raw)` gives the session, too.
 *
 * Https is what the request's URL says. A failed commit goes to `app.onError`. Mounted twice, it
 * opens once. On Node.js what a handler writes to `c.env.outgoing` waits for the session, too.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): MiddlewareHandler {
  const engines = engineSource(config);
  giveResponses();
  return async (context, next) => {
    const engine = engines(context.env);
    const incoming = nodeRequestOf(context.req.raw, context.env);
    const shared = ownSession(engine, context.get("session") ?? incoming?.session);
    // Mounted once more, with the same configuration.
    if (shared !== undefined) {
      context.set("session", shared);
      keepSession(context.req.raw, shared);
      await next();
      return;
    }
    mustBeFree(context.get("session"), 'c.get("session")');
    const connection = new WebConnection(
      () => context.req.url,
      () => isLocal(peerAddress(context), (name) => context.req.header(name)),
    );
    const session = await engine.open(context.req.header("cookie"), connection);
    context.set("session", session);
    keepSession(context.req.raw, session);
    leaveSession(incoming, session);
    const underneath = (): ServerResponse | undefined =>
      nodeResponseOf(context.req.raw, context.env);
    watch(engine, session, () => context.req.raw.signal, underneath);
    // What throws below has become a response of app.onError by now: it carries the cookie too.
    await next();
    try {
      mustBeSession(context.get("session"));
      const exchange = { engine, session, underneath: underneath() };
      const answer = context.finalized ? context.res : undefined;
      const isPast = (): boolean => answer !== undefined && isWrittenPast(answer);
      await carry(exchange, answer, isPast, (effects) => {
        // Where there is no response, to ask for it makes one.
        if (hasEffects(effects)) replaceResponse(context, withEffects(effects, context.res));
        return answer;
      });
    } catch (error) {
      // The handler's answer promised what isn't saved. What replaces it takes its headers over.
      context.res = undefined;
      // On Node.js a response that is held takes what is due when app.onError has answered.
      if (isHeld(underneath(), session)) throw error;
      const aftermath = await commitDespite(engine, session, error);
      if (hasEffects(aftermath.due)) applyEffects(aftermath.due, context.res.headers);
      throw aftermath.error;
    }
  };
}

/** Hono asks an error for its own response before it answers 500: a 503 or a 409 of ours has one. */
function giveResponses(): void {
  for (const { prototype } of [StoreError, ConflictError]) {
    const value = function getResponse(this: StoreError | ConflictError): Response {
      return new Response(reasonOf(this.status), { status: this.status });
    };
    Object.defineProperty(prototype, "getResponse", { value, configurable: true });
  }
}

function replaceResponse(context: Context, response: Response): void {
  if (response === context.res) return;
  // Hono lays the headers of a response that is replaced over the new one's: it has them already.
  context.res = undefined;
  context.res = response;
}

/** What the adapters for Node.js, Deno and Bun leave in the environment. */
function peerAddress({ env, req }: Context): string | undefined {
  const { incoming, server } = (env ?? {}) as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
    readonly server?: unknown;
  };
  if (incoming !== undefined) return incoming.socket?.remoteAddress;
  return addressOf(req.raw, env) ?? addressOf(req.raw, server);
}
