// Writes what an application has changed into a session of the engine. It knows no request.
import { ConflictError } from "../../errors.ts";
import { requestOf, type Session as KeptSession } from "../../session/session.ts";
import type { Cookie } from "./cookie.ts";
import { type Differences, isOtherCookie } from "./data.ts";
import { COOKIE_KEY } from "./row.ts";

/** A change of a session: texts to set, and keys to remove. */
export type Write = ReadonlyMap<string, string | undefined>;

/** The change that also brings the cookie, if that has changed or isn't stored yet. */
export function writeOf(
  { set, del }: Differences,
  cookie: Cookie,
  stored: string | undefined,
): Write {
  const write = new Map<string, string | undefined>();
  // Before what is set, to make room.
  for (const key of del) write.set(key, undefined);
  for (const [key, text] of set) write.set(key, text);
  if (stored === undefined || isOtherCookie(cookie, stored)) {
    write.set(COOKIE_KEY, JSON.stringify(cookie));
  }
  return write;
}

/**
 * Puts a change into the session's draft, whole or not at all. Each key is read first, so that observers
 * are told when a newer value of another request is overwritten.
 * @throws {LimitError} and {UsageError} as the session's `set`.
 */
export function draft(kept: KeptSession, write: Write): void {
  try {
    for (const [key, text] of write) {
      if (valueIn(kept, key) === text) continue;
      if (text === undefined) kept.del(key);
      else kept.set(key, text);
    }
  } catch (error) {
    kept.discard();
    throw error;
  }
}

/**
 * Saves a change now.
 * @throws {ConflictError} ERR_SESSION_CONFLICT_STALE when the session was ended meanwhile.
 * @throws {StoreError} when the store fails.
 */
export async function save(kept: KeptSession, write: Write): Promise<void> {
  draft(kept, write);
  const refusal = await requestOf(kept)?.commit();
  if (refusal !== undefined) throw ended();
}

/** A key's value, read as an application reads it; undefined: absent. */
export function valueIn(kept: KeptSession, key: string): string | undefined {
  return kept.has(key) ? kept.get(key) : undefined;
}

/** The error of a change of a session that isn't stored any more. */
export function ended(): ConflictError {
  const message = "the session was ended meanwhile, or a save has failed, so nothing was saved";
  return new ConflictError("ERR_SESSION_CONFLICT_STALE", message);
}
