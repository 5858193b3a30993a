// The reference semantics of a store, pure: what a change does to what is stored. The memory
// store's body, the tests' oracle, and what a user's own store calls. It does no I/O.
import type { SavedSession, SessionChange, StoredSession } from "./contract.ts";

/** What became of a change. */
export interface AppliedChange {
  /** Whether the change was refused; then nothing has changed. */
  readonly refused: boolean;
  /** What the store keeps from now on; undefined: nothing. */
  readonly stored: StoredSession | undefined;
}

/**
 * Applies `change` to what a store holds (clauses S2 to S7 and S9 of the contract).
 * @param stored - what is there; undefined: nothing. An expired session counts as nothing.
 * @param now - Unix milliseconds by the store's own clock.
 */
export function applyChange(
  stored: StoredSession | undefined,
  change: SessionChange,
  now: number,
): AppliedChange {
  return applyUntil(stored, change, now, change.deadline);
}

/**
 * The same for a store that keeps the deadline apart: only `deadline` cuts `expires`.
 * @param isTransient - whether the answer is used up at once, and may hold the change's own map.
 */
export function applyUntil(
  stored: StoredSession | undefined,
  change: SessionChange,
  now: number,
  deadline: number,
  isTransient = false,
): AppliedChange {
  const live = stored !== undefined && stored.expires > now ? stored : undefined;
  if (change.op === "destroy") return { refused: false, stored: undefined };
  if (change.op === "create") {
    if (live !== undefined) return { refused: true, stored: live };
    const expires = Math.min(now + change.ttl, deadline);
    const created = { rev: 1, generation: 1, expires, meta: change.meta ?? "" };
    return {
      refused: false,
      stored: { data: nextData(undefined, change, isTransient), ...created },
    };
  }
  if (live === undefined || live.rev !== change.rev || !isAsExpected(live.data, change)) {
    return { refused: true, stored: live };
  }
  const barrier = change.clear === true || change.bump === true;
  const mayShrink = barrier || change.shrinks === true;
  const fenced = barrier || change.meta !== undefined || change.subject !== undefined;
  const renewed = now + change.ttl;
  return {
    refused: false,
    stored: {
      data: nextData(live.data, change, isTransient),
      rev: fenced ? live.rev + 1 : live.rev,
      generation: change.bump === true ? live.generation + 1 : live.generation,
      expires: Math.min(mayShrink ? renewed : Math.max(live.expires, renewed), deadline),
      meta: change.meta ?? live.meta,
    },
  };
}

/** What `save` answers for an applied change, under the key that it was given. */
export function toSaved(key: string, stored: StoredSession | undefined): SavedSession {
  return {
    key,
    rev: stored?.rev ?? 0,
    generation: stored?.generation ?? 0,
    expires: stored?.expires ?? 0,
  };
}

/** Whether each key that the change names in `expect` holds what it names (S9). */
function isAsExpected(data: ReadonlyMap<string, string>, { expect }: SessionChange): boolean {
  if (expect === undefined) return true;
  for (const [key, value] of expect) {
    if (data.get(key) !== value) return false;
  }
  return true;
}

function nextData(
  data: ReadonlyMap<string, string> | undefined,
  change: SessionChange,
  isTransient: boolean,
): ReadonlyMap<string, string> {
  if (change.clear === true || data === undefined) {
    return isTransient ? change.set : new Map(change.set);
  }
  const next = new Map(data);
  for (const key of change.del) next.delete(key);
  for (const [key, value] of change.set) next.set(key, value);
  return next;
}
