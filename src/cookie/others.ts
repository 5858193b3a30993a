// The sessions of one request beside the one that it gets: a browser holds several when the cookie's
// path or domain has changed, and a logout ends them all. It knows no key and no cookie name.
import type { OpenedSession } from "../core/store.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { isPart, type Seen } from "./part.ts";
import { endOf, toOpened } from "./state.ts";
import { deadSessions } from "./tombstone.ts";

/**
 * What was opened, with the other sessions that live or are in their grace.
 * @param wholes - such sessions in cookies that are no parts, among them perhaps the opened one.
 * @param parts - the request's parts and tombstones, whatever has become of their sessions.
 */
export function withOthers(
  opened: OpenedSession,
  wholes: readonly SessionPayload[],
  parts: readonly Seen[],
  now: number,
): OpenedSession {
  const dead = deadSessions(parts, now);
  const others = new Map<string, SessionPayload>();
  const add = (session: SessionPayload): void => {
    const { id, rev } = session;
    const lives = rev >= (dead.get(id) ?? 0) && endOf(session) > now;
    if (lives && id !== opened.id) others.set(id, session);
  };
  for (const whole of wholes) add(whole);
  for (const { content, verdict } of parts) {
    if (isPart(content) && (verdict === undefined || verdict === "grace")) add(content.session);
  }
  if (others.size === 0) return opened;
  return { ...opened, others: Array.from(others.values(), (session) => toOpened(session, [])) };
}
