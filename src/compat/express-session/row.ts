// express-session's row as a session of ours, and back: each top-level property is one key, its JSON text
// the value. The cookie object is the key `cookie`; its `expires` is the row's end. A row has no place
// for anything else. It knows no store.
import { MAX_COOKIE_AGE, SECOND } from "../../base/time.ts";
import { encodeMeta } from "../../engine/ticketed/meta.ts";
import { type AppliedChange, applyChange } from "../../store/change.ts";
import type { SessionChange, StoredSession } from "../../store/contract.ts";

/** The property of the cookie object. */
export const COOKIE_KEY = "cookie";

/** The cookie object as stores get it: they read `expires` or `maxAge`, and keep its JSON. */
interface RowCookie {
  readonly originalMaxAge?: number | null | false;
  readonly expires?: Date | string | null | false;
  /** Milliseconds that are left; not enumerable, so that it isn't kept. */
  readonly maxAge?: number | null;
  readonly httpOnly?: boolean;
  readonly path?: string;
}

/** A row as stores get it. */
export interface ExpressRow {
  readonly cookie: RowCookie;
  readonly [property: string]: unknown;
}

/** A row has no counters: the first of each, always. */
const COUNTERS = { rev: 1, generation: 1 } as const;
/**
 * How long a row lives at least whose end nobody knows, in milliseconds: short, so that it is renewed at
 * the next opportunity.
 */
const SOON: number = SECOND;

/**
 * The session of a row that a store gave; such a row is alive, even if its cookie says that it has ended:
 * `touch` of some stores moves only the store's own end.
 * @param end - the store's own end, Unix milliseconds; undefined: not known.
 * @returns undefined for what is no row.
 */
export function decodeRow(
  row: unknown,
  end: number | undefined,
  now: number,
): StoredSession | undefined {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
  const data = new Map<string, string>();
  for (const [key, value] of Object.entries(row)) {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) data.set(key, text);
  }
  const cookie = cookieOf(data);
  const said = instantOf(cookie);
  const expires = end ?? (said !== undefined && said > now ? said : now + SOON);
  return { ...COUNTERS, data, expires, meta: notesOf(cookie) };
}

/**
 * The row of a session.
 * @throws {TypeError} for a value that is no JSON text.
 */
export function encodeRow({ data, expires }: StoredSession, now: number): ExpressRow {
  const rest = [...data].filter(([key]) => key !== COOKIE_KEY);
  const entries = rest.map(([key, text]) => [key, parse(text)] as const);
  // Own properties, whatever their names: `__proto__` is one, too.
  return { cookie: cookieUntil(data, expires, now), ...Object.fromEntries(entries) };
}

/**
 * Applies a change to a row's session. Where the change brings a cookie with another end, that is the
 * row's; otherwise clause S6 gives it. A row always has a cookie.
 * @throws {TypeError} for a change that the row has no place for: a generation or a subject.
 */
export function applyToRow(
  before: StoredSession | undefined,
  change: SessionChange,
  now: number,
): AppliedChange {
  if (change.bump === true || typeof change.subject === "string") {
    const what = change.bump === true ? "a new generation" : "a subject";
    const message = `a row of express-session has no place for ${what}`;
    throw new TypeError(`${message}: destroy the session and create another one`);
  }
  const ttl =
    change.ttl === 0 && before !== undefined ? ttlOfStale(before, now) : exactTtl(before, change);
  const { refused, stored } = applyChange(before, { ...change, ttl }, now);
  if (refused || stored === undefined) return { refused, stored };
  const cookie = before?.data.get(COOKIE_KEY);
  const data =
    stored.data.has(COOKIE_KEY) || cookie === undefined
      ? stored.data
      : new Map([[COOKIE_KEY, cookie], ...stored.data]);
  const expires = Math.min(chosenEnd(before, change) ?? stored.expires, change.deadline);
  return { refused, stored: { ...COUNTERS, data, expires, meta: notesOf(cookieOf(data)) } };
}

/** The end that a change's own cookie brings; undefined: it brings none, or the row's. */
function chosenEnd(before: StoredSession | undefined, { set }: SessionChange): number | undefined {
  if (!set.has(COOKIE_KEY)) return undefined;
  const end = instantOf(cookieOf(set));
  return before !== undefined && end === instantOf(cookieOf(before.data)) ? undefined : end;
}

/**
 * The renewal that any change of a row with a stale cookie brings, in milliseconds; 0: none. Without one
 * the change would end the session.
 */
function ttlOfStale({ data, expires }: StoredSession, now: number): number {
  const cookie = cookieOf(data);
  const { originalMaxAge } = cookie;
  const isStale = expires <= now + SOON && (instantOf(cookie) ?? Infinity) <= now;
  return isStale && typeof originalMaxAge === "number" ? originalMaxAge : 0;
}

/** The cookie's own lifetime in milliseconds, where the change has it in the engine's whole seconds. */
function exactTtl(before: StoredSession | undefined, { set, ttl }: SessionChange): number {
  const data = set.has(COOKIE_KEY) ? set : (before?.data ?? set);
  const { originalMaxAge } = cookieOf(data);
  const isOwn = ttl > 0 && ttl === cappedSeconds(originalMaxAge) * SECOND;
  return isOwn ? (originalMaxAge as number) : ttl;
}

/** As the engine counts an idle timeout; NaN: there is none. */
function cappedSeconds(originalMaxAge: RowCookie["originalMaxAge"]): number {
  return Math.min(idleSecondsOf(originalMaxAge) ?? Number.NaN, MAX_COOKIE_AGE);
}

/**
 * The idle timeout of a session in whole seconds, rounded up, so that it lives as long as its cookie;
 * undefined: the cookie has no lifetime.
 */
export function idleSecondsOf(originalMaxAge: unknown): number | undefined {
  if (typeof originalMaxAge !== "number") return undefined;
  return Math.max(1, Math.ceil(originalMaxAge / SECOND));
}

/** The engine's notes: the idle timeout is the cookie's own, and the format knows of no other. */
function notesOf({ originalMaxAge }: RowCookie): string {
  const seconds = cappedSeconds(originalMaxAge);
  return encodeMeta({
    created: 0,
    deadline: Infinity,
    barriers: 0,
    barrierAt: 0,
    boundAt: 0,
    ...(!Number.isNaN(seconds) && { sessionExpires: seconds }),
  });
}

/** The cookie with this end; one that has none, as a browser-session cookie, gets none. */
function cookieUntil(data: ReadonlyMap<string, string>, expires: number, now: number): RowCookie {
  const cookie = data.has(COOKIE_KEY) ? cookieOf(data) : newCookie(expires, now);
  const said = instantOf(cookie);
  const end = said === undefined ? undefined : new Date(expires === Infinity ? said : expires);
  const maxAge = end === undefined ? null : end.getTime() - now;
  const ending = { ...cookie, expires: end ?? null };
  return Object.defineProperty(ending, "maxAge", { value: maxAge, enumerable: false });
}

/** The cookie of a row that was created without one. */
function newCookie(expires: number, now: number): RowCookie {
  const isEndless = expires === Infinity;
  const originalMaxAge = isEndless ? null : expires - now;
  const end = isEndless ? null : new Date(expires);
  return { originalMaxAge, expires: end, httpOnly: true, path: "/" };
}

/** The cookie object; {} where there is none. */
function cookieOf(data: ReadonlyMap<string, string>): RowCookie {
  const cookie = parse(data.get(COOKIE_KEY) ?? "{}");
  return typeof cookie === "object" && cookie !== null ? cookie : {};
}

/** The cookie's end in Unix milliseconds; undefined: it has none. */
function instantOf({ expires }: RowCookie): number | undefined {
  // express-session writes `false`, too, for a cookie without an end; other kinds of values it never writes.
  const isEnd = expires instanceof Date || (typeof expires === "string" && expires !== "");
  const instant = isEnd ? new Date(expires).getTime() : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

/** @throws {TypeError} for what is no JSON text; the message must not show it. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError("a value in a row of express-session must be JSON text");
  }
}
