// The session of a page that is made at build time, which has no client, and mostly no secrets.
import type { Awaitable } from "../../base/awaitable.ts";
import { SessionMiddleware } from "../../session/middleware.ts";
import type { Session } from "../../session/session.ts";

const BYTES_IN_A_KEY = 32;

let engine: SessionMiddleware | undefined;

/**
 * An empty session that can only be read: no configuration is asked for it, and it sets no cookie.
 * A change to it is a UsageError, ERR_SESSION_USAGE_READ_ONLY.
 */
export function prerenderedSession(): Awaitable<Session> {
  engine ??= new SessionMiddleware({
    store: { load: () => undefined, save: () => undefined },
    signingKey: btoa(
      String.fromCharCode(...crypto.getRandomValues(new Uint8Array(BYTES_IN_A_KEY))),
    ),
  });
  return engine.openReadOnly(undefined);
}
