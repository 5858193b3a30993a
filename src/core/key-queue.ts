// One step after the other for each key: what stores without an atomic update of their own do not
// to race themselves within one process. Between processes it orders nothing.

/** Runs the steps of one key in the order in which they came; those of other keys don't wait. */
export class KeyQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** What `step` gives, once every step of the key before it has settled. */
  run<T>(key: string, step: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const done = before === undefined ? step() : before.then(step, step);
    this.#last.set(key, done);
    const leave = (): void => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    };
    done.then(leave, leave);
    return done;
  }
}
