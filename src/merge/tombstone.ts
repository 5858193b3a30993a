// What a logout leaves among merging cookies, so that a write that is still under way doesn't bring
// its session back (claim C5 of docs/merging-cookies.md). It knows no seal and no cookie attribute.
import { SECOND } from "../base/time.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { isPart, type Seen, type Tombstone } from "./part.ts";
import { endOf } from "../cookie/state.ts";

/** Milliseconds in which a request that was under way at a logout has come and gone. */
export const LINGER: number = 3600 * SECOND;
/** Dead sessions that one tombstone names: who logs out more often in a row is no browser. */
const MAX_DEAD = 16;

/** Which `rev` an epoch needs to be alive, by session id, as the living tombstones say. */
export function deadSessions(seen: readonly Seen[], now: number): Map<string, number> {
  const dead = new Map<string, number>();
  for (const { content } of seen) {
    if (isPart(content) || content.until <= now) continue;
    for (const [id, rev] of content.dead) dead.set(id, Math.max(rev, dead.get(id) ?? 0));
  }
  return dead;
}

/**
 * The tombstone of a logout: every session that was seen is dead, and those that were already.
 * @param ids - the sessions that end, those without a part too.
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
    // A write of the node whose clock is ahead could live as long as what was seen of it.
    if (verdict === "future") end = Math.max(end, endOf(content.session) + LINGER);
  }
  for (const [known, rev] of deadSessions(seen, now)) if (!dead.has(known)) dead.set(known, rev);
  return makeTombstone([...dead].slice(0, MAX_DEAD), end, now);
}

/** The tombstone of a barrier after which the session ends earlier: the epochs before it are dead. */
export function writeFence({ id, rev }: SessionPayload, until: number, now: number): Tombstone {
  return makeTombstone([[id, rev]], until + LINGER, now);
}

/** In whole seconds, rounded so that it holds for no less than it should. */
function makeTombstone(dead: [string, number][], until: number, now: number): Tombstone {
  const at = Math.floor(now / SECOND) * SECOND;
  const end = Math.max(at + SECOND, Math.ceil(until / SECOND) * SECOND);
  return { at, until: end, dead: new Map(dead) };
}
