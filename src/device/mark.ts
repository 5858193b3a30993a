// The mark of a bound session: the value of its entry, a key's fingerprint in 22 characters and the second of
// the binding in base 36. "0" stands for a session whose copies from before the binding have ended.
import { isInGrace, SECOND } from "../base/time.ts";

const THUMB_LENGTH = 22;
const SETTLED = "0";

/** The fingerprint in a mark. */
export function thumbIn(mark: string): string {
  return mark.slice(0, THUMB_LENGTH);
}

/** The mark of a session that is bound now. */
export function markAt(thumb: string, now: number): string {
  return thumb + Math.floor(now / SECOND).toString(36);
}

/** The mark of a session whose earlier credentials have ended. */
export function settledMark(thumb: string): string {
  return thumb + SETTLED;
}

export function isSettled(mark: string): boolean {
  return mark.slice(THUMB_LENGTH) === SETTLED;
}

/** True in the minute after the binding, in which requests without a device cookie were on their way. */
export function isJustBound(mark: string, now: number): boolean {
  return isInGrace(now - Number.parseInt(mark.slice(THUMB_LENGTH), 36) * SECOND);
}
