// The merging half of a cookie store: opens a request's parts and tombstones, joins them into its
// session, and seals the response's cookies. The rules themselves are in join.ts.
import { randomBytes } from "#crypto";
import { MAX_COOKIE_AGE, SECOND } from "../base/time.ts";
import { findLargestKeys } from "../base/text.ts";
import {
  type Cookie,
  isOpened,
  type OpenedSession,
  type RevocationVerdict,
  type SealedChange,
  type SealedContext,
  type SealedCookie,
  type SealedRemains,
  type SealedWrite,
  sessionsOf,
} from "../store/contract.ts";
import type { RejectedReason } from "../events.ts";
import type { CookieKeyring } from "../crypto/keyring.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { MAX_COOKIE_BYTES, openToken, sealToken, tokenLength } from "../crypto/token.ts";
import { LimitError } from "../errors.ts";
import type { MergingHalf, WholeSessions } from "../cookie/merging.ts";
import { endableSessions } from "../cookie/others.ts";
import { freshSuffix, type Joined, joinParts, joinWhole, writePart } from "./join.ts";
import { VerifiedTexts } from "../crypto/verified.ts";
import {
  decodePart,
  encodePart,
  encodeTombstone,
  isPart,
  type Part,
  type Seen,
  suffixOf,
  type Tombstone,
} from "./part.ts";
import { applyToPayload, isNewer, toOpened } from "../cookie/state.ts";
import { deadSessions, writeFence, writeTombstone } from "./tombstone.ts";

/** Keys and values of a merging session, in bytes: it is sent twice and more. */
export const MAX_MERGING_BYTES = 1536;
/** The most bytes of parts in a Cookie header; over it, one part replaces them all. */
export const MAX_PARTS_BYTES = 8192;
/** The most cookies that one response expires: each takes over 100 bytes, and proxies limit headers. */
const MAX_EXPIRED = 16;
/** The bytes of a cookie in a header beside its name and value: "=" and "; ". */
const SEPARATORS = 3;

/** About the bytes of an opened part's entry beside its text. */
const ENTRY_BYTES = 150;

/** A session that a merging store opened. */
interface MergingSession extends OpenedSession {
  readonly joined: Joined;
}

/** The remains that a merging store found without a live session. */
interface MergingRemains extends SealedRemains {
  readonly seen: readonly Seen[];
}

/** The parts and tombstones of one cookie store. */
export class MergingCookies implements MergingHalf {
  readonly #ring: CookieKeyring;
  readonly #verified: VerifiedTexts<Part | Tombstone>;

  /** @param verifiedBytes - the most bytes of memory for remembered cookies. */
  constructor(ring: CookieKeyring, verifiedBytes: number) {
    this.#ring = ring;
    this.#verified = new VerifiedTexts(verifiedBytes);
  }

  open(cookie: Cookie, context: SealedContext, latest: number): Seen | RejectedReason | undefined {
    const suffix = suffixOf(cookie.name, context.name);
    if (suffix === undefined) return undefined;
    const content = this.#open(cookie);
    if (typeof content === "string") return content;
    const seen = { suffix, bytes: headerBytes(cookie), content };
    if (!isPart(content)) return seen;
    if (content.session.created > latest) return { ...seen, verdict: "future" };
    return { ...seen, verdict: context.verdict?.(content.session) };
  }

  #open(cookie: Cookie): Part | Tombstone | RejectedReason {
    const known = this.#verified.get(cookie.name, cookie.value);
    if (known !== undefined) return known;
    const token = openToken(this.#ring, "part", cookie.name, cookie.value);
    if (typeof token === "string") return token;
    const content = decodePart(token.payload);
    if (content === undefined) return "malformed";
    const entries = isPart(content) ? content.entries.size : content.dead.size;
    const bytes = 2 * token.payload.length + ENTRY_BYTES * entries;
    this.#verified.add(cookie.name, cookie.value, content, bytes);
    return content;
  }

  join(
    seen: readonly Seen[],
    { best, inGrace }: WholeSessions,
    names: readonly string[],
    now: number,
    rejected: RejectedReason[],
  ): OpenedSession | undefined {
    for (const { verdict } of seen) {
      if (verdict !== undefined && verdict !== "grace") rejected.push(verdict);
    }
    const refuse = (reason: RejectedReason): void => void rejected.push(reason);
    const joined =
      joinAll(seen, best, undefined, now, refuse) ?? joinAll(seen, inGrace, "grace", now, refuse);
    if (joined === undefined) return undefined;
    const session: MergingSession = { ...toOpened(joined.session, names), joined };
    return session;
  }

  endable(
    wholes: readonly SessionPayload[],
    seen: readonly Seen[],
    now: number,
    openedId: string | undefined,
  ): readonly OpenedSession[] {
    const sessions = [...wholes];
    for (const { content, verdict } of seen) {
      if (isPart(content) && verdict !== "revoked" && verdict !== "retired") {
        sessions.push(content.session);
      }
    }
    return endableSessions(sessions, now, openedId, deadSessions(seen, now));
  }

  remains(remains: SealedRemains, seen: readonly Seen[]): SealedRemains {
    const merging: MergingRemains = { ...remains, seen };
    return merging;
  }

  write(
    found: OpenedSession | SealedRemains | undefined,
    change: SealedChange,
    { name, now }: SealedContext,
  ): SealedWrite | undefined {
    const opened = change.op !== "create" && isOpened(found) ? found : undefined;
    const joined = opened && joinedOf(opened);
    const names = found?.names ?? [];
    const seen = seenOf(found);
    const isWhole = (cookie: string): boolean => suffixOf(cookie, name) === undefined;
    if (change.op === "destroy") {
      const endable = sessionsOf(found);
      if (endable.length === 0 && !seen.some(({ content }) => isPart(content))) {
        // ORDER: tombstones stay, or a second logout would undo the first.
        return { set: [], expire: names.filter(isWhole) };
      }
      const until = Math.min(now + change.ttl, change.deadline);
      const ids = endable.map(({ id }) => id);
      const tombstone = writeTombstone(ids, until, seen, now);
      const set = [this.#sealTombstone(tombstone, name, seen, now)];
      return { set, expire: names.slice(0, MAX_EXPIRED) };
    }
    const next = applyToPayload(opened, change, now);
    if (next === undefined) return undefined;
    const { suffix, part, expire } = writePart(joined, seen, next, change, now, randomBytes);
    const payload = encodePart(part);
    checkSize(`${name}.${suffix}`, payload.length, next);
    const set = [this.#seal(`${name}.${suffix}`, payload)];
    const isBarrier = joined !== undefined && joined.session.rev !== next.rev;
    if (isBarrier && endsEarlier(joined.session, next, change, now)) {
      const fence = writeFence(next, joined.session.idleExpires, now);
      set.push(this.#sealTombstone(fence, name, seen, now));
    }
    const stays = seen.filter((one) => !expire.includes(one.suffix) && one.suffix !== suffix);
    const bytes = [...set.map(headerBytes), ...stays.map((one) => one.bytes)].reduce(sum);
    const collapses = bytes > MAX_PARTS_BYTES && stays.some(({ content }) => isPart(content));
    const kept = collapses ? stays.filter(({ content }) => !isPart(content)) : stays;
    const keptNames = [suffix, ...kept.map((one) => one.suffix)].map((one) => `${name}.${one}`);
    // A cookie without a suffix stays until the session has a part; another library's goes at
    // once, or it would be opened again when ours are gone.
    const keepsWhole =
      opened !== undefined &&
      !isBarrier &&
      opened.foreign !== true &&
      !seen.some(({ content }) => isPart(content));
    const spent = names.filter(
      (cookie) => !keptNames.includes(cookie) && !(keepsWhole && isWhole(cookie)),
    );
    // First those that would be a session by themselves.
    const future = new Set<string>();
    for (const one of seen) if (one.verdict === "future") future.add(`${name}.${one.suffix}`);
    const expired = spent.toSorted(
      (one, other) => Number(future.has(other)) - Number(future.has(one)),
    );
    return { set, expire: expired.slice(0, MAX_EXPIRED), ...(collapses && { collapsed: bytes }) };
  }

  #seal(cookieName: string, payload: Uint8Array): SealedCookie {
    return { name: cookieName, value: sealToken(this.#ring, "part", cookieName, payload) };
  }

  #sealTombstone(
    tombstone: Tombstone,
    name: string,
    seen: readonly Seen[],
    now: number,
  ): SealedCookie {
    const suffix = freshSuffix(seen, randomBytes);
    const cookie = this.#seal(`${name}.${suffix}`, encodeTombstone(tombstone));
    const seconds = Math.ceil((tombstone.until - now) / SECOND);
    // Without an end of the data it lives like the parts, as long as the browser keeps cookies.
    return seconds === Infinity ? cookie : { ...cookie, maxAge: Math.min(seconds, MAX_COOKIE_AGE) };
  }
}

/** The newest session of parts with one verdict and of whole cookies. */
function joinAll(
  seen: readonly Seen[],
  whole: SessionPayload | undefined,
  verdict: RevocationVerdict | undefined,
  now: number,
  rejected: (reason: RejectedReason) => void,
): Joined | undefined {
  const joined = joinParts(seen, verdict, now, rejected);
  const hasPart = (id: string): boolean =>
    seen.some(({ content }) => isPart(content) && content.session.id === id);
  if (whole === undefined || hasPart(whole.id)) return joined;
  if (deadSessions(seen, now).has(whole.id)) rejected("retired");
  else if (joined === undefined || isNewer(whole, joined.session)) return joinWhole(whole, seen);
  return joined;
}

function joinedOf(opened: OpenedSession): Joined {
  // Another library's session: there was no cookie of ours.
  return (opened as Partial<MergingSession>).joined ?? joinWhole(opened, []);
}

function seenOf(found: OpenedSession | SealedRemains | undefined): readonly Seen[] {
  const { joined, seen } = (found ?? {}) as Partial<MergingSession & MergingRemains>;
  return joined?.seen ?? seen ?? [];
}

/** True if parts from before a barrier could outlive the barrier's own part. */
function endsEarlier(
  before: SessionPayload,
  next: SessionPayload,
  { cookieExpires = -1 }: SealedChange,
  now: number,
): boolean {
  const cookieEnds = cookieExpires < 0 ? Infinity : now + cookieExpires * SECOND;
  // Sealed times are whole seconds.
  const ends = Math.ceil(Math.min(next.idleExpires, cookieEnds) / SECOND) * SECOND;
  return ends < before.idleExpires;
}

function checkSize(cookieName: string, payloadBytes: number, session: SessionPayload): void {
  const actual = cookieName.length + tokenLength(payloadBytes);
  if (actual <= MAX_COOKIE_BYTES) return;
  throw new LimitError(
    "ERR_SESSION_LIMIT_COOKIE",
    `the session needs a cookie of ${actual} bytes, over the ${MAX_COOKIE_BYTES} that browsers ` +
      "keep: writes at once made it so, or many deleted keys; keep less in it, or use a server-side store",
    { actual, limit: MAX_COOKIE_BYTES, largestKeys: findLargestKeys(session.data) },
  );
}

function headerBytes({ name, value }: Cookie): number {
  return name.length + value.length + SEPARATORS;
}

function sum(one: number, other: number): number {
  return one + other;
}
