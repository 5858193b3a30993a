// A request's cookies whose names have a suffix: the pieces of a split session, and the parts of a
// merging one. It opens them, and knows nothing of what they say together.
import type { Cookie, SealedContext } from "../store/contract.ts";
import type { RejectedReason } from "../events.ts";
import { MAX_SKEW } from "../base/time.ts";
import type { CookieKeyring } from "../crypto/keyring.ts";
import { openToken } from "../crypto/token.ts";
import type { MergingHalf } from "./merging.ts";
import { placeOf } from "./split.ts";
import { MAX_CHECKED, Tries } from "./tries.ts";

/** A piece that authenticated. */
interface OpenedPiece {
  readonly place: number;
  readonly payload: Uint8Array;
}

/** What opened as ours, in the header's order. */
export interface Suffixed {
  /** The cookies' names. */
  readonly names: readonly string[];
  readonly pieces: readonly OpenedPiece[];
  /** What the merging half opened. */
  readonly parts: readonly object[];
}

/**
 * Opens them from the last one on, as far as the tries last: browsers send at the end what they got
 * last (RFC 6265bis section 5.8.3), and a stranger's junk must not take its place.
 * @param merging - undefined: parts aren't looked at.
 * @param rejected - gets why cookies aren't ours.
 */
export function openSuffixed(
  cookies: readonly Cookie[],
  context: SealedContext,
  ring: CookieKeyring,
  merging: MergingHalf | undefined,
  rejected: RejectedReason[],
): Suffixed {
  const names: string[] = [];
  const pieces: OpenedPiece[] = [];
  const parts: object[] = [];
  const tries = new Tries(MAX_CHECKED);
  for (let index = cookies.length - 1; index >= 0 && tries.areLeft; index--) {
    const cookie = cookies[index] as Cookie;
    const place = placeOf(cookie.name, context.name);
    const opened =
      place === undefined
        ? merging?.open(cookie, context, context.now + MAX_SKEW)
        : openPiece(ring, cookie, place);
    if (opened === undefined) continue;
    if (typeof opened === "string") {
      if (tries.refused(opened)) rejected.push(opened);
      continue;
    }
    tries.verified();
    if (!names.includes(cookie.name)) names.push(cookie.name);
    if (place === undefined) parts.push(opened);
    else pieces.push(opened as OpenedPiece);
  }
  return { names: names.toReversed(), pieces: pieces.toReversed(), parts: parts.toReversed() };
}

function openPiece(
  ring: CookieKeyring,
  { name, value }: Cookie,
  place: number,
): OpenedPiece | RejectedReason {
  const token = openToken(ring, "piece", name, value);
  return typeof token === "string" ? token : { place, payload: token.payload };
}
