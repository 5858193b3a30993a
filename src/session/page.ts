// Pages whose parts render on behind their heads, when cookies can't be set any more.
import { FLASH_PREFIX } from "../base/reserved.ts";
import { requestOf, type Session } from "./session.ts";

/**
 * Begins a page: its parts can't change the session any more, except that they take flash messages. What
 * they take before the commit is gone; later it shows, and stays for the next page.
 * @returns true if there are messages: commit only once the page is complete.
 */
export function beginPage(session: Session): boolean {
  const request = requestOf(session);
  if (request === undefined) return false;
  request.flashOnly = true;
  return [...request.look().map.view.keys()].some((key) => key.startsWith(FLASH_PREFIX));
}
