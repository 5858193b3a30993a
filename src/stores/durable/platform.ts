// The parts of Durable Objects that are used, as structural types: a worker's side of them, and an object's.
// Nothing of "cloudflare:workers" is imported, so that everything here also loads, bundles and is tested where
// there is no such module. That is why calls go by `fetch`: only classes that extend the platform's take RPC.
import { hasMethods, required } from "../../base/options.ts";
import type { Reader } from "../../base/options.ts";

/** A binding of a Durable Object class, as a worker's `env` has it. */
export interface DurableNamespace {
  idFromName(name: string): unknown;
  get(id: unknown): DurableStub;
}

/** An object, as a worker speaks to it. */
export interface DurableStub {
  fetch(
    url: string,
    init: { readonly method: string; readonly body: string },
  ): Promise<{ readonly status: number; text(): Promise<string> }>;
}

/** What an object's constructor gets. */
export interface DurableState {
  readonly storage: DurableStorage;
}

/** The storage of an object whose class is SQLite-backed. */
export interface DurableStorage {
  readonly kv: DurableKv;
  readonly sql: DurableSql;
  getAlarm(): Promise<number | null>;
  /** @param time - Unix milliseconds. */
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  deleteAll(): Promise<void>;
}

/** The synchronous key-value storage. */
interface DurableKv {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): boolean;
  list(options?: { readonly limit?: number }): Iterable<[string, unknown]>;
}

/** The synchronous SQL storage. */
interface DurableSql {
  exec(
    query: string,
    ...bindings: (string | number | null)[]
  ): { toArray(): Record<string, unknown>[] };
}

/** Bytes of the largest value: developers.cloudflare.com/durable-objects/platform/limits. */
export const MAX_VALUE_BYTES = 2_000_000;

/** True for the error of a value that is too large for an object's storage; nothing was stored. */
export function isTooBig(error: unknown): boolean {
  return error instanceof Error && error.message.includes("string or blob too big");
}

/** Bytes of a string as the storage keeps it: one for each character of Latin-1, if it has no others. */
export function storedBytes(text: string): number {
  return /[\u0100-\uffff]/.test(text) ? 2 * text.length : text.length;
}

/**
 * A binding of a class; required.
 * @param of - the class's name, for the message.
 */
export function namespaceOf(of: string): Reader<DurableNamespace> {
  return required(
    `the binding of the Durable Object class ${of}, such as env.SESSIONS`,
    isNamespace,
  );
}

/** True for a binding of a Durable Object class. */
function isNamespace(value: unknown): value is DurableNamespace {
  return hasMethods(value, "idFromName", "get");
}
