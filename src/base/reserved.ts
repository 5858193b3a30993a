// The keys that the library keeps for itself in every session: the one table of them. Nobody else
// sets or removes them; they are entries like others to every law and limit.
import { UsageError } from "../errors.ts";

/** What a flash message's key begins with in the session. */
export const FLASH_PREFIX = "_flash.";

/** What reserved keys begin with, and what writes them. */
const reserved: readonly { readonly prefix: string; readonly writer: string }[] = [
  { prefix: FLASH_PREFIX, writer: "session.flash" },
];

/** Whether a key is the library's: hidden from the size, the keys and the iteration. */
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
  // All of them begin so, and nearly no other key does.
  if (!key.startsWith("_")) return undefined;
  return reserved.find(({ prefix }) => key.startsWith(prefix));
}
