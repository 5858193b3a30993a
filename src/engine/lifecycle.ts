// The decision table of a request's end: the save, and the sending of the cookie. It is pure and knows no
// store and no header; the engine carries out the decision.
import { type RenewalState, renewalDue } from "./expiry.ts";

/** What the decision looks at, of a session that the request has looked at. */
export interface RequestEnd {
  /** True if the session is in the store, or in the client's cookie. */
  readonly stored: boolean;
  /** True if the request changed, bound or regenerated anything. */
  readonly changed: boolean;
  /** Whether nothing would be left to keep: no key, no subject, and nobody has started it. */
  readonly empty: boolean;
  readonly renewal: RenewalState;
}

/**
 * `none`: nothing is saved and nothing sent. `create`: the session is saved for the first time.
 * `update`: what changed is saved. `renew`: the idle timeout begins anew. `resend`: only the
 * cookie is sent again. With `create` and `renew` the cookie goes out too; with `update` a sealed
 * session's always, and a ticket only where the keeper finds that a renewal was due anyway.
 */
export type Decision = "none" | "create" | "update" | "renew" | "resend";

/** The decision, by laws L5 and L6. */
export function decide(end: RequestEnd, renewAfter: number, now: number): Decision {
  if (!end.stored) return end.changed && !end.empty ? "create" : "none";
  if (end.changed) return "update";
  const due = renewalDue(end.renewal, renewAfter, now);
  if (due === "data") return "renew";
  return due === "cookie" ? "resend" : "none";
}
