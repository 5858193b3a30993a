// Medians and quartiles, and rounds in which the subjects take turns: a machine that gets slower in
// between slows all of them. It knows nothing of what is measured.

/** The middle of some figures, and the middles of both halves. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** A quantile of sorted figures, linear between the two nearest ranks. */
export function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Median and quartiles; of no figures, not a number. */
export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((one, other) => one - other);
  const round = (value: number): number => Number(value.toPrecision(6));
  return {
    median: round(quantile(sorted, 0.5)),
    low: round(quantile(sorted, 0.25)),
    high: round(quantile(sorted, 0.75)),
    n: figures.length,
  };
}

/** Calls `measure` with every subject in every round, each round beginning with another one. */
export async function interleave<Subject>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(turn + round) % subjects.length];
      if (subject !== undefined) await measure(subject, round);
    }
  }
}
