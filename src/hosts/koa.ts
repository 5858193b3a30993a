// Sessions for Koa: `ctx.session`, saved when the middleware below has answered.
import type { Context, Middleware } from "koa";
import type { SessionConfigSource } from "../session/middleware.ts";
import { occupied } from "../session/misuse.ts";
import type { Session } from "../session/session.ts";
import { attach, NodeConnection } from "./shared/attach.ts";
import { holdOf } from "./shared/hold.ts";
import { engineSource } from "./shared/engine-source.ts";
import { addHeaders, ownNodeAnswer } from "./shared/own-path.ts";
import { setUnlessOurs } from "./shared/request-session.ts";

export { openSession } from "./shared/engine-source.ts";

declare module "koa" {
  interface ExtendableContext {
    /** The client's session; `sessionMiddleware` of kocha-session/koa puts it there. */
    session: Session;
  }
}

/**
 * Sessions for a Koa application: `app.use(sessionMiddleware(config))`.
 *
 * `ctx.secure` decides on https, so `app.proxy` counts. A failed commit is an error like any other that a
 * middleware throws. Mounted twice, it opens once.
 * @throws {ConfigError} when the configuration is wrong.
 */
export function sessionMiddleware(config: SessionConfigSource): Middleware {
  const engine = engineSource(config);
  return async (context, next) => {
    const own = engine();
    const isSecure = (): boolean => context.secure;
    const answering =
      own.devices &&
      ownNodeAnswer(
        own,
        context.req,
        () => new NodeConnection(context.req, isSecure),
        context.originalUrl,
      );
    if (answering !== undefined) {
      const { status, headers, body } = await answering;
      context.status = status;
      addHeaders(headers, context);
      context.body = body;
      return;
    }
    const before = holdOf(context.res);
    prepareContext(Object.getPrototypeOf(context) as object);
    await attach(
      own,
      context.req,
      context.res,
      // Koa's handler of errors after its middleware has ended: a raw response, or its own error page.
      (error) => {
        context.onerror(error as Error);
        // Koa doesn't end a response that has begun, and its held part was dropped.
        if (context.headerSent && !context.res.writableEnded) context.res.destroy();
      },
      isSecure,
    );
    // Koa handles errors from here and clears the headers; ours are added when its error page is sent.
    await next();
    const hold = holdOf(context.res);
    // Mounted twice, the outer one saves. A response that the application writes itself settles itself.
    if (hold !== before && context.respond !== false) await hold?.settle();
  };
}

/** Marks `session` of an application's context as ours. */
const prepared = Symbol.for("kocha-session.prepared");

/** `ctx.session`, on the prototype of an application's contexts: see request-session.ts. */
const accessor = {
  configurable: true,
  get(this: Context): Session | undefined {
    return this.req.session;
  },
  set(this: Context, value: unknown): void {
    setUnlessOurs(this, this.req.session, value);
  },
};

/** @throws {UsageError} ERR_SESSION_USAGE_FOREIGN if it has a session of another library. */
function prepareContext(prototype: object & { [prepared]?: true }): void {
  if (prototype[prepared] === true) return;
  if (Object.hasOwn(prototype, "session")) throw occupied("ctx.session");
  Object.defineProperties(prototype, { [prepared]: { value: true }, session: accessor });
}
