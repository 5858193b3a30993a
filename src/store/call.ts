// All calls of a store: an answer may come at once or later, within the configured time; any error
// becomes a StoreError, which observers get, too.
import {
  isSessionError,
  type SessionErrorCode,
  StoreError,
  type StoreOperation,
} from "../errors.ts";
import { isThenable, type Awaitable } from "../base/awaitable.ts";
import { notify, type SessionObservers } from "../events.ts";
import { type CallsInFlight, MAX_CALLS_IN_FLIGHT } from "./calls-in-flight.ts";

/** The part of the configuration that a call needs. */
export interface StoreCallOptions {
  readonly storeTimeoutMs: number;
  readonly on: SessionObservers;
  /** The calls of the store that haven't ended, of all engines that use it. */
  readonly inFlight: CallsInFlight;
}

/** Called once, when a call has ended: with its error's code, if it has failed. */
type Ended = (outcome?: "ok" | SessionErrorCode) => void;

/**
 * The store's answer.
 * @throws {StoreError} ERR_SESSION_STORE_FAILED with the store's own error as its cause;
 * ERR_SESSION_STORE_TIMEOUT, and a late answer is dropped; ERR_SESSION_STORE_BUSY, and the store
 * isn't called.
 * @param id - the handle of the session that is asked for, for observers; undefined: not known yet.
 * @param timeoutMs - Infinity: the call has its own limit.
 */
export function callStore<T>(
  options: StoreCallOptions,
  operation: StoreOperation,
  call: () => Awaitable<T>,
  id?: string,
  timeoutMs: number = options.storeTimeoutMs,
): Awaitable<T> {
  const { inFlight } = options;
  if (!inFlight.mayBegin(options.storeTimeoutMs)) {
    const message = `${MAX_CALLS_IN_FLIGHT} calls wait for the store already`;
    throw observed(options, new StoreError("ERR_SESSION_STORE_BUSY", operation, message));
  }
  const ended = options.on.storeCall && timed(options, operation, id);
  let answer: Awaitable<T>;
  try {
    answer = call();
  } catch (cause) {
    throw failure(options, operation, cause, ended);
  }
  if (!isThenable(answer)) {
    ended?.();
    return answer;
  }
  const later = answer;
  const serial = inFlight.begin();
  return new Promise<T>((resolve, reject) => {
    let isOver = false;
    const fail = (cause: unknown): void => {
      // A late failure is dropped as a late answer is: the call has had its outcome.
      if (!isOver) reject(failure(options, operation, cause, ended));
      isOver = true;
    };
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            const message = `the store did not answer within ${timeoutMs} ms; see storeTimeout`;
            fail(new StoreError("ERR_SESSION_STORE_TIMEOUT", operation, message));
          }, timeoutMs);
    // `then` only once: a query builder runs its query at each call of it.
    later.then(
      (value) => {
        inFlight.end(serial);
        clearTimeout(timer);
        if (!isOver) ended?.();
        resolve(value);
      },
      (cause: unknown) => {
        inFlight.end(serial);
        clearTimeout(timer);
        fail(cause);
      },
    );
  });
}

/** True if a request continues without its session after this failure: law L9. */
export function isBorne(
  { onStoreError }: { readonly onStoreError: "fail" | "anonymous" },
  error: unknown,
): boolean {
  return onStoreError === "anonymous" && error instanceof StoreError;
}

/** A StoreError for an invalid answer of a store, reported to the observers. */
export function badAnswer(
  options: StoreCallOptions,
  operation: StoreOperation,
  message: string,
): StoreError {
  return observed(options, new StoreError("ERR_SESSION_STORE_ANSWER", operation, message));
}

/** Begins to time a call, for the observers of `storeCall`. */
function timed({ on }: StoreCallOptions, operation: StoreOperation, id: string | undefined): Ended {
  const began = performance.now();
  return (outcome = "ok") => {
    notify(on, "storeCall", { id, operation, ms: performance.now() - began, outcome });
  };
}

function failure(
  options: StoreCallOptions,
  operation: StoreOperation,
  cause: unknown,
  ended: Ended | undefined,
): Error {
  const message = `the store failed to ${operation}; its own error is the cause`;
  const error = isSessionError(cause)
    ? cause
    : new StoreError("ERR_SESSION_STORE_FAILED", operation, message, { cause });
  ended?.(error.code);
  // A sealed store's LimitError is the application's fault, no outage.
  return error instanceof StoreError ? observed(options, error) : error;
}

function observed(options: StoreCallOptions, error: StoreError): StoreError {
  notify(options.on, "storeError", { operation: error.operation, error });
  return error;
}
