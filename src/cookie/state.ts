// A sealed session's numbers, and what a change does to them by the reference semantics. It knows
// no cookie and no seal.
import { nextState } from "../store/change.ts";
import { SECOND } from "../base/time.ts";
import { mintSelector } from "../store/selector.ts";
import type { OpenedSession, SealedChange } from "../store/contract.ts";
import type { SessionPayload } from "../crypto/payload.ts";

/**
 * The payload with the change applied, by the reference semantics, to be sealed at once: it may hold
 * the change's own map. undefined: refused.
 */
export function applyToPayload(
  opened: OpenedSession | undefined,
  change: SealedChange,
  now: number,
): SessionPayload | undefined {
  // Idle end and deadline are sealed apart, so the change works only on the idle end.
  const live =
    opened !== undefined && opened.expires > now
      ? { data: opened.data, rev: opened.rev, expires: opened.idleExpires }
      : undefined;
  // A lifetime of its own raises `rev`, as it does in a row: otherwise an older state with a later
  // idle end would pass for the newer one.
  const fences = change.cookieExpires !== undefined || change.sessionExpires !== undefined;
  const state = nextState(live, change, now, Infinity, fences, true);
  if (state === undefined) return undefined;
  return {
    id: opened?.id ?? change.id ?? mintSelector(),
    rev: state.rev,
    created: opened?.created ?? Math.floor(now / SECOND) * SECOND,
    issued: now,
    idleExpires: state.expires,
    deadline: change.deadline,
    subject: change.subject === undefined ? opened?.subject : (change.subject ?? undefined),
    boundAt: boundAtOf(opened, change, now),
    credential: change.credential ?? opened?.credential,
    cookieExpires: change.cookieExpires ?? opened?.cookieExpires,
    sessionExpires: (change.sessionExpires ?? opened?.sessionExpires) || undefined,
    data: state.data,
  };
}

/**
 * The instant of the binding. Binding again to the same subject is no login and keeps the instant;
 * otherwise a revocation that this node doesn't know yet would miss the session. With a regenerate it is
 * a login, and its instant never earlier than the old one, even if the clock was put back.
 */
function boundAtOf(
  opened: OpenedSession | undefined,
  { subject, bump, boundAt }: SealedChange,
  now: number,
): number | undefined {
  const before = opened?.boundAt;
  if (typeof subject !== "string") return before;
  const instant = boundAt ?? now;
  if (before === undefined || opened?.subject !== subject) return instant;
  return bump === true ? Math.max(before, instant) : before;
}

/**
 * The session of a payload. The fields are spelled out, since spreading costs more, at every request.
 */
export function toOpened(payload: SessionPayload, names: readonly string[]): OpenedSession {
  return {
    id: payload.id,
    credential: payload.credential,
    rev: payload.rev,
    created: payload.created,
    issued: payload.issued,
    idleExpires: payload.idleExpires,
    deadline: payload.deadline,
    subject: payload.subject,
    boundAt: payload.boundAt,
    cookieExpires: payload.cookieExpires,
    sessionExpires: payload.sessionExpires,
    data: payload.data,
    expires: endOf(payload),
    names,
  };
}

/** Unix milliseconds of the end; Infinity: none. */
export function endOf(payload: SessionPayload): number {
  return Math.min(payload.idleExpires, payload.deadline);
}

/** Of several cookies the one that was created last wins; of one session its latest state. */
export function newest(one: SessionPayload | undefined, other: SessionPayload): SessionPayload {
  return one === undefined || isNewer(other, one) ? other : one;
}

/** True if `one` was created later, or is a later state of the same session. */
export function isNewer(one: SessionPayload, other: SessionPayload): boolean {
  if (one.created !== other.created) return one.created > other.created;
  if (one.rev !== other.rev) return one.rev > other.rev;
  if (one.idleExpires !== other.idleExpires) return one.idleExpires > other.idleExpires;
  // Without an idle end the instant of the write is sealed instead.
  return one.issued > other.issued;
}
