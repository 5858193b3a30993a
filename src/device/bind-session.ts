// The effect of a good refresh on the session that it comes with: one that isn't bound yet is bound, and one
// that has copies from before the binding gets another credential.
import { DEVICE_KEY } from "../base/reserved.ts";
import type { Devices } from "./devices.ts";
import { isSettled, markAt, settledMark } from "./mark.ts";
import type { Opened } from "./opened.ts";
import type { Registered } from "./tokens.ts";

/**
 * Binds or settles the session, if that is still to be done; gives the session's cookies.
 * @throws {LimitError} when the session is too full.
 */
export async function bindSession(
  devices: Devices,
  opened: Opened,
  { id, thumb }: Registered,
): Promise<readonly string[]> {
  const { session, found } = opened;
  const mark = found?.data.get(DEVICE_KEY);
  // Without the session's cookie nothing can be bound; a credential in its grace is about to go.
  const isWritable = found !== undefined && found.readOnly === undefined;
  const settles = isWritable && mark !== undefined && isToSettle(devices, opened, id, mark);
  if (!isWritable || (mark !== undefined && !settles)) {
    devices.tell("refreshed", id);
    return [];
  }
  session.change().map.set(DEVICE_KEY, settles ? settledMark(thumb) : markAt(thumb, devices.now));
  if (settles) await session.regenerate();
  const refusal = settles ? undefined : await session.commit();
  if (refusal !== undefined || session.look().isNew) {
    // Another request was faster; the next refresh finds what it made of the session.
    devices.tell("refused", id, "stale");
    return [];
  }
  devices.tell(settles ? "settled" : "bound", id);
  const { setCookie } = await session.close();
  return setCookie;
}

/**
 * True at the first refresh without a device cookie, over cookies that can be revoked: the browser holds its
 * other requests back, so none has the credential that is replaced.
 */
function isToSettle(devices: Devices, { header }: Opened, id: string, mark: string): boolean {
  if (devices.config.revocations === undefined || isSettled(mark)) return false;
  return devices.staleness(header, id, mark, devices.now) !== undefined;
}
