// The plain log that the model check compares with: the writes, the view of each write's request, and so the
// content that a set of cookies must have. It uses stamps only for the losses that a floor excuses.
import type { Part, Tombstone } from "../../../src/merge/part.ts";
import { MAX_SKEW } from "../../../src/base/time.ts";
import { partOf } from "./servers.ts";

/** One write of the log. */
export interface LoggedWrite {
  /** Its own bit in a set of writes. */
  readonly bit: bigint;
  /** The new value of each touched key; undefined: removed. */
  readonly effects: ReadonlyMap<string, string | undefined>;
  /** The writes that its request saw, in bits. */
  readonly seen: bigint;
  readonly stamp: number;
}

/** A sent cookie, with its content by the log. */
export interface LoggedCookie {
  readonly name: string;
  readonly value: string;
  readonly content: Part | Tombstone;
  /** The writes that it holds, in bits; 0 for a tombstone. */
  readonly holds: bigint;
}

/** The content that the cookies of a request must have. */
export interface Expected {
  readonly id: string;
  readonly rev: number;
  readonly epoch: string;
  readonly created: number;
  /** The parts that count. */
  readonly parts: readonly (Part & { readonly holds: bigint })[];
  /** The writes that these hold together. */
  readonly holds: bigint;
}

/** The epoch of a part, as text that orders as epochs of one `rev` do. */
export function epochOf({ session, nonce }: Part): string {
  return `${session.id} ${session.rev} ${nonce} ${session.credential ?? ""}`;
}

/** The session and epoch of the cookies, with the writes that they hold; undefined: none. */
export function expectSession(cookies: readonly LoggedCookie[], now: number): Expected | undefined {
  const dead = new Map<string, number>();
  const sessions = new Map<string, (Part & { holds: bigint })[]>();
  for (const { content } of cookies) {
    if ("dead" in content && content.until > now) {
      for (const [id, rev] of content.dead) dead.set(id, Math.max(rev, dead.get(id) ?? 0));
    }
  }
  for (const { content, holds } of cookies) {
    const part = partOf(content);
    if (part === undefined || part.session.created > now + MAX_SKEW) continue;
    const { id, rev } = part.session;
    if (rev < (dead.get(id) ?? 0)) continue;
    sessions.set(id, [...(sessions.get(id) ?? []), { ...part, holds }]);
  }
  const candidates = [...sessions].flatMap(([id, parts]): Expected[] => {
    const rev = Math.max(...parts.map(({ session }) => session.rev));
    const epochs = parts.filter(({ session }) => session.rev === rev).map(epochOf);
    const epoch = epochs.toSorted().at(-1) ?? "";
    const live = parts.filter((part) => epochOf(part) === epoch);
    if (Math.max(...live.map(({ session }) => session.idleExpires)) <= now) return [];
    const holds = live.reduce((sum, part) => sum | part.holds, 0n);
    return [{ id, rev, epoch, created: live[0]?.session.created ?? 0, parts: live, holds }];
  });
  return candidates.toSorted((one, other) =>
    one.created === other.created
      ? Number(one.id < other.id) - Number(one.id > other.id)
      : other.created - one.created,
  )[0];
}

/** The reason that a key's value can't result from the writes; undefined: it can. */
export function faultOf(
  key: string,
  value: string | undefined,
  holds: bigint,
  log: readonly LoggedWrite[],
): string | undefined {
  const own = log.filter(({ bit, effects }) => (holds & bit) !== 0n && effects.has(key));
  const last = own.filter(({ bit }) => !own.some(({ seen }) => (seen & bit) !== 0n));
  return unlessOneOf(
    key,
    value,
    last.map(({ effects }) => effects.get(key)),
  );
}

/** The writes of the parts that count: those past the floor, or held by a part with the floor. */
export function keptBeyondMarks(expected: Expected, log: readonly LoggedWrite[]): bigint {
  const floor = floorOf(expected);
  let kept = 0n;
  for (const part of expected.parts) if (part.floor === floor) kept |= part.holds;
  for (const { bit, stamp } of log) if (stamp > floor) kept |= bit & expected.holds;
  return kept;
}

/** The writes at or before the floor, whose deletions no mark records any more. */
export function beforeFloor(expected: Expected, log: readonly LoggedWrite[]): bigint {
  const floor = floorOf(expected);
  return log.reduce((sum, { bit, stamp }) => (stamp <= floor ? sum | bit : sum), 0n);
}

function floorOf({ parts }: Expected): number {
  return Math.max(...parts.map((part) => part.floor));
}

/**
 * The same if marks may have been dropped too early, except for the losses that the documentation excuses:
 * a write at or before the floor that no part with that floor holds, and a deletion at or before the floor,
 * so that the deleted entry is back. Nothing else may be lost.
 */
export function faultBeyondMarks(
  key: string,
  value: string | undefined,
  expected: Expected,
  log: readonly LoggedWrite[],
): string | undefined {
  const floor = floorOf(expected);
  const kept = keptBeyondMarks(expected, log);
  const own = log.filter(({ bit, effects }) => (kept & bit) !== 0n && effects.has(key));
  const isForgotten = ({ effects, stamp }: LoggedWrite): boolean =>
    effects.get(key) === undefined && stamp <= floor;
  const last = own.filter(
    ({ bit }) => !own.some((later) => (later.seen & bit) !== 0n && !isForgotten(later)),
  );
  return unlessOneOf(
    key,
    value,
    last.map(({ effects }) => effects.get(key)),
  );
}

function unlessOneOf(
  key: string,
  value: string | undefined,
  allowed: readonly (string | undefined)[],
): string | undefined {
  if (allowed.length === 0 ? value === undefined : allowed.includes(value)) return undefined;
  return `${key} is ${value ?? "absent"}, not ${allowed.map(String).join(" or ") || "absent"}`;
}
