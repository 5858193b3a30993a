// The session that a request brought, as its keeper found it.
import { type Lifetime, noLifetime } from "./lifetime.ts";

/** The reason that changes of a session are refused. */
export type ReadOnlyReason = "grace" | "unavailable" | "device";

/** A request's session as its keeper found it. */
export interface Found {
  readonly data: ReadonlyMap<string, string>;
  /** Unix milliseconds; absent: not known. */
  readonly created?: number | undefined;
  readonly lifetime: Lifetime;
  /** The reason that it reads as empty and can only be destroyed; absent: it is live. */
  readonly readOnly?: ReadOnlyReason | undefined;
}

/** A session that couldn't be loaded. */
export const unavailable: Found = {
  data: new Map(),
  lifetime: noLifetime,
  readOnly: "unavailable",
};
