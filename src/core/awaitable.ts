// A value now or later, handled without a promise where there is none: the embedded cookie store
// answers at once, and a microtask a request is a cost that it needn't have.
import type { Awaitable } from "./store.ts";

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
