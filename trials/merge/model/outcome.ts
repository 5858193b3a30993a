// What a schedule of the model check came to.

/** What may be lost when responses are too late. */
export type Excuse = "a write or a deletion" | "a logout";

/** What a schedule came to. */
export interface Outcome {
  /** What must not be. */
  readonly faults: readonly string[];
  /** What was lost as the documentation says that it may be. */
  readonly excused: readonly Excuse[];
  readonly mostCookies: number;
  readonly mostBytes: number;
  readonly collapses: number;
}
