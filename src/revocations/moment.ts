// What a follower of a log knows of time: two clocks, of which neither is to be trusted alone.

/** The clocks and the timers of a follower. */
export interface FollowerClock {
  /** Unix milliseconds, as the machine has it: it may jump. */
  readonly now: () => number;
  /** Milliseconds since some moment; it never goes back, but may stand still with the machine. */
  readonly elapsed: () => number;
  /** Calls `run` later; gives what cancels it. */
  readonly schedule: (ms: number, run: () => void) => () => void;
}

/** The machine's own. */
export const systemClock: FollowerClock = {
  now: Date.now,
  elapsed: () => performance.now(),
  schedule: (ms, run) => {
    const timer = setTimeout(run, ms);
    // The timer alone keeps no process alive; only Node's and Bun's have this.
    (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
};

/** A moment by both clocks. */
export interface Moment {
  readonly now: number;
  readonly elapsed: number;
}

/** This moment. */
export function momentOf({ now, elapsed }: FollowerClock): Moment {
  return { now: now(), elapsed: elapsed() };
}

/** Milliseconds since a moment, by whichever clock says more. */
export function msSince(moment: Moment, { now, elapsed }: FollowerClock): number {
  return Math.max(elapsed() - moment.elapsed, now() - moment.now);
}
