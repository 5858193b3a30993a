// The reference semantics of a store: the effect of a change on the stored session, as a pure function. The
// memory store, the tests and users' own stores call it. It does no I/O.
import { copyOf } from "../base/maps.ts";
import type { SavedSession, SessionChange, StoredSession } from "./contract.ts";

/** The result of a change. */
export interface AppliedChange {
  /** True if the change was refused; then nothing has changed. */
  readonly refused: boolean;
  /** The session that the store keeps from now on; undefined: none. */
  readonly stored: StoredSession | undefined;
}

/**
 * Applies `change` to a stored session (clauses S2 to S7 and S9 of the contract).
 * @param stored - the stored session; undefined: none. An expired session counts as none.
 * @param now - Unix milliseconds by the store's own clock.
 */
export function applyChange(
  stored: StoredSession | undefined,
  change: SessionChange,
  now: number,
): AppliedChange {
  const live = stored !== undefined && stored.expires > now ? stored : undefined;
  if (change.op === "destroy") return { refused: false, stored: undefined };
  const fences = change.meta !== undefined;
  const state = nextState(live, change, now, change.deadline, fences, false);
  if (state === undefined) return { refused: true, stored: live };
  const { generation, meta } = live ?? { generation: 1, meta: "" };
  return {
    refused: false,
    stored: {
      ...state,
      generation: live !== undefined && change.bump === true ? generation + 1 : generation,
      meta: change.meta ?? meta,
    },
  };
}

/** The part of a session that both kinds of stores keep, and that a change works on. */
export type SessionState = Pick<StoredSession, "data" | "rev" | "expires">;

/**
 * The state after a create or an update.
 * @param live - the state before; undefined: there is no live session.
 * @param deadline - the upper limit of `expires`, Unix milliseconds; Infinity: applied by the caller.
 * @param fences - true: the change raises `rev` even without a barrier or subject.
 * @param isTransient - true: the result is used at once, and may share the change's own map.
 * @returns undefined when the change is refused.
 */
export function nextState(
  live: SessionState | undefined,
  change: Omit<SessionChange, "meta">,
  now: number,
  deadline: number,
  fences: boolean,
  isTransient: boolean,
): SessionState | undefined {
  const isCreate = change.op === "create";
  const applies =
    live === undefined
      ? isCreate
      : !isCreate && live.rev === change.rev && isAsExpected(live, change);
  if (!applies) return undefined;
  const data = nextData(live?.data, change, isTransient);
  const renewed = now + change.ttl;
  if (live === undefined) return { data, rev: 1, expires: Math.min(renewed, deadline) };
  const barrier = change.clear === true || change.bump === true;
  const mayShrink = barrier || change.shrinks === true;
  return {
    data,
    rev: barrier || fences || change.subject !== undefined ? live.rev + 1 : live.rev,
    expires: Math.min(mayShrink ? renewed : Math.max(live.expires, renewed), deadline),
  };
}

/** The change that ends a session. */
export function endingChange(): SessionChange {
  return { op: "destroy", set: new Map(), del: [], ttl: 0, deadline: Infinity };
}

/** True for an update that does nothing except move the session's end. */
export function isRenewal({
  op,
  set,
  del,
  clear,
  bump,
  expect,
  meta,
  subject,
}: SessionChange): boolean {
  const isPlain = clear !== true && bump !== true && expect === undefined;
  const isSilent = meta === undefined && subject === undefined;
  return op === "update" && isPlain && isSilent && set.size === 0 && del.length === 0;
}

/** True for a change that raises `rev` (S5). */
export function isFenced({ clear, bump, meta, subject }: SessionChange): boolean {
  return clear === true || bump === true || meta !== undefined || subject !== undefined;
}

/** True for a change that may bring the end forward (S6). */
export function mayEndSooner({ clear, bump, shrinks }: SessionChange): boolean {
  return clear === true || bump === true || shrinks === true;
}

/** What `save` answers for an applied change. */
export function toSaved(stored: StoredSession | undefined): SavedSession {
  return {
    rev: stored?.rev ?? 0,
    generation: stored?.generation ?? 0,
    expires: stored?.expires ?? 0,
  };
}

/** True if each key in the change's `expect` has the expected value (S9). */
function isAsExpected({ data }: SessionState, { expect }: Pick<SessionChange, "expect">): boolean {
  if (expect === undefined) return true;
  for (const [key, value] of expect) {
    if (data.get(key) !== value) return false;
  }
  return true;
}

function nextData(
  data: ReadonlyMap<string, string> | undefined,
  change: Omit<SessionChange, "meta">,
  isTransient: boolean,
): ReadonlyMap<string, string> {
  if (change.clear === true || data === undefined) {
    return isTransient ? change.set : new Map(change.set);
  }
  const next = copyOf(data);
  for (const key of change.del) next.delete(key);
  for (const [key, value] of change.set) next.set(key, value);
  return next;
}
