// The entry point kocha-session/merge: the half of a cookie store that gives each write its own cookie.
// Only bundles that import it contain it.
import type { Merging } from "../cookie/merging.ts";
import { MAX_MERGING_BYTES, MergingCookies } from "./parts.ts";

export type { Merging } from "../cookie/merging.ts";

/**
 * Cookies that merge, for sessions of up to 1536 bytes of keys and values:
 * `new SessionCookieStore({ …, merge: mergingCookies() })`. Each write gets a cookie of its own, and
 * the next request joins them, so that responses that race lose nothing.
 */
export function mergingCookies(): Merging {
  return {
    maxSessionBytes: MAX_MERGING_BYTES,
    create: (ring, verifiedBytes) => new MergingCookies(ring, verifiedBytes),
  };
}
