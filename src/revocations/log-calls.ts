// The calls of a log: each is given up in time, and a log that doesn't answer isn't flooded.
import { StoreError, type StoreOperation } from "../errors.ts";
import type { FollowerClock } from "./moment.ts";

/** With so many unanswered calls the log is asked only now and then. */
const MAX_UNANSWERED = 4;
/** The time between two such calls, as a multiple of the time for one answer. */
const PATIENCES = 10;

/** The calls of one log. */
export class LogCalls {
  readonly #clock: FollowerClock;
  readonly #timeoutMs: () => number;
  /** Calls that were given up since the log's last answer. On Workers some of them never end. */
  #unanswered = 0;
  /** Before it no call is made, monotonic milliseconds. */
  #silentUntil = 0;

  /** @param timeoutMs - the longest time for one answer, in milliseconds. */
  constructor(clock: FollowerClock, timeoutMs: () => number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The log's answer; a late one is dropped.
   * @throws {StoreError} ERR_SESSION_STORE_TIMEOUT; and what the log throws.
   */
  async ask<T>(operation: StoreOperation, call: () => Promise<T>): Promise<T> {
    const timeoutMs = this.#timeoutMs();
    if (this.#clock.elapsed() < this.#silentUntil) {
      throw timedOut(operation, `has not answered ${this.#unanswered} times`);
    }
    let cancel: () => void = () => undefined;
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.#clock.schedule(timeoutMs, () => {
        if (++this.#unanswered >= MAX_UNANSWERED) {
          this.#silentUntil = this.#clock.elapsed() + PATIENCES * timeoutMs;
        }
        reject(timedOut(operation, `did not answer within ${timeoutMs} ms`));
      });
    });
    const answer = call();
    const settle = (): void => {
      cancel();
      this.#unanswered = this.#silentUntil = 0;
    };
    answer.then(settle, settle);
    return Promise.race([answer, timeout]);
  }
}

function timedOut(operation: StoreOperation, what: string): StoreError {
  const message = `the log of revocations ${what}; see storeTimeout`;
  return new StoreError("ERR_SESSION_STORE_TIMEOUT", operation, message);
}
