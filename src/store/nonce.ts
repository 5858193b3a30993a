// The nonce of a save, for stores whose client may send one request twice: the second one finds the nonce of
// the first in the row, and isn't taken for another change. It knows no store.
import { encodeBase64url, randomBytes } from "#crypto";
import { isFenced } from "./change.ts";
import type { SessionChange } from "./contract.ts";

const NONCE_BYTES = 6;

/** True for a change that is refused where it has been applied already, unless its nonce tells. */
export function isAppliedOnce(change: SessionChange): boolean {
  const { op, expect } = change;
  return op === "create" || isFenced(change) || (expect !== undefined && expect.size > 0);
}

/** The nonce of one save. */
export function mintNonce(): string {
  return encodeBase64url(randomBytes(NONCE_BYTES));
}
