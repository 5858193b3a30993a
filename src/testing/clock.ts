// The clock that a case advances: a store's fake one, or real time where there is none.

/** A clock that the kit can advance; store and kit share it. */
export interface TestClock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lets this many milliseconds pass. */
  readonly advance: (ms: number) => Promise<void> | void;
}

/** A clock that stands still until it is advanced. */
export function fakeClock(start: number = Date.UTC(2026, 0, 1)): TestClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}

/** Real time, for stores without a fake clock: advancing waits. */
export const realClock: TestClock = {
  now: Date.now,
  advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
