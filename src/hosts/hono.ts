// Sessions for Hono, on all its runtimes: `c.get("session")`, saved when the handlers below have answered.
import type { ServerResponse } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import { applyEffects, hasEffects } from "../engine/effects.ts";
import { withEffects } from "../engine/response.ts";
import type { SessionConfigSource } from "../session/middleware.ts";
import type { Session } from "../session/session.ts";
import { StoreError, ConflictError } from "../errors.ts";
import { engineSource } from "./shared/engine-source.ts";
import { reasonOf } from "./shared/error-answer.ts";
import { insideDone, joinOuter, keepSession, outerSession, stopSharing } from "./shared/joining.ts";
import { addressOf, isLocal } from "./shared/loopback.ts";
import { beside, ownResponse } from "./shared/own-path.ts";
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
  commitUncarried,
  type Exchange,
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
 * A function that gives the configuration gets `c.env`. `sessionOf(c.req.raw)` gives the session, too.
 *
 * The request's URL decides on https. A failed commit goes to `app.onError`. Mounted twice, it opens once.
 * On Node.js a handler's writes to `c.env.outgoing` wait for the session, too.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): MiddlewareHandler {
  const engines = engineSource(config);
  giveResponses();
  return async (context, next): Promise<void> => {
    const engine = engines(context.env);
    const { raw } = context.req;
    const answering =
      engine.devices && ownResponse(engine, raw, () => connectionOf(context), context.env);
    if (answering !== undefined) {
      replaceResponse(context, beside(context.res.headers, await answering));
      return;
    }
    const incoming = nodeRequestOf(raw, context.env);
    const place: unknown = context.get("session");
    mustBeFree(place, 'c.get("session")');
    const shared = outerSession(engine, place, raw, incoming);
    if (shared !== undefined) {
      return joinOuter(raw, async () => {
        const outer = await shared;
        context.set("session", outer);
        keepSession(raw, outer);
        await next();
      });
    }
    const cookies = raw.headers.get("cookie") ?? "";
    const opening = engine.open(cookies, connectionOf(context), undefined, context.env);
    keepSession(raw, opening, cookies);
    const session = await opening;
    context.set("session", session);
    leaveSession(incoming, session);
    const underneath = (): ServerResponse | undefined =>
      nodeResponseOf(context.req.raw, context.env);
    watch(engine, session, () => context.req.raw.signal, underneath);
    const exchangeNow = (): Exchange => ({ engine, session, underneath: underneath() });
    try {
      // An error below becomes a response of app.onError, which carries the cookie, too.
      await next();
    } catch (error) {
      // Hono passes what isn't an Error on to its server, whose answer carries no cookie.
      await insideDone(raw);
      stopSharing(raw, session);
      await commitUncarried(exchangeNow());
      throw error;
    }
    let inside: Promise<unknown> | undefined;
    // oxlint-disable-next-line no-await-in-loop -- one can join while the wait for others ends
    while ((inside = insideDone(raw)) !== undefined) await inside;
    try {
      mustBeSession(context.get("session"));
      const exchange = exchangeNow();
      const answer = context.finalized ? context.res : undefined;
      const isPast = (): boolean => answer !== undefined && isWrittenPast(answer);
      await carry(exchange, answer, isPast, (effects) => {
        // Reading `context.res` creates a response if there is none.
        if (hasEffects(effects)) replaceResponse(context, withEffects(effects, context.res));
        return answer;
      });
    } catch (error) {
      // The answer promises changes that weren't saved. Its replacement would inherit its headers.
      context.res = undefined;
      // On Node.js the held response takes the due cookies once app.onError has answered.
      if (isHeld(underneath(), session)) throw error;
      const aftermath = await commitDespite(engine, session, error);
      if (hasEffects(aftermath.due)) applyEffects(aftermath.due, context.res.headers);
      throw aftermath.error;
    }
  };
}

/** Gives our errors responses of 503 and 409: Hono uses an error's own response in place of a 500. */
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
  // Hono merges the old response's headers into the new one, which has them already.
  context.res = undefined;
  context.res = response;
}

function connectionOf(context: Context): WebConnection {
  return new WebConnection(
    () => context.req.url,
    () => isLocal(peerAddress(context), (name) => context.req.header(name)),
  );
}

/** The peer's address, as the adapters for Node.js, Deno and Bun leave it in the environment. */
function peerAddress({ env, req }: Context): string | undefined {
  const { server } = (env ?? {}) as { readonly server?: unknown };
  return addressOf(req.raw, env) ?? addressOf(req.raw, server);
}
