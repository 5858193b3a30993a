// A value now or later, handled without a promise where there is none: the embedded cookie store
// answers at once, and a microtask a request is a cost that it needn't have.

/** A value now or later; synchronous stores cost no promise. */
export type Awaitable<T> = T | Promise<T>;

/** Whether `value` must be awaited; query builders are thenables without being promises. */
export function isThenable<T>(value: Awaitable<T>): value is Promise<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** `next(value)`, at once when the value is there. */
export function chain<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isThenable(value) ? value.then(next) : next(value);
}

/** What `call` gives, or what `onFailure` does about its failure, now or later. */
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

/** What a call came to: an answer, now or later, or what it threw at once. */
type Attempt<T> = { readonly answer: Awaitable<T> } | { readonly error: unknown };

/**
 * Calls `call` with every item, whatever becomes of the others, and waits for all of them.
 * @throws the failure of the first item that failed, when all have come to their end.
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
