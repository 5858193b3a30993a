// The sessions of one request beside the one that it gets: a browser holds several when the cookie's
// path or domain has changed, and a logout ends them all. It knows no key and no cookie name.
import type { OpenedSession } from "../core/store.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { isPart, type Seen } from "./part.ts";
import { endOf, toOpened } from "./state.ts";
import { deadSessions } from "./tombstone.ts";

/**
 * The sessions that live, are in their grace, or are created too far in the future.
 * @param wholes - such sessions in cookies that are no parts.
 * @param parts - the request's parts and tombstones, whatever has become of their sessions.
 * @param openedId - the session that the request gets, which is left out.
 */
export function endableSessions(
  wholes: readonly SessionPayload[],
  parts: readonly Seen[],
  now: number,
  openedId: string | undefined,
): readonly OpenedSession[] {
  const dead = deadSessions(parts, now);
  const endable = new Map<string, SessionPayload>();
  const add = (session: SessionPayload): void => {
    const { id, rev } = session;
    const lives = rev >= (dead.get(id) ?? 0) && endOf(session) > now;
    if (lives && id !== openedId) endable.set(id, session);
  };
  for (const whole of wholes) add(whole);
  for (const { content, verdict } of parts) {
    if (isPart(content) && verdict !== "revoked" && verdict !== "retired") add(content.session);
  }
  return Array.from(endable.values(), (session) => toOpened(session, []));
}
