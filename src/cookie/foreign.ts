// The interface of a reader of another library's cookies. Readers are configured explicitly, have their
// own keys, and never write; no other decoder is tried.
import { isReserved } from "../base/reserved.ts";
import type { RejectedReason } from "../events.ts";

/** A session that another library's cookie held. */
export interface ForeignSession {
  /** The id of our session: 22 characters of base64url, the same for the same cookie. */
  readonly id: string;
  readonly data: ReadonlyMap<string, string>;
  /** Unix milliseconds. */
  readonly expires: number;
  /** Names of entries that were left out, such as values that aren't UTF-8. */
  readonly skipped: readonly string[];
}

/** Reads another library's cookies; made by `kochaCookies` of `kocha-session/kocha`. */
export interface ForeignCookies {
  /** The name of those cookies. */
  readonly name: string;
  /** @returns the session, or the reason of its rejection. It never throws. */
  readonly open: (value: string, now: number) => ForeignSession | RejectedReason;
}

/**
 * A reader's session without our reserved keys, which are skipped and named in `skipped`.
 * @returns the session, or the reason of its rejection.
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
