// Merging cookies, pure: joins the parts of a request into its session, and makes the part that its
// response writes. docs/merging-cookies.md is the argument; the rules there and here have the same numbers.
// It knows no token, no cookie attribute and no clock.
import { encodeBase64url, encodeUtf8, sha256 } from "#crypto";
import { SECOND } from "../base/time.ts";
import type { RejectedReason } from "../events.ts";
import type { RevocationVerdict, SealedChange } from "../store/contract.ts";
import { utf8Length } from "../base/text.ts";
import { compareKeys } from "../crypto/pairs.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { type Entry, isPart, type Part, type Seen, SUFFIX_BYTES } from "./part.ts";
import { deadSessions, LINGER } from "./tombstone.ts";

/** The joined parts of one epoch. */
export type State = Omit<Part, "covers">;

/** The joined parts of a request. */
export interface Joined extends State {
  /** All parts that the request carried, including dead ones and tombstones. */
  readonly seen: readonly Seen[];
}

/** The changes of a response to the browser's parts. */
export interface PartWrite {
  readonly suffix: string;
  readonly part: Part;
  /** The suffixes to expire. */
  readonly expire: readonly string[];
}

/** Random bytes. */
export type Random = (length: number) => Uint8Array;

/** How long a response may be on its way to the browser, in milliseconds, before marks that it doesn't know are dropped. */
export const LATE: number = 600 * SECOND;
/** The most bytes of marks; over it, the oldest are dropped early. */
const MAX_MARK_BYTES = 1024;
const NONCE_BYTES = 16;
/** Stamps count from here, so that their milliseconds and ties fit 53 bits until 2094. */
const STAMPS_BEGIN = Date.UTC(2025, 0, 1);
/** The stamps of one millisecond, which order its writes. */
const TIES = 4096;
/** The stamp of entries from before the session had parts. */
const UNSTAMPED = 0;

/**
 * Join: the session of the newest live session's parts.
 * @param verdict - undefined: joins live parts; "grace": those in their grace.
 * @param rejected - gets the reason for each part that doesn't count and wasn't reported yet.
 */
export function joinParts(
  seen: readonly Seen[],
  verdict: RevocationVerdict | undefined,
  now: number,
  rejected: (reason: RejectedReason) => void,
): Joined | undefined {
  const dead = deadSessions(seen, now);
  const sessions = new Map<string, Part[]>();
  const meant = seen.filter((one) => one.verdict === verdict);
  for (const one of meant) {
    const { content } = one;
    if (!isPart(content)) continue;
    const { id } = content.session;
    // Rule 1.
    if (isDead(one, dead)) rejected("retired");
    else sessions.set(id, [...(sessions.get(id) ?? []), content]);
  }
  let best: State | undefined;
  for (const parts of sessions.values()) {
    const state = joinStates(parts);
    // Rule 5.
    if (Math.min(state.session.idleExpires, state.session.deadline) <= now) rejected("expired");
    else if (best === undefined || isNewer(state, best)) best = state;
  }
  if (best === undefined) return undefined;
  const joined = { ...best, seen };
  for (const one of meant) if (!isDead(one, dead) && isLost(one, joined)) rejected("retired");
  return joined;
}

/** Rules 2 to 4, for parts of one session. */
export function joinStates(parts: readonly State[]): State {
  const epoch = parts.reduce((one, other) => (compareEpochs(one, other) < 0 ? other : one));
  const live = parts.filter((part) => compareEpochs(part, epoch) === 0);
  const floor = Math.max(...live.map((part) => part.floor));
  const entries = new Map<string, Entry>();
  for (const part of live) {
    for (const [key, entry] of part.entries) {
      if (part.floor < floor && entry.stamp <= floor) continue;
      const known = entries.get(key);
      if (known === undefined || isLater(entry, known)) entries.set(key, entry);
    }
  }
  const all = live.map(({ session }) => session);
  const session = {
    ...epoch.session,
    created: Math.min(...all.map(({ created }) => created)),
    issued: Math.max(...all.map(({ issued }) => issued)),
    idleExpires: Math.max(...all.map(({ idleExpires }) => idleExpires)),
    deadline: Math.min(...all.map(({ deadline }) => deadline)),
    data: dataOf(entries),
  };
  return { session, nonce: epoch.nonce, floor, entries };
}

/** A session without parts, as if it had one. */
export function joinWhole(session: SessionPayload, seen: readonly Seen[]): Joined {
  const entries = new Map<string, Entry>();
  for (const [key, value] of session.data) entries.set(key, { value, stamp: UNSTAMPED });
  return { session, nonce: "", floor: UNSTAMPED, entries, seen };
}

/**
 * Write: the part of a response.
 * @param joined - undefined for a new session.
 * @param seen - all parts that the request carried.
 * @param next - the session with the change applied; a higher `rev` begins an epoch.
 */
export function writePart(
  joined: Joined | undefined,
  seen: readonly Seen[],
  next: SessionPayload,
  { set, del }: Pick<SealedChange, "set" | "del">,
  now: number,
  random: Random,
): PartWrite {
  const isBarrier = joined !== undefined && joined.session.rev !== next.rev;
  const before = isBarrier ? undefined : joined;
  const highest = joined === undefined ? 0 : highestStamp(joined);
  const stamp = nextStamp(highest, now, random);
  const entries = new Map<string, Entry>(before?.entries);
  for (const key of del) if (entries.has(key)) entries.set(key, { value: undefined, stamp });
  // A new epoch has one stamp, and needs no marks.
  for (const [key, value] of before === undefined ? next.data : set) {
    entries.set(key, { value, stamp });
  }
  const floor = before === undefined ? UNSTAMPED : dropMarks(entries, before.floor, highest, stamp);
  const sorted = new Map([...entries].toSorted(([one], [other]) => compareKeys(one, other)));
  const session = { ...next, data: dataOf(sorted) };
  const covers = seen
    .filter(({ content }) => isPart(content) && content.session.id === next.id)
    .map((one) => one.suffix)
    .toSorted();
  const isRenewal = before !== undefined && covers.length > 0 && set.size === 0 && del.length === 0;
  const isRegenerated = next.credential !== joined?.session.credential;
  return {
    suffix: isRenewal ? renewalSuffix(session, seen) : freshSuffix(seen, random),
    part: {
      session,
      nonce:
        isBarrier && !isRegenerated ? encodeBase64url(random(NONCE_BYTES)) : (before?.nonce ?? ""),
      floor,
      entries: sorted,
      covers,
    },
    expire: seen
      .filter((one) => (isBarrier && isPart(one.content)) || isSpent(one, joined, highest))
      .map((one) => one.suffix),
  };
}

/** Six characters for a new cookie. */
export function freshSuffix(seen: readonly Seen[], random: Random): string {
  const suffix = encodeBase64url(random(SUFFIX_BYTES));
  return seen.some((one) => one.suffix === suffix) ? freshSuffix(seen, random) : suffix;
}

/** Write rule 7: a hash of the carried parts and the new end, so that equal renewals get one suffix. */
function renewalSuffix({ idleExpires, issued }: SessionPayload, seen: readonly Seen[]): string {
  const ends = [idleExpires, issued].map((instant) => Math.ceil(instant / SECOND));
  const names = seen.map(({ suffix }) => suffix).toSorted();
  const digest = sha256(encodeUtf8([...names, ...ends].join()));
  return encodeBase64url(digest.subarray(0, SUFFIX_BYTES));
}

function isDead({ content }: Seen, dead: ReadonlyMap<string, number>): boolean {
  return isPart(content) && content.session.rev < (dead.get(content.session.id) ?? 0);
}

/** Write rule 2: true for a cookie that may be expired. */
function isSpent({ suffix, content }: Seen, joined: Joined | undefined, highest: number): boolean {
  // A new session: no part belongs to a live one; tombstones stay.
  if (joined === undefined) return isPart(content);
  // C5: a seen write of this session came well after the logout, so no late write is left.
  if (!isPart(content)) return millisecondsOf(highest) > content.at + LINGER;
  return !counts(content, joined) || isCovered(suffix, joined);
}

/** True for a refused write: a part from before a barrier that the barrier didn't see. */
function isLost({ suffix, content }: Seen, joined: Joined): boolean {
  if (!isPart(content) || content.session.id !== joined.session.id) return false;
  return !counts(content, joined) && !isCovered(suffix, joined);
}

function counts(part: Part, joined: Joined): boolean {
  return part.session.id === joined.session.id && compareEpochs(part, joined) === 0;
}

function isCovered(suffix: string, joined: Joined): boolean {
  return joined.seen.some(
    ({ content }) => isPart(content) && content.covers.includes(suffix) && counts(content, joined),
  );
}

function compareEpochs(one: State, other: State): number {
  if (one.session.rev !== other.session.rev) return one.session.rev - other.session.rev;
  const [left, right] = [barrierOf(one), barrierOf(other)];
  return Number(left > right) - Number(left < right);
}

/** Identifies the epoch among barriers of one `rev`: a new credential is as random as a nonce. */
function barrierOf({ nonce, session }: State): string {
  return `${nonce} ${session.credential ?? ""}`;
}

/** A total order of a key's states: by stamp; at one stamp a deletion is the latest. */
function isLater(one: Entry, other: Entry): boolean {
  if (one.stamp !== other.stamp) return one.stamp > other.stamp;
  if (one.value === undefined || other.value === undefined) return other.value !== undefined;
  return one.value > other.value;
}

function isNewer({ session: one }: State, { session: other }: State): boolean {
  return one.created === other.created ? one.id > other.id : one.created > other.created;
}

function dataOf(entries: ReadonlyMap<string, Entry>): Map<string, string> {
  const data = new Map<string, string>();
  for (const [key, { value }] of entries) if (value !== undefined) data.set(key, value);
  return data;
}

function highestStamp({ entries, floor }: State): number {
  let highest = floor;
  for (const { stamp } of entries.values()) highest = Math.max(highest, stamp);
  return highest;
}

/** Write rule 1. */
function nextStamp(highest: number, now: number, random: Random): number {
  const milliseconds = Math.max(now - STAMPS_BEGIN, Math.floor(highest / TIES) + 1);
  const [high = 0, low = 0] = random(2);
  return milliseconds * TIES + (((high << 8) | low) % TIES);
}

/** Unix milliseconds. */
function millisecondsOf(stamp: number): number {
  return STAMPS_BEGIN + Math.floor(stamp / TIES);
}

/** Write rule 5: drops marks; gives the new floor. */
function dropMarks(
  entries: Map<string, Entry>,
  floor: number,
  highest: number,
  own: number,
): number {
  const marks = [...entries].filter(([, { value }]) => value === undefined);
  let bytes = marks.reduce((sum, [key]) => sum + utf8Length(key), 0);
  let next = floor;
  for (const [key, { stamp }] of marks.toSorted(([, one], [, other]) => one.stamp - other.stamp)) {
    // ORDER: by the carried parts, not by the clock: a slow request must not drop marks of writes that
    // happened while it ran.
    const isOld = millisecondsOf(highest) - millisecondsOf(stamp) > LATE;
    if (!isOld && (bytes <= MAX_MARK_BYTES || stamp === own)) break;
    entries.delete(key);
    bytes -= utf8Length(key);
    next = Math.max(next, stamp);
  }
  return next;
}
