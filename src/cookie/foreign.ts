// What the cookie store needs of a reader of another library's cookies. Readers are explicit, have
// keys of their own, and only ever read: there is no fallback decoder. What they are made of is in
// src/compat, so that a store without one carries none of it.
import type { RejectedReason } from "../events.ts";
import type { Cookie, OpenedSession, SealedContext } from "../store/contract.ts";

/**
 * Reads another library's cookies, for `migrateFrom` of the cookie store; made by `kochaCookies` of
 * `kocha-session/kocha` and by the readers of `kocha-session/compat`.
 */
export interface ForeignCookies {
  /** The full names of the cookies that it looks at. */
  readonly names: readonly string[];
  /**
   * The session that the request's cookies hold.
   * @param rejected - gets why cookies aren't one; emptied where a cookie is the other library's.
   * @returns undefined when there is none. It never throws, except what `verdict` throws.
   */
  readonly open: (
    cookies: readonly Cookie[],
    context: SealedContext,
    rejected: RejectedReason[],
  ) => OpenedSession | undefined;
}
