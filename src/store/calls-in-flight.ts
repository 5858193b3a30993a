// Limits the calls that wait for a store, so that a hanging server doesn't fill its driver's queue. Calls
// that a driver has lost stop counting once the store answers.

/**
 * The most calls that wait for one store. A driver queues calls that the server doesn't take, even after
 * their requests were answered: with a hanging server, one for each request. A store that answers ten
 * thousand calls a second finishes that many within the default storeTimeout; with a slower one the last
 * of them would time out anyway.
 */
export const MAX_CALLS_IN_FLIGHT = 10_000;

/** The calls of a store that haven't ended, of all engines that use it. */
export class CallsInFlight {
  #count = 0;
  #next = 1;
  /** The first call that counts; earlier ones are lost. */
  #first = 1;
  /** The last call that was made over the limit; 0: none. */
  #probe = 0;
  /** The instant of the next such call, monotonic milliseconds. */
  #probeAt = 0;

  /**
   * True if a call may be made. Over the limit, one call in each `intervalMs` may: a driver can lose
   * calls, and on Workers a cancelled request's call never settles.
   */
  mayBegin(intervalMs: number): boolean {
    if (this.#count < MAX_CALLS_IN_FLIGHT) return true;
    const now = performance.now();
    // The first of these calls waits an interval, too: the store may still answer the earlier ones.
    if (this.#probeAt === 0) this.#probeAt = now + intervalMs;
    if (now < this.#probeAt) return false;
    this.#probeAt = now + intervalMs;
    return true;
  }

  /** Notes a call; gives its number for `end`. */
  begin(): number {
    const serial = this.#next++;
    if (this.#count++ >= MAX_CALLS_IN_FLIGHT) this.#probe = serial;
    return serial;
  }

  /** Notes that a call has ended. */
  end(serial: number): void {
    if (serial < this.#first) return;
    this.#count--;
    if (serial === this.#probe) {
      // The store answers: calls that have waited longer than this one are lost.
      this.#first = this.#next;
      this.#count = 0;
    }
    if (this.#count < MAX_CALLS_IN_FLIGHT) this.#probeAt = this.#probe = 0;
  }
}

const byStore = new WeakMap<object, CallsInFlight>();

/** The count of a store's calls, the same for all that use the store. */
export function callsInFlightOf(store: object): CallsInFlight {
  let calls = byStore.get(store);
  if (calls === undefined) byStore.set(store, (calls = new CallsInFlight()));
  return calls;
}
