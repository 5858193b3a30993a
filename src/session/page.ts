// Pages whose parts render on behind their heads, when cookies can't be set any more.
import { holdsFlash } from "./flash.ts";
import { requestOf, type Session } from "./session.ts";

/**
 * Begins a page: its parts can't change the session any more, except that until the commit they take flash
 * messages. Where there are none, taking one is no error, also after the commit.
 * @returns true if there are messages: commit only once the page is complete.
 */
export function beginPage(session: Session): boolean {
  const request = requestOf(session);
  if (request === undefined) return false;
  request.flashOnly = true;
  return holdsFlash(request);
}

/**
 * Begins a page in place of the answer for which the session was committed. It takes flash messages, and
 * the next page has them once more.
 */
export function beginOtherPage(session: Session): void {
  const request = requestOf(session);
  if (request !== undefined) request.flashStays = true;
}
