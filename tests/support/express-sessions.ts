// express-session and its drop-in under one type, for tests that ask the same of both.
import type { RequestHandler } from "express";
import originalSession from "express-session";
import dropIn from "kocha-session/compat/express-session";
import { lateMemoryStore } from "./late-memory-store.ts";

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

/** Makes a library's middleware, over a MemoryStore that answers after 5 ms. */
export type MakeSessions = () => RequestHandler;

const makeOptions = () => ({
  secret: "a secret of 32 bytes, or longer: ok",
  resave: false,
  saveUninitialized: false,
  store: lateMemoryStore(),
});

export const libraries: readonly (readonly [name: string, make: MakeSessions])[] = [
  ["express-session", () => originalSession(makeOptions())],
  ["the drop-in", () => dropIn(makeOptions()) as RequestHandler],
];

/** The session of a request. */
export function bagOf(request: object): Bag {
  return (request as { readonly session: Bag }).session;
}
