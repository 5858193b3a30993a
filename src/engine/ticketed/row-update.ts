// One request's update of a row, independent of the row's notes: if only those have changed since the
// load, the change is made again for the newer row. It knows no store call.
import type { Binding } from "../binding.ts";
import { type ConfiguredLifetime, idleOf, type Lifetime } from "../lifetime.ts";
import { encodeMeta, type SessionMeta } from "./meta.ts";
import type { SessionChange } from "../../store/contract.ts";

/** A request's update, independent of the row's notes. */
export interface RowUpdate {
  readonly clear: boolean;
  readonly bump: boolean;
  readonly set: ReadonlyMap<string, string>;
  readonly del: readonly string[];
  /** Milliseconds; 0: no renewal. */
  readonly ttl: number;
  /** The new binding; undefined: unchanged. */
  readonly binding: Binding | undefined;
  /** The newly chosen lifetime; undefined: unchanged. */
  readonly lifetime: Lifetime | undefined;
  /** The values that keys must have, or the update is a mismatch; undefined: any. */
  readonly expect: ReadonlyMap<string, string | undefined> | undefined;
  /** The values that keys had when they were read; another value is reported, and overwritten. */
  readonly premises: ReadonlyMap<string, string | undefined> | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The part of a row that an update depends on. */
interface Row {
  readonly rev: number;
  readonly notes: SessionMeta;
}

/** The notes after the update; the same object if it doesn't change them. */
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
    // Never the same twice, since it distinguishes one binding from another.
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

/** The update, as a change of this row. */
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

/** The keys whose values differ from the expected ones. */
export function keysThatDiffer(
  expected: RowUpdate["expect"],
  data: ReadonlyMap<string, string>,
): string[] {
  return [...(expected ?? [])].flatMap(([key, value]) => (data.get(key) === value ? [] : [key]));
}

/**
 * True if an update that was refused for its `rev` may be applied to the current row: only the notes have
 * changed, without a barrier (law L3), and of two bindings the later one is refused.
 */
export function mayResend(update: RowUpdate, before: Row, now: Row): boolean {
  if (now.rev === before.rev || now.notes.barriers !== before.notes.barriers) return false;
  return update.binding === undefined || now.notes.boundAt === before.notes.boundAt;
}

/**
 * The update with a renewal by the row's notes: another request may have chosen a shorter idle timeout
 * meanwhile, and no later renewal would shorten a longer one.
 */
export function renewedFor(
  notes: SessionMeta,
  update: RowUpdate,
  configured: ConfiguredLifetime,
): RowUpdate {
  if (update.ttl === 0 || update.lifetime !== undefined) return update;
  return { ...update, ttl: idleOf(notes, configured) };
}
