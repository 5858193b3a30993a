// The decision table of a request's end, pure: what is saved and whether the cookie goes out. It
// knows no store and no header; the engine carries out what it says.
import { type RenewalState, renewalDue } from "./expiry.ts";

/** What the decision looks at. */
export interface RequestEnd {
  /** Whether the session is in the store, or in the client's cookie. */
  readonly stored: boolean;
  /** Whether the request changed, bound or regenerated anything. */
  readonly changed: boolean;
  /** Whether nothing would be left to keep: no key and no subject. */
  readonly empty: boolean;
  /** Whether the request looked at the session at all. */
  readonly touched: boolean;
  readonly renewal: RenewalState;
}

/**
 * `none`: nothing is saved and nothing sent. `create`: the session is saved for the first time.
 * `update`: what changed is saved. `renew`: the idle timeout begins anew. `resend`: only the
 * cookie is sent again. With `create` and `renew` the cookie goes out too; with `update` only when
 * `renews` says that a renewal was due anyway.
 */
export type Decision = "none" | "create" | "update" | "renew" | "resend";

/** What to do, by laws L5 and L6. */
export function decide(end: RequestEnd, renewAfter: number, now: number): Decision {
  if (!end.stored) return end.changed && !end.empty ? "create" : "none";
  if (end.changed) return "update";
  if (!end.touched) return "none";
  const due = renewalDue(end.renewal, renewAfter, now);
  if (due === "data") return "renew";
  return due === "cookie" ? "resend" : "none";
}
