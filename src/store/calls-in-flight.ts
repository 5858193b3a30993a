// How many calls wait for a store: bounded, so that a server that hangs fills no driver's queue, and
// not for good, so that calls which a driver has lost keep no one out of a store that answers.

/**
 * How many calls may wait for one store. A driver keeps what the server doesn't take, also when its
 * request has long been answered: with a server that hangs that would be a call for each request.
 * What answers ten thousand calls a second works that many off within the default storeTimeout; for
 * a slower one the last of them would time out anyway.
 */
export const MAX_CALLS_IN_FLIGHT = 10_000;

/** The calls of a store that haven't ended, of all engines that use it. */
export class CallsInFlight {
  #count = 0;
  #next = 1;
  /** The first call that counts: those before it are lost. */
  #first = 1;
  /** The last call that was made although so many waited; 0: none. */
  #probe = 0;
  /** By the monotonic clock, in milliseconds: when there may be another one. */
  #probeAt = 0;

  /**
   * Whether a call may be made. Where too many wait, one may in each `intervalMs`: a driver can lose
   * calls, and on Workers the end of a cancelled request's call is never heard of.
   */
  mayBegin(intervalMs: number): boolean {
    if (this.#count < MAX_CALLS_IN_FLIGHT) return true;
    const now = performance.now();
    // The first of these waits, too: the store may still answer what it has been asked.
    if (this.#probeAt === 0) this.#probeAt = now + intervalMs;
    if (now < this.#probeAt) return false;
    this.#probeAt = now + intervalMs;
    return true;
  }

  /** Notes a call; gives what `end` takes. */
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
      // The store answers: what has waited for longer than this call is lost.
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
