// The warnings of stores that aren't atomic, each emitted once for each kind of store and process.
import { classOf } from "../base/text.ts";
import { warnOnce } from "../base/warning.ts";
import type { SessionStore } from "./contract.ts";

/** The code of these warnings. */
const CODE = "KOCHA_SESSION_NOT_ATOMIC";

/**
 * Warns of a store as a whole.
 * @param acceptRaces - true: the application accepts races, and there is no warning.
 * @param wayOut - what else can be done, for the message.
 */
export function warnOfRaces(
  kind: string,
  acceptRaces: boolean,
  wayOut = "set acceptRaces if that is all right",
): void {
  if (acceptRaces) return;
  const message =
    `${kind} is not atomic: of concurrent requests of one session, from several processes, the ` +
    `last one wins, and one that races a logout can undo it; ${wayOut}`;
  warnOnce(CODE, kind, message);
}

/** Warns of `update` and `increment` on a store that can't do them as one step (S9). */
export function warnOfInexactUpdates(store: SessionStore): void {
  const kind = classOf(store) ?? "a store";
  const message =
    `${kind} doesn't say that it is atomic and expects (S9): of updates of one key, from ` +
    "several processes, one can be lost";
  warnOnce(CODE, `update ${kind}`, message);
}
