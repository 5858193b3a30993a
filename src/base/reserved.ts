// The table of the library's own keys in sessions. Applications can't set or remove them; laws and limits
// apply to them as to other entries.
import { UsageError } from "../errors.ts";

/** The prefix of flash messages' keys. */
export const FLASH_PREFIX = "_flash.";

/** The prefix of the keys of a collection's entries; the collection's name follows, and the entry's id. */
export const MAP_PREFIX = "_map.";

/** The entry of a session that is bound to a device: it names the device's key. `clear()` keeps it. */
export const DEVICE_KEY = "_device.key";

/** The prefixes of reserved keys, each with the API that writes them. */
const reserved: readonly { readonly prefix: string; readonly writer: string }[] = [
  { prefix: FLASH_PREFIX, writer: "session.flash" },
  { prefix: MAP_PREFIX, writer: "sessionMap" },
  { prefix: "_device.", writer: "session.bindDevice" },
];

/** True for a key of the library's, which `size`, `keys` and iteration hide. */
export function isReserved(key: string): boolean {
  return writerOf(key) !== undefined;
}

/**
 * Throws for a key that is the library's own.
 * @throws {UsageError} ERR_SESSION_USAGE_RESERVED
 */
export function assertFree(key: string): void {
  const found = writerOf(key);
  if (found === undefined) return;
  throw new UsageError(
    "ERR_SESSION_USAGE_RESERVED",
    `keys that begin with "${found.prefix}" are written by ${found.writer}; name the key otherwise`,
  );
}

function writerOf(key: string): (typeof reserved)[number] | undefined {
  // All of them begin with "_", and almost no other key does.
  if (!key.startsWith("_")) return undefined;
  return reserved.find(({ prefix }) => key.startsWith(prefix));
}
