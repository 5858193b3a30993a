// Splits a sealed session over several cookies, and joins them. A piece names its set, its place
// and the count inside the seal, so that no client can mix pieces of two writes.
//
//   bytes 0..7   the set's id, random for each write
//   byte  8      the place, from 1
//   byte  9      the count, 2 to 4
//   …            a slice of the payload
import { encodeBase64url, randomBytes } from "#crypto";
import { concatBytes } from "../crypto/bytes.ts";
import { findLargestKeys } from "../base/text.ts";
import type { SessionPayload } from "../crypto/payload.ts";
import { MAX_COOKIE_BYTES, TOKEN_OVERHEAD } from "../crypto/token.ts";
import { LimitError } from "../errors.ts";

/** Browsers limit cookies for each site, and servers the bytes of headers. */
export const MAX_COOKIES = 4;
const SET_BYTES = 8;
const HEAD_BYTES = 10;
/** The suffix of a piece's name before its place; a dot and six characters in all. */
const SUFFIX = ".split";

/** How many bytes of payload one cookie of this name holds. */
export function wholeCapacity(name: string): number {
  return Math.floor(((MAX_COOKIE_BYTES - name.length) * 3) / 4) - TOKEN_OVERHEAD;
}

/** The place in a cookie's name, from 1; undefined for any other cookie than a piece of `name`. */
export function placeOf(cookieName: string, name: string): number | undefined {
  const digit = cookieName.length === name.length + SUFFIX.length + 1 ? cookieName.at(-1) : "";
  if (digit === undefined || digit < "1" || digit > "4") return undefined;
  return cookieName === pieceName(name, Number(digit)) ? Number(digit) : undefined;
}

/** One piece of a payload, before it is sealed. */
export interface Piece {
  readonly name: string;
  readonly payload: Uint8Array;
}

/** The payload in as few pieces as possible; undefined: more than `maxPieces`. */
export function splitPayload(
  payload: Uint8Array,
  name: string,
  maxPieces: number,
): Piece[] | undefined {
  const capacity = wholeCapacity(pieceName(name, 1)) - HEAD_BYTES;
  const count = Math.ceil(payload.length / capacity);
  if (count > maxPieces) return undefined;
  const set = randomBytes(SET_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const slice = payload.subarray(index * capacity, (index + 1) * capacity);
    const piece = new Uint8Array(HEAD_BYTES + slice.length);
    piece.set(set);
    piece.set([index + 1, count], SET_BYTES);
    piece.set(slice, HEAD_BYTES);
    return { name: pieceName(name, index + 1), payload: piece };
  });
}

/**
 * The payloads of the complete sets.
 * @param pieces - authenticated pieces, each with the place in its cookie's name.
 * @param incomplete - called for each incomplete set.
 */
export function joinPieces(
  pieces: readonly { readonly place: number; readonly payload: Uint8Array }[],
  incomplete: () => void,
): Uint8Array[] {
  const sets = new Map<string, Map<number, Uint8Array>>();
  for (const { place, payload } of pieces) {
    const [sealedPlace, count] = payload.subarray(SET_BYTES, HEAD_BYTES);
    // Sealed by us for this very name: they differ only by a fault of ours.
    if (sealedPlace !== place || count === undefined || place > count) continue;
    const id = `${encodeBase64url(payload.subarray(0, SET_BYTES))}/${count}`;
    const set = sets.get(id) ?? new Map<number, Uint8Array>();
    sets.set(id, set.set(place, payload.subarray(HEAD_BYTES)));
  }
  const whole: Uint8Array[] = [];
  for (const [id, set] of sets) {
    const slices = Array.from({ length: Number(id.at(-1)) }, (_, index) => set.get(index + 1));
    if (slices.every((slice) => slice !== undefined)) whole.push(concatBytes(slices));
    else incomplete();
  }
  return whole;
}

function pieceName(name: string, place: number): string {
  return `${name}${SUFFIX}${place}`;
}

/** The error of a session that needs more cookies than it may have. */
export function tooLargeToSplit(
  payload: SessionPayload,
  payloadBytes: number,
  name: string,
  maxCookies: number,
): LimitError {
  const limit = MAX_COOKIE_BYTES * maxCookies;
  const over = payloadBytes - wholeCapacity(name);
  const actual = MAX_COOKIE_BYTES + Math.ceil((over * 4) / 3);
  return new LimitError(
    "ERR_SESSION_LIMIT_COOKIE",
    `the session needs ${actual} bytes of cookies, over the ${limit} that browsers keep in ` +
      `${maxCookies}; keep less in it, raise maxCookies (up to ${MAX_COOKIES}), or use a server-side store`,
    { actual, limit, largestKeys: findLargestKeys(payload.data) },
  );
}
