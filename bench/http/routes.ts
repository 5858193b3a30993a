// The four routes that every server of the benchmark has, whatever its host: log in, read, write,
// and a page that doesn't ask for the session. It knows no host.

/** The paths. */
export const routes = { login: "/login", read: "/read", write: "/write", idle: "/idle" } as const;
/** One of them. */
export type Route = keyof typeof routes;

/** The session's value that each write changes: as long as the one it replaces. */
const CSRF_LENGTH = 43;
let writes = 0;

/** Another value each time. */
export function nextValue(): string {
  writes++;
  return String(writes).padStart(CSRF_LENGTH, "0");
}

/** The page: as long for everybody. */
export function page(name: string | null | undefined): string {
  return `hello ${name === undefined || name === null || name === "" ? "guest" : name}`;
}

/** `next` with the value, at once if it is there already. */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
