// A request's sessions beside its own: a browser holds several after the cookie's path or domain was
// changed, and a logout ends them all. It knows no key and no cookie name.
import type { OpenedSession } from "../store/contract.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { endOf, toOpened } from "./state.ts";

const none: ReadonlyMap<string, number> = new Map();

/**
 * The sessions that a logout ends, each once.
 * @param sessions - live ones, those in their grace, and those created too far in the future.
 * @param openedId - the request's own session, which is left out.
 * @param dead - the `rev` that a session needs to be alive, by id.
 */
export function endableSessions(
  sessions: readonly SessionPayload[],
  now: number,
  openedId: string | undefined,
  dead: ReadonlyMap<string, number> = none,
): readonly OpenedSession[] {
  const endable = new Map<string, SessionPayload>();
  for (const session of sessions) {
    const { id, rev } = session;
    const lives = rev >= (dead.get(id) ?? 0) && endOf(session) > now;
    if (lives && id !== openedId) endable.set(id, session);
  }
  return Array.from(endable.values(), (session) => toOpened(session, []));
}
