// What the cookie store needs of a reader of another library's cookies. Readers are explicit, have
// keys of their own, and only ever read: there is no fallback decoder.
import { isReserved } from "../base/reserved.ts";
import type { RejectedReason } from "../events.ts";

/** A session that another library's cookie held. */
export interface ForeignSession {
  /** A handle for our own session: 22 characters of base64url, the same for the same cookie. */
  readonly id: string;
  readonly data: ReadonlyMap<string, string>;
  /** Unix milliseconds. */
  readonly expires: number;
  /** Names of entries that were left out, such as values that aren't UTF-8. */
  readonly skipped: readonly string[];
}

/** Reads another library's cookies; made by `kochaCookies` of `kocha-session/kocha`. */
export interface ForeignCookies {
  /** The name under which those cookies live. */
  readonly name: string;
  /** @returns why not, when it is no session. It never throws. */
  readonly open: (value: string, now: number) => ForeignSession | RejectedReason;
}

/**
 * What a reader gives, without the keys that are reserved here: those are skipped, and named in `skipped`.
 * @returns why not, when it is no session.
 */
export function openForeign(
  reader: ForeignCookies,
  value: string,
  now: number,
): ForeignSession | RejectedReason {
  const session = reader.open(value, now);
  if (typeof session === "string") return session;
  const taken = [...session.data.keys()].filter(isReserved);
  if (taken.length === 0) return session;
  const data = new Map(session.data);
  for (const key of taken) data.delete(key);
  return { ...session, data, skipped: [...session.skipped, ...taken] };
}
