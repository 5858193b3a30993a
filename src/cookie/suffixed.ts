// A request's cookies whose names have a suffix: the pieces of a split session, and the parts of a
// merging one. It opens them, and doesn't join them.
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

/** The cookies that opened as ours, in the header's order. */
export interface Suffixed {
  /** The cookies' names. */
  readonly names: readonly string[];
  readonly pieces: readonly OpenedPiece[];
  /** The parts that the merging half opened. */
  readonly parts: readonly object[];
}

/**
 * Opens them from the last one on, within the limit of tries: browsers send the newest cookies last (RFC
 * 6265bis section 5.8.3), and a stranger's junk must not displace them.
 * @param merging - undefined: parts are ignored.
 * @param rejected - gets the reasons for cookies that aren't ours.
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
