// The polls of a log: one at a time, shared by all who wait for it, each followed by the next one. On
// Workers the timers and continuations of a cancelled request never run, so nobody may depend on those of
// another: each who waits has a timer of its own, and begins anew a poll that doesn't get on.
import { disown } from "../base/awaitable.ts";
import { type FollowerClock, type Moment, momentOf, msSince } from "./moment.ts";

/** The time that a poll's own timer has before others take it for dead, in milliseconds. */
const HEAD_START = 100;

const nothing = (): void => undefined;

/** One poll. */
export interface Poll {
  /** Its start. */
  readonly began: Moment;
  /** The moment of the log's last answer to it, at first its start. */
  moved: Moment;
}

/** What a log's polls need to know. */
export interface PollOptions {
  readonly clock: FollowerClock;
  /** The time between two polls, in milliseconds. */
  readonly pollMs: number;
  /** The longest time for one answer of the log, in milliseconds. */
  readonly timeoutMs: () => number;
  /** Reads the log; it moves the poll on at each answer, and keeps nothing of one that isn't current. */
  readonly read: (poll: Poll) => Promise<void>;
}

/** The polls of one log. */
export class Polls {
  readonly #options: PollOptions;
  #current: { readonly poll: Poll; readonly done: Promise<void> } | undefined;
  #ended: Moment | undefined;
  #isClosed = false;
  #cancelNext = nothing;

  constructor(options: PollOptions) {
    this.#options = options;
  }

  /** True if the next poll should have begun long ago: its timer belonged to a request that has ended. */
  get isOverdue(): boolean {
    const { clock, pollMs } = this.#options;
    if (this.#current !== undefined && !this.#isStuck(this.#current.poll)) return false;
    return this.#ended !== undefined && msSince(this.#ended, clock) > 2 * pollMs;
  }

  /** False for a poll that another one has replaced. */
  isCurrent(poll: Poll): boolean {
    return this.#current?.poll === poll;
  }

  /**
   * Waits for the current poll, or for a new one.
   * @throws what `read` throws.
   */
  async join(): Promise<void> {
    const { poll, done } = this.#current ?? this.#begin();
    const watch = this.#watch(poll);
    try {
      await Promise.race([done, watch.stuck]);
    } finally {
      watch.cancel();
    }
    if (!this.isCurrent(poll) || !this.#isStuck(poll)) return;
    this.#begin();
    await this.join();
  }

  /** Begins no further poll by itself. */
  close(): void {
    this.#isClosed = true;
    this.#cancelNext();
  }

  #begin(): { readonly poll: Poll; readonly done: Promise<void> } {
    const { clock, pollMs, read } = this.#options;
    const began = momentOf(clock);
    const poll: Poll = { began, moved: began };
    const run = async (): Promise<void> => {
      try {
        await read(poll);
      } finally {
        if (this.isCurrent(poll)) {
          this.#current = undefined;
          this.#ended = momentOf(clock);
          this.#cancelNext();
          const next = (): void => disown(this.join());
          if (!this.#isClosed) this.#cancelNext = clock.schedule(pollMs, next);
        }
      }
    };
    // `read` may look whether its poll is current before it has waited for anything.
    const done = Promise.resolve().then(run);
    disown(done);
    this.#current = { poll, done };
    return this.#current;
  }

  /** Resolves when a poll hasn't got on for too long. */
  #watch(poll: Poll): { readonly stuck: Promise<void>; readonly cancel: () => void } {
    const { clock } = this.#options;
    let cancel = nothing;
    const stuck = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#isStuck(poll)) resolve();
        else cancel = clock.schedule(this.#patience - msSince(poll.moved, clock), look);
      };
      look();
    });
    return { stuck, cancel: () => cancel() };
  }

  #isStuck({ moved }: Poll): boolean {
    return msSince(moved, this.#options.clock) >= this.#patience;
  }

  get #patience(): number {
    return this.#options.timeoutMs() + HEAD_START;
  }
}
