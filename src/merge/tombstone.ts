// The trace of a logout among merging cookies, so that a write still under way doesn't bring its session
// back (claim C5 of docs/merging-cookies.md). It knows no seal and no cookie attribute.
import { SECOND } from "../base/time.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { isPart, type Seen, type Tombstone } from "./part.ts";
import { endOf } from "../cookie/state.ts";

/** The longest life of a request that was under way at a logout, in milliseconds. */
export const LINGER: number = 3600 * SECOND;
/** The most dead sessions in one tombstone: no browser logs out more often in a row. */
const MAX_DEAD = 16;

/** The lowest `rev` of a live epoch, by session id, according to the live tombstones. */
export function deadSessions(seen: readonly Seen[], now: number): Map<string, number> {
  const dead = new Map<string, number>();
  for (const { content } of seen) {
    if (isPart(content) || content.until <= now) continue;
    for (const [id, rev] of content.dead) dead.set(id, Math.max(rev, dead.get(id) ?? 0));
  }
  return dead;
}

/**
 * The tombstone of a logout: it names every seen session, and those of earlier tombstones.
 * @param ids - the sessions that end, including those without a part.
 */
export function writeTombstone(
  ids: readonly string[],
  until: number,
  seen: readonly Seen[],
  now: number,
): Tombstone {
  const dead = new Map(ids.map((id) => [id, Infinity]));
  let end = until + LINGER;
  for (const { content, verdict } of seen) {
    if (!isPart(content)) {
      end = Math.max(end, content.until);
      continue;
    }
    dead.set(content.session.id, Infinity);
    // A node with a clock ahead could write a part that lives as long as those that were seen.
    if (verdict === "future") end = Math.max(end, endOf(content.session) + LINGER);
  }
  for (const [known, rev] of deadSessions(seen, now)) if (!dead.has(known)) dead.set(known, rev);
  return makeTombstone([...dead].slice(0, MAX_DEAD), end, now);
}

/** The tombstone of a barrier that brings the session's end forward: earlier epochs are dead. */
export function writeFence({ id, rev }: SessionPayload, until: number, now: number): Tombstone {
  return makeTombstone([[id, rev]], until + LINGER, now);
}

/** In whole seconds, rounded so that it never holds too briefly. */
function makeTombstone(dead: [string, number][], until: number, now: number): Tombstone {
  const at = Math.floor(now / SECOND) * SECOND;
  const end = Math.max(at + SECOND, Math.ceil(until / SECOND) * SECOND);
  return { at, until: end, dead: new Map(dead) };
}
