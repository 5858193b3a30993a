// The outcome of a schedule of the model check.

/** The possible losses when responses are too late. */
export type Excuse = "a write or a deletion" | "a logout";

/** The outcome of a schedule. */
export interface Outcome {
  /** Faults. */
  readonly faults: readonly string[];
  /** Losses that the documentation allows. */
  readonly excused: readonly Excuse[];
  readonly mostCookies: number;
  readonly mostBytes: number;
  readonly collapses: number;
}
