// Turns: two calls of one request never race each other at the store.
import type { Awaitable } from "../base/awaitable.ts";

/** The calls of one request, each of which waits for those before it. */
export class Turns {
  #last: Promise<unknown> | undefined;

  /** True while a call is under way or waits. */
  get areTaken(): boolean {
    return this.#last !== undefined;
  }

  /** Runs `step` when its turn has come. */
  run<T>(step: () => Awaitable<T>): Promise<T> {
    const before = this.#last ?? Promise.resolve();
    // A failed step has told its own caller; the next one finds the current session.
    const done = before.then(step, step);
    this.#last = done;
    const leave = (): void => {
      if (this.#last === done) this.#last = undefined;
    };
    done.then(leave, leave);
    return done;
  }
}
