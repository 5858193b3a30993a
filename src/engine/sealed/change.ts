// The change that a sealed session's response carries: all saves of one request, composed into one
// change of the session that the request brought. It knows no cookie and no list.
import type { Binding } from "../binding.ts";
import type { Draft } from "../draft.ts";
import { isSameLifetime, type Lifetime, longestIdle, noLifetime } from "../lifetime.ts";
import { composeChanges, type RecordedChange } from "../map.ts";
import type { OpenedSession, SealedChange } from "../../store/contract.ts";

/** A change under construction. */
type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** The saves of a request, relative to the session that it brought. */
export interface SealedSave {
  readonly change: RecordedChange;
  /** True if the credential is replaced. */
  readonly bump: boolean;
  readonly binding: Binding | undefined;
  /** True if the session is kept even while it is empty. */
  readonly isStarted: boolean;
  /** The lifetime that the session chose; undefined: unchanged. */
  readonly lifetime: Lifetime | undefined;
}

/** The earlier saves and the draft, as one. */
export function composeSaves(
  before: SealedSave | undefined,
  { map, binding, lifetime, isStarted }: Draft,
  opened: OpenedSession | undefined,
  bump: boolean,
): SealedSave {
  return {
    change: before === undefined ? map.change : composeChanges(before.change, map.change),
    bump: bump || before?.bump === true,
    binding: binding ?? before?.binding,
    isStarted: isStarted || before?.isStarted === true,
    lifetime: isSameLifetime(lifetime, opened ?? noLifetime) ? undefined : lifetime,
  };
}

/** True if anything was saved beside a new credential. */
export function hasChange({ change, binding, lifetime }: SealedSave): boolean {
  const { clear, set, del } = change;
  return clear || set.size > 0 || del.length > 0 || binding !== undefined || lifetime !== undefined;
}

/**
 * The change for a sealed store.
 * @param opened - the changed session; undefined: a new one, with the handle `id`.
 */
export function toSealedChange(
  { change, bump, binding, lifetime }: SealedSave,
  opened: OpenedSession | undefined,
  id: string,
  ttl: number,
  deadline: number,
): Writable<SealedChange> {
  const { clear, set, del } = change;
  // Field by field: this runs for every write, and spreading rare fields costs more.
  const sealed: Writable<SealedChange> = { op: "update", set, del, ttl, deadline };
  if (opened === undefined) {
    sealed.op = "create";
    sealed.id = id;
  } else {
    sealed.rev = opened.rev;
    if (clear) sealed.clear = true;
    if (bump) sealed.bump = true;
  }
  if (binding !== undefined) sealed.subject = binding.subject;
  if (lifetime !== undefined) {
    const { cookieExpires, sessionExpires = 0 } = lifetime;
    sealed.shrinks = true;
    if (cookieExpires !== undefined) sealed.cookieExpires = cookieExpires;
    sealed.sessionExpires = sessionExpires;
  }
  return sealed;
}

/** The end of sessions, with the longest life of a write that races with it. */
export function toSealedEnd(sessions: readonly OpenedSession[], draft: Draft): SealedChange {
  const ends = sessions.map(({ foreign, deadline }) =>
    foreign === true ? draft.deadline : deadline,
  );
  const deadline = ends.length === 0 ? draft.deadline : Math.max(...ends);
  const ttl = longestIdle(draft.lifetime, draft.config);
  return { op: "destroy", set: new Map(), del: [], ttl, deadline };
}
