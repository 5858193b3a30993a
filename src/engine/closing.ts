// The errors of changes that come too late: after the session was closed or destroyed, or without a
// response for its cookie. It knows no session.
import { ConflictError, UsageError } from "../errors.ts";
import type { ConflictReason, RefusedReason } from "../events.ts";

/** The reason that no cookie of the session can be sent. */
export type LostReason = Extract<RefusedReason, "aborted" | "uncarried">;

const conflicts = {
  stale: "the session was cleared, regenerated or destroyed meanwhile",
  grace: "the credential was replaced by a regenerate",
  device: "the session's device isn't proven",
  contended: "too many requests change the key at once",
} as const;

/** The error of a refused exact step. */
export function conflictError(reason: ConflictReason): ConflictError {
  const code = `ERR_SESSION_CONFLICT_${reason.toUpperCase() as Uppercase<ConflictReason>}` as const;
  return new ConflictError(code, `${conflicts[reason]}, so nothing was saved`);
}

/** The error of a change after `destroy()` was called. */
export function destroyedError(): UsageError {
  const message = "the session was destroyed in this request and can't be changed any more";
  return new UsageError("ERR_SESSION_USAGE_DESTROYED", message);
}

/** The reason that a session of an upgrade can only be read. */
export const HEADERS_ONLY =
  "a session that was opened from headers alone is read-only: no response can carry its cookie";

/** The error of a change of a session that was opened to be read. */
export function readOnlyError(reason: string): UsageError {
  return new UsageError("ERR_SESSION_USAGE_READ_ONLY", reason);
}

/** The error of a change after the session was closed. */
export function closedError(lost: LostReason | undefined, hasFailed: boolean): UsageError {
  if (lost === "aborted") {
    const message =
      "the client is gone, so the session can't be changed any more: no response will carry its cookie";
    return new UsageError("ERR_SESSION_USAGE_HEADERS_SENT", message);
  }
  if (lost === "uncarried") {
    const message =
      "the response can't carry the session's cookie, so the session can't be changed any more: it was " +
      "begun past the session's middleware, or is none; change the session before that";
    return new UsageError("ERR_SESSION_USAGE_HEADERS_SENT", message);
  }
  if (hasFailed) return unsavedError("the error that says so is being answered");
  const message =
    "the response has begun, so the session can't be changed any more; change it before " +
    "the first byte is written";
  return new UsageError("ERR_SESSION_USAGE_HEADERS_SENT", message);
}

/**
 * The error of a change after a failed save.
 * @param why - the reason that nothing more is saved.
 */
export function unsavedError(why: string): UsageError {
  const message = `the session could not be saved, so this request can't change it any more: ${why}`;
  return new UsageError("ERR_SESSION_USAGE_READ_ONLY", message);
}
