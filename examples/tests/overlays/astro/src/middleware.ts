import { sessionMiddleware } from "kocha-session/astro";
import type { MiddlewareHandler } from "astro";
import { caseOf } from "./cases";
import { session } from "./session";

const own = sessionMiddleware(session);

export const onRequest: MiddlewareHandler = (context, next) => {
  if (context.isPrerendered) return own(context, next);
  return (caseOf(context.request)?.middleware ?? own)(context, next);
};
