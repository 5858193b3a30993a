// What one request saves into a row, kept apart from the row that it was made from: where only the
// engine's notes have changed since, it is made again for what is there now. It knows no store call.
import type { Binding } from "../binding.ts";
import { type ConfiguredLifetime, idleOf, type Lifetime } from "../lifetime.ts";
import { encodeMeta, type SessionMeta } from "./meta.ts";
import type { SessionChange } from "../../store/contract.ts";

/** A request's change, whichever row it goes to. */
export interface RowUpdate {
  readonly clear: boolean;
  readonly bump: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly del: readonly string[];
  /** Milliseconds; 0: no renewal. */
  readonly ttl: number;
  /** Whose session it is from then on; undefined: unchanged. */
  readonly binding: Binding | undefined;
  /** What the session has chosen of its own life; undefined: unchanged. */
  readonly lifetime: Lifetime | undefined;
  /** What keys must hold, or the update is a mismatch; undefined: whatever they hold. */
  readonly expect: ReadonlyMap<string, string | undefined> | undefined;
  /** What keys held when they were read; another value is told, and overwritten. */
  readonly premises: ReadonlyMap<string, string | undefined> | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** A row, as far as an update looks at it. */
interface Row {
  readonly rev: number;
  readonly notes: SessionMeta;
}

/** The notes after the update; the same object: it doesn't touch them. */
export function notesAfter(
  notes: SessionMeta,
  update: Pick<RowUpdate, "clear" | "bump" | "binding" | "lifetime" | "now">,
): SessionMeta {
  const { clear, bump, binding, lifetime, now } = update;
  if (!clear && !bump && binding === undefined && lifetime === undefined) return notes;
  return {
    ...notes,
    ...((clear || bump) && { barriers: notes.barriers + 1 }),
    ...(bump && { barrierAt: now }),
    // Never the same twice: by it one binding is told from another.
    ...(binding !== undefined && {
      subject: binding.subject,
      boundAt: Math.max(now, notes.boundAt + 1),
    }),
    ...(binding?.label !== undefined && { label: binding.label }),
    ...(lifetime !== undefined && {
      cookieExpires: lifetime.cookieExpires,
      sessionExpires: lifetime.sessionExpires,
    }),
  };
}

/** The update as a change of this row. */
export function toChange(row: Row, update: RowUpdate, notes: SessionMeta): SessionChange {
  const { clear, bump, set, del, ttl, binding, lifetime, expect, premises } = update;
  const isConditional = expect !== undefined || (premises?.size ?? 0) > 0;
  return {
    op: "update",
    rev: row.rev,
    ...(isConditional && { expect: new Map([...(premises ?? []), ...(expect ?? [])]) }),
    ...(clear && { clear }),
    ...(bump && { bump }),
    ...(lifetime !== undefined && { shrinks: true }),
    set,
    del,
    ttl,
    deadline: notes.deadline,
    ...(notes !== row.notes && { meta: encodeMeta(notes) }),
    ...(binding !== undefined && { subject: binding.subject }),
  };
}

/** The keys that hold something else by now than was expected of them. */
export function keysThatDiffer(
  expected: RowUpdate["expect"],
  data: ReadonlyMap<string, string>,
): string[] {
  return [...(expected ?? [])].flatMap(([key, value]) => (data.get(key) === value ? [] : [key]));
}

/**
 * Whether an update that was refused for its `rev` may go to the row as it is now: the notes have
 * changed, but no barrier came between (law L3), and of two bindings the later one is refused.
 */
export function mayResend(update: RowUpdate, before: Row, now: Row): boolean {
  if (now.rev === before.rev || now.notes.barriers !== before.notes.barriers) return false;
  return update.binding === undefined || now.notes.boundAt === before.notes.boundAt;
}

/**
 * The update with the renewal that the row's notes allow: somebody else may have chosen a shorter idle
 * timeout meanwhile, and no later renewal would shorten a longer one.
 */
export function renewedFor(
  notes: SessionMeta,
  update: RowUpdate,
  configured: ConfiguredLifetime,
): RowUpdate {
  if (update.ttl === 0 || update.lifetime !== undefined) return update;
  return { ...update, ttl: idleOf(notes, configured) };
}
