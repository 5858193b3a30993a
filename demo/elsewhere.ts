// Ending a user's other sessions: by the list of revocations where the sessions are in cookies, else by
// the store's own list of a user's sessions.
import type { DemoSettings } from "./settings.ts";

/**
 * Ends the sessions of a user, except the one with the id `except`.
 * @returns undefined on a store that has neither list, as memcached has none.
 */
export function endingOf({
  revocations,
  store,
}: DemoSettings): ((user: string, except?: string) => Promise<void>) | undefined {
  if (revocations !== undefined) {
    return async (user, except) => revocations.revokeSubject(user, { except });
  }
  if ("sealed" in store || store.destroyAll === undefined) return undefined;
  const end = store.destroyAll.bind(store);
  return async (user, except) => {
    await end(user, except === undefined ? {} : { except });
  };
}
