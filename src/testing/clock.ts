// The clock that a case turns: a store's own fake one, or real time where there is none.

/** A clock that the kit may turn; store and kit read the same one. */
export interface TestClock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lets this many milliseconds pass. */
  readonly advance: (ms: number) => Promise<void> | void;
}

/** A clock that stands still until it is turned. */
export function fakeClock(start: number = Date.UTC(2026, 0, 1)): TestClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}

/** Real time, for stores that have no other: advancing is waiting. */
export const realClock: TestClock = {
  now: Date.now,
  advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
