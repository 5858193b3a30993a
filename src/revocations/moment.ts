// A follower's two clocks: the time of day, which can jump, and the monotonic one, which can stand still.

/** The clocks and the timers of a follower. */
export interface FollowerClock {
  /** The time of day in Unix milliseconds; it may jump. */
  readonly now: () => number;
  /** Monotonic milliseconds since an arbitrary moment; they may stand still while the machine sleeps. */
  readonly elapsed: () => number;
  /** Calls `run` after `ms`; gives a function that cancels it. */
  readonly schedule: (ms: number, run: () => void) => () => void;
}

/** The machine's own clocks. */
export const systemClock: FollowerClock = {
  now: Date.now,
  elapsed: () => performance.now(),
  schedule: (ms, run) => {
    const timer = setTimeout(run, ms);
    // The timer keeps no process alive; only Node's and Bun's timers have `unref`.
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

/** Milliseconds since a moment: the larger span of the two clocks. */
export function msSince(moment: Moment, { now, elapsed }: FollowerClock): number {
  return Math.max(elapsed() - moment.elapsed, now() - moment.now);
}
