// The nonce of a save, for stores whose client may send one request twice: the second one finds the nonce of
// the first in the row, and isn't taken for another change. It knows no store.
import { encodeBase64url, randomBytes } from "#crypto";
import type { SessionChange } from "./contract.ts";

const NONCE_BYTES = 6;

/** True for a change that is refused where it has been applied already, unless its nonce tells. */
export function isAppliedOnce({ op, clear, bump, meta, subject, expect }: SessionChange): boolean {
  if (op === "create" || clear === true || bump === true) return true;
  if (expect !== undefined && expect.size > 0) return true;
  return meta !== undefined || subject !== undefined;
}

/** The nonce of one save. */
export function mintNonce(): string {
  return encodeBase64url(randomBytes(NONCE_BYTES));
}
