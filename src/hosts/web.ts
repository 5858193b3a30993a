// What the hosts on the Fetch API's Request and Response share: headers of a Response that may be
// immutable, and the connection as a URL tells it.
import type { Connection } from "../core/backing.ts";
import { applyEffects, hasEffects, type ResponseEffects } from "../core/effects.ts";
import type { SessionMiddleware } from "../core/middleware.ts";
import { occupied, replaced } from "../core/misuse.ts";
import { Session } from "../core/session.ts";

/** Puts the effects into headers that may be changed. */
export function applyToHeaders(effects: ResponseEffects, headers: Headers): void {
  applyEffects(effects, {
    get: (name) => headers.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    append: (name, value) => headers.append(name, value),
  });
}

/**
 * The response with the effects in its headers: itself, or a copy that shares its body.
 *
 * A handler may answer many clients with one Response, so a cookie goes onto a copy alone. Vary says
 * no more of one client than of another, and stays on the response itself: hosts that know a shorter
 * way than a stream for a text lose it with a copy.
 */
export function withEffects(effects: ResponseEffects, response: Response): Response {
  if (!hasEffects(effects)) return response;
  if (effects.setCookie.length === 0 && canTake(effects, response.headers)) return response;
  const copy = new Response(response.body, response);
  applyToHeaders(effects, copy.headers);
  return copy;
}

/** Whether the headers took the effects: those of fetch() and redirect() can't be changed. */
function canTake(effects: ResponseEffects, headers: Headers): boolean {
  try {
    applyToHeaders(effects, headers);
    return true;
  } catch {
    return false;
  }
}

/** The connection of a request whose URL the host vouches for; both are asked when needed. */
export class WebConnection implements Connection {
  readonly #url: () => string;
  readonly #isLocal: () => boolean;

  constructor(url: () => string, isLocal: () => boolean) {
    this.#url = url;
    this.#isLocal = isLocal;
  }

  get secure(): boolean {
    return this.#url().startsWith("https:");
  }

  get loopback(): boolean {
    return this.#isLocal();
  }
}

/**
 * Tells the engine when the client has gone before its response could leave. Only a session with
 * something to lose asks for the request's signal, which some hosts make when it is asked for.
 * @param signal - the request's; some hosts have none.
 */
export function watchClient(
  engine: SessionMiddleware,
  session: Session,
  signal: () => AbortSignal | null | undefined,
): void {
  engine.whenChanged(session, () => {
    const client = signal();
    if (client?.aborted === true) engine.abandon(session);
    else client?.addEventListener("abort", () => engine.abandon(session), { once: true });
  });
}

/**
 * Throws for a session of another library in the place of ours. One of another configuration is
 * shadowed, as every variable of these hosts can be.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeFree(found: unknown, where: string): void {
  if (found === undefined || found === null || found instanceof Session) return;
  throw occupied(where);
}

/**
 * Throws where a handler has put something else in the session's place, as in
 * `c.set("session", null)`: these hosts' variables are plain values, so it is seen at the end.
 * @throws {UsageError} ERR_SESSION_USAGE_FOREIGN
 */
export function mustBeSession(found: unknown): void {
  if (!(found instanceof Session)) throw replaced(found);
}
