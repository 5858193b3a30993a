// Every call of a store goes through here: it may answer at once or later, take no longer than
// the configuration allows, and whatever it throws becomes a StoreError that observers hear of.
import { isSessionError, StoreError, type StoreOperation } from "../errors.ts";
import { isThenable } from "./awaitable.ts";
import { notify, type SessionObservers } from "./events.ts";
import type { Awaitable } from "./store.ts";

/** What a call needs of the configuration. */
export interface StoreCallOptions {
  readonly storeTimeoutMs: number;
  readonly on: SessionObservers;
  /** The calls of the store that haven't ended, of all engines that use it. */
  readonly inFlight: CallsInFlight;
}

/** How many calls a store hasn't answered yet. */
export interface CallsInFlight {
  count: number;
}

/**
 * How many calls may wait for one store. A driver keeps what the server doesn't take, also when its
 * request has long been answered: with a server that hangs that would be a call for each request.
 * What answers ten thousand calls a second works that many off within the default storeTimeout; for
 * a slower one the last of them would time out anyway.
 */
export const MAX_CALLS_IN_FLIGHT = 10_000;

const byStore = new WeakMap<object, CallsInFlight>();

/** The count of a store's calls, the same for all that use the store. */
export function callsInFlightOf(store: object): CallsInFlight {
  let calls = byStore.get(store);
  if (calls === undefined) byStore.set(store, (calls = { count: 0 }));
  return calls;
}

/**
 * The store's answer.
 * @throws {StoreError} ERR_SESSION_STORE_FAILED with the store's own error as its cause;
 * ERR_SESSION_STORE_TIMEOUT, and a late answer is dropped; ERR_SESSION_STORE_BUSY, and the store
 * isn't called.
 * @param timeoutMs - Infinity: the call sees to it itself.
 */
export function callStore<T>(
  options: StoreCallOptions,
  operation: StoreOperation,
  call: () => Awaitable<T>,
  timeoutMs: number = options.storeTimeoutMs,
): Awaitable<T> {
  const { inFlight } = options;
  if (inFlight.count >= MAX_CALLS_IN_FLIGHT) {
    const message = `${MAX_CALLS_IN_FLIGHT} calls wait for the store already, so it isn't called`;
    throw observed(options, new StoreError("ERR_SESSION_STORE_BUSY", operation, message));
  }
  let answer: Awaitable<T>;
  try {
    answer = call();
  } catch (cause) {
    throw failure(options, operation, cause);
  }
  if (!isThenable(answer)) return answer;
  const later = answer;
  inFlight.count++;
  return new Promise<T>((resolve, reject) => {
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            const message = `the store did not answer within ${timeoutMs} ms; see storeTimeout`;
            reject(
              observed(options, new StoreError("ERR_SESSION_STORE_TIMEOUT", operation, message)),
            );
          }, timeoutMs);
    // Once: a query builder runs its query at each then.
    later.then(
      (value) => {
        inFlight.count--;
        clearTimeout(timer);
        resolve(value);
      },
      (cause: unknown) => {
        inFlight.count--;
        clearTimeout(timer);
        reject(failure(options, operation, cause));
      },
    );
  });
}

/** A StoreError for an answer that no store may give, told to the observers. */
export function badAnswer(
  options: StoreCallOptions,
  operation: StoreOperation,
  message: string,
): StoreError {
  return observed(options, new StoreError("ERR_SESSION_STORE_ANSWER", operation, message));
}

function failure(options: StoreCallOptions, operation: StoreOperation, cause: unknown): Error {
  // A limit that a sealed store found is the application's affair, no outage.
  if (isSessionError(cause)) {
    return cause instanceof StoreError ? observed(options, cause) : cause;
  }
  const message = `the store failed to ${operation}; its own error is the cause`;
  return observed(
    options,
    new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause }),
  );
}

function observed(options: StoreCallOptions, error: StoreError): StoreError {
  notify(options.on, "storeError", { operation: error.operation, error });
  return error;
}
