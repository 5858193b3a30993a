// Waiting for something that another request does. On Workers the continuations and timers of a request
// that was cancelled never run, so nobody may depend on those of another: each who waits has a timer of
// its own, and a ring wakes all, since the first of them may be gone.

/** Wakes whoever waits. */
export class Bell {
  readonly #wakes = new Set<() => void>();

  /** How many wait. */
  get waiting(): number {
    return this.#wakes.size;
  }

  /** Wakes all, in the order in which they came. */
  ring(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  /** Until the next ring, for `ms` milliseconds at most. */
  async wait(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#wakes.add(resolve);
      timer = setTimeout(resolve, ms);
    });
    // ORDER: here, by whoever waited: a timer belongs to the request that set it.
    clearTimeout(timer);
    if (wake !== undefined) this.#wakes.delete(wake);
  }
}
