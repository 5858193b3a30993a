// express-session and its drop-in under one type, for tests that ask the same of both.
import type { RequestHandler } from "express";
import originalSession from "express-session";
import dropIn from "kocha-session/compat/express-session";
import { lateMemoryStore } from "./late-memory-store.ts";

/** The options that the tests use. */
interface Options {
  readonly store?: object;
  readonly saveUninitialized?: boolean;
  readonly rolling?: boolean;
  readonly cookie?: object;
}

/** A session as either library's application sees it. */
export interface Bag {
  [property: string]: unknown;
  readonly id: string;
  save(done: (error?: unknown) => void): void;
  reload(done: (error?: unknown) => void): void;
  touch(): void;
  regenerate(done: (error?: unknown) => void): void;
  destroy(done?: (error?: unknown) => void): void;
}

/** Makes a library's middleware, over a MemoryStore that answers after 5 ms unless told otherwise. */
export type MakeSessions = (options?: Options) => RequestHandler;

const common = { secret: "a secret of 32 bytes, or longer: ok", resave: false } as const;
const withStore = (options: Options) => ({
  ...common,
  saveUninitialized: false,
  store: lateMemoryStore(),
  ...options,
});

export const libraries: readonly (readonly [name: string, make: MakeSessions])[] = [
  ["express-session", (options = {}) => originalSession(withStore(options) as never)],
  ["the drop-in", (options = {}) => dropIn(withStore(options) as never) as RequestHandler],
];

/** The session of a request. */
export function bagOf(request: object): Bag {
  return (request as { readonly session: Bag }).session;
}
