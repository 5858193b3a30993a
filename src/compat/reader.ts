// What all readers of other libraries' cookies share: which cookies are tried and how often, the day
// on which reading ends, and how their data becomes a map of strings. It knows no format.
import { encodeBase64url, encodeUtf8, hkdfSha256, randomBytes } from "#crypto";
import { SECOND } from "../base/time.ts";
import { isReserved } from "../base/reserved.ts";
import type { ForeignCookies } from "../cookie/foreign.ts";
import { Tries } from "../cookie/tries.ts";
import type { RejectedReason } from "../events.ts";

export type { ForeignCookies };

/** A cookie of the request, as far as a reader looks at it. */
export interface ForeignCookie {
  readonly name: string;
  readonly value: string;
}

/** A session that another library's cookies held. */
export interface ForeignSession {
  /**
   * A handle for our own session: 22 characters of base64url, the same for the same cookie. Absent: a
   * random one, where equal sessions of two clients have equal cookies.
   */
  readonly id?: string;
  readonly data: ReadonlyMap<string, string>;
  /** Unix milliseconds; Infinity: the format has no end inside. */
  readonly expires: number;
  /** Names of entries that were left out, such as values that aren't UTF-8. */
  readonly skipped: readonly string[];
}

/** A format of cookies. */
export interface ForeignFormat {
  readonly names: readonly string[];
  /**
   * The cookies that may be one session each, in the order in which they are tried; of the names
   * above. Default: each cookie is one.
   */
  readonly group?: (cookies: readonly ForeignCookie[]) => Iterable<readonly ForeignCookie[]>;
  /** @returns why not, when it is no session. It never throws, whatever the values are. */
  readonly open: (
    cookies: readonly ForeignCookie[],
    now: number,
  ) => ForeignSession | RejectedReason;
  /** Unix milliseconds, from which on nothing is read; Infinity: never. */
  readonly until: number;
  /** How many tags are checked in one request, where one costs much. */
  readonly maxChecked?: number;
}

/** A reader of a format. */
export function createReader(format: ForeignFormat): ForeignCookies {
  const { names, until, group = eachAlone, maxChecked } = format;
  return Object.freeze<ForeignCookies>({
    names,
    open(cookies, { now, verdict }, rejected) {
      if (now >= until) return undefined;
      const tries = new Tries(undefined, maxChecked);
      for (const tried of group(cookies.filter(({ name }) => names.includes(name)))) {
        if (!tries.areLeft) break;
        const session = format.open(tried, now);
        if (typeof session === "string") {
          if (tries.refused(session)) rejected.push(session);
          continue;
        }
        tries.verified();
        // What was said of these cookies while they were taken for ours.
        rejected.length = 0;
        const { id = encodeBase64url(randomBytes(ID_BYTES)) } = session;
        const known = verdict?.({ id });
        if (known === "revoked" || known === "retired") {
          rejected.push(known);
          continue;
        }
        const expires = Math.min(session.expires, until);
        const created = Math.floor(now / SECOND) * SECOND;
        const ends = { created, issued: 0, idleExpires: expires, expires, deadline: Infinity };
        const brought = [...new Set(tried.map(({ name }) => name))];
        return {
          id,
          ...withoutReserved(session),
          ...ends,
          rev: 1,
          names: brought,
          foreign: true,
        };
      }
      return undefined;
    },
  });
}

function* eachAlone(cookies: readonly ForeignCookie[]): Iterable<readonly ForeignCookie[]> {
  for (const cookie of cookies) yield [cookie];
}

const ID_BYTES = 16;

/**
 * A handle by which the same cookie is always known, also to the list of the revoked.
 * @param label - the format's own.
 * @param sealed - what only this one cookie has, however its text is spelled.
 */
export function idOf(label: string, sealed: Uint8Array): string {
  return encodeBase64url(hkdfSha256(sealed, label, ID_BYTES));
}

/** How another library's data becomes a session's; a value `undefined` leaves its entry out. */
export type MapData = (
  data: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>>;

/** Data as a session keeps it. */
export interface MappedData {
  readonly data: ReadonlyMap<string, string>;
  readonly skipped: readonly string[];
}

/**
 * The entries of a JSON object: strings as they are, all others as JSON. What a session can't hold is
 * skipped: reserved keys, `__proto__`, lone surrogates, what JSON has no word for.
 * @param map - applied to the object first.
 * @returns undefined when it is no object, or when `map` throws.
 */
export function toStrings(value: unknown, map: MapData | undefined): MappedData | undefined {
  if (!isRecord(value)) return undefined;
  const data = new Map<string, string>();
  const skipped: string[] = [];
  try {
    const mapped: unknown = map === undefined ? value : map(value);
    if (!isRecord(mapped)) return undefined;
    for (const [key, entry] of Object.entries(mapped)) {
      if (entry === undefined) continue;
      const text = toText(entry);
      if (text?.isWellFormed() === true && key.isWellFormed()) data.set(key, text);
      else skipped.push(key.toWellFormed());
    }
  } catch {
    return undefined;
  }
  return withoutReserved({ data, skipped });
}

function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value);
  } catch {
    // A bigint, or arrays nested deeper than there is stack.
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutReserved({ data, skipped }: MappedData): MappedData {
  const taken = [...data.keys()].filter((key) => key === "__proto__" || isReserved(key));
  if (taken.length === 0) return { data, skipped };
  const free = new Map(data);
  for (const key of taken) free.delete(key);
  return { data: free, skipped: [...skipped, ...taken] };
}

/** The value that JSON says, or undefined; a value `undefined` no JSON says. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A cookie's value with its percent-encoding taken away; as it is where that isn't well-formed. */
export function decodeValue(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The bytes of any text: what a cookie holds needn't be well-formed. */
export function bytesOf(text: string): Uint8Array {
  return encodeUtf8(text.toWellFormed());
}
