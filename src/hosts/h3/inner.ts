// Requests that a server makes to itself while it answers another one, whose page they are made for. Their
// answers reach no client, so they have the page's session, or one that is read-only.
import type { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";
import { keepSession, keptSession, pageSession } from "../shared/joining.ts";

/** Why the session of a request that brings nothing of its page can't be changed. */
export const BEHIND_FETCH: string =
  "the server makes this request to itself by the global fetch or $fetch, which brings nothing of the page " +
  "that it is made for: use event.$fetch or useRequestFetch(), on h3 2 fetchWithEvent(event, path)";

/** What srvx makes for each request, and h3 2 hands on to the requests that it makes for that one. */
export interface Runtime {
  readonly node?: unknown;
  readonly cloudflare?: { readonly env?: unknown } | undefined;
}

/** The session of the page that a request of h3 2 is made for. On Node.js the request underneath has it. */
export function sessionOfPage(
  engine: SessionMiddleware,
  runtime: Runtime | undefined,
): Session | undefined {
  if (runtime === undefined || runtime.node !== undefined) return undefined;
  return pageSession(engine, keptSession(runtime));
}

/** Lets the requests that are made for this one find its session. */
export function keepForInner(runtime: Runtime | undefined, session: Session): void {
  if (runtime === undefined || runtime.node !== undefined) return;
  if (keptSession(runtime) === undefined) keepSession(runtime, session);
}

/** The bindings of Workers, which Nitro keeps for a request that brings none. */
export function nitroEnv(): unknown {
  const { __env__: env } = globalThis as { readonly __env__?: unknown };
  return env;
}

/** True for a request of Nitro 3 that came from no client, and from no page. */
export function isAnonymous(url: string, runtime: Runtime | undefined, context: object): boolean {
  // A path only, to which h3 gives this host, without a port.
  return runtime === undefined && "nitro" in context && url.startsWith("http://localhost/");
}
