// A value now or later, without a promise for a value that is there: the cookie store answers at once,
// and should cost no microtask.

/** A value now or later; synchronous stores cost no promise. */
export type Awaitable<T> = T | Promise<T>;

/** True for a value that must be awaited; query builders are thenables but no promises. */
export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Lets go of a promise that nobody waits for: its rejection, if one comes, is no unhandled one. */
export function disown(later: Promise<unknown>): void {
  later.then(undefined, () => undefined);
}

/** `next(value)`, at once if the value is there. */
export function chain<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isThenable(value) ? value.then(next) : next(value);
}

/** The result of `call`, or that of `onFailure` for its error, now or later. */
export function recover<T>(
  call: () => Awaitable<T>,
  onFailure: (error: unknown) => Awaitable<T>,
): Awaitable<T> {
  try {
    const answer = call();
    return isThenable(answer) ? answer.catch(onFailure) : answer;
  } catch (error) {
    return onFailure(error);
  }
}

/** The outcome of a call: its answer, now or later, or the error that it threw at once. */
type Attempt<T> = { readonly answer: Awaitable<T> } | { readonly error: unknown };

/**
 * Calls `call` with every item, even if others fail, and waits for all.
 * @throws the error of the first failed item, once all have settled.
 */
export function tryAll<T, U>(
  items: readonly T[],
  call: (item: T) => Awaitable<U>,
): Awaitable<readonly U[]> {
  const attempts = items.map((item): Attempt<U> => {
    try {
      return { answer: call(item) };
    } catch (error) {
      return { error };
    }
  });
  const isLater = attempts.some((one) => "answer" in one && isThenable(one.answer));
  if (!isLater) return attempts.map(take) as U[];
  return Promise.allSettled(attempts.map(async (attempt) => take(attempt))).then((settled) =>
    settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    }),
  );
}

function take<T>(attempt: Attempt<T>): Awaitable<T> {
  if ("error" in attempt) throw attempt.error;
  return attempt.answer;
}
