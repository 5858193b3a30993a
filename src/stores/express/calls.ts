// Calls of a store that was written for express-session, as promises. It knows nothing of what such a
// store keeps.
import { hasMethods, required, type Reader } from "../../base/options.ts";

/** A callback of express-session's stores. */
export type StoreCallback<T> = (error?: unknown, value?: T) => void;

/** The part of express-session's store interface that is used. */
export interface ExpressSessionStore {
  get(sid: string, callback: StoreCallback<unknown>): unknown;
  set(sid: string, session: never, callback: StoreCallback<unknown>): unknown;
  destroy(sid: string, callback: StoreCallback<unknown>): unknown;
}

/** A store for express-session, as an option. */
export const expressStore: Reader<ExpressSessionStore> = required(
  "a store for express-session, with get, set and destroy",
  (value) => hasMethods(value, "get", "set", "destroy"),
);

/** The value of the store's callback; some stores throw or reject instead. */
export function called<T>(call: (done: StoreCallback<T>) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const done: StoreCallback<T> = (error, value) => {
      if (error === undefined || error === null || error === false) resolve(value);
      else if (error instanceof Error) reject(error);
      else reject(new Error("the wrapped store failed", { cause: error }));
    };
    const answer: unknown = call(done);
    if (answer instanceof Promise) answer.catch(done);
  });
}

/** Stores in files report a missing session as a missing file. */
export function ignoreMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code === "ENOENT") return undefined;
  throw error;
}
